//! Long host calls, in steps.
//!
//! A guest's own code is preempted wherever it is, but a host call is the host's code, which only
//! yields where it says so. A call whose work grows with what the guest gave it therefore does it in
//! steps of some microseconds, and tells its [`Pace`] after each: if the process's turn is over, all
//! others go first, its limits are looked at, and it can be killed there.

use std::future::poll_fn;
use std::task::Poll;

use transputer_core::scheduler;

use super::metered::Turn;

/// Steps between two turns of a seeded process, whose schedule must not depend on time.
const STEPS: u32 = 256;

/// When a long call lets others run.
#[derive(Clone, Debug)]
pub(crate) struct Pace(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// Once its process's turn is over.
    Turn(Turn),
    /// After so many steps more.
    Steps(u32),
    /// Never: nobody waits for this thread.
    Free,
}

impl Pace {
    /// That of a process's calls.
    pub(crate) fn of(turn: &Turn, seeded: bool) -> Self {
        Self(match seeded {
            true => Kind::Steps(STEPS),
            false => Kind::Turn(turn.clone()),
        })
    }

    /// That of a thread of its own, on which it is always ready.
    pub(crate) fn free() -> Self {
        Self(Kind::Free)
    }

    /// Notes that a step of the call is done.
    #[inline]
    pub(crate) async fn step(&mut self) {
        if self.is_over() {
            yield_preempted().await;
        }
    }

    /// The same; whether others are to run now.
    #[inline]
    pub(crate) fn is_over(&mut self) -> bool {
        match &mut self.0 {
            Kind::Turn(turn) => turn.is_over(),
            Kind::Steps(left) => match left.checked_sub(1) {
                Some(less) => {
                    *left = less;
                    false
                }
                None => {
                    *left = STEPS;
                    true
                }
            },
            Kind::Free => false,
        }
    }
}

/// Lets those run who have used less.
pub(super) async fn yield_preempted() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        scheduler::preempted();
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
