//! An alternation that waits.
//!
//! Lock order: all its channels in the order of their ids, while it looks and enters;
//! after that one channel at a time. Invariants:
//! - It looks and enters in one critical section, so that a counterpart either is seen by
//!   the look, or sees the entries.
//! - While it looks it is in no queue: nobody can claim it, and it cannot meet itself.
//!   So a communication between two alternations takes one claim, that of the other.
//! - Once in the queues, it communicates only if a counterpart wins its claim, and gives
//!   up only by winning the claim itself. Exactly one guard wins.
//! - It leaves all its queues before it returns, or when it is dropped.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use smallvec::SmallVec;

use super::branch::{Branch, Served};
use super::locks::{FEW, Locks};
use super::{Alternation, Chosen, Guard, Outcome};
use crate::channel::Payload;
use crate::channel::claim::{Claim, Winner};
use crate::channel::deferred::Deferred;
use crate::channel::wait_queue::Waiter;
use crate::sync::Arc;

enum Stage {
    Start,
    Waiting(Arc<Claim>),
    Done,
}

/// What a [`Prepared`](super::Prepared) alternation keeps from one wait to the next.
pub(super) struct Kept<T: Payload> {
    /// Empty: only its memory is kept.
    branches: Vec<Branch<'static, T>>,
    /// In no queue any more, and without a waker.
    claim: Option<Arc<Claim>>,
}

impl<T: Payload> Kept<T> {
    pub(super) const fn new() -> Self {
        Kept {
            branches: Vec::new(),
            claim: None,
        }
    }
}

/// An empty vector in the memory of another one: collecting from a vector reuses its memory if the
/// elements have the same size.
fn emptied<A, B>(mut old: Vec<A>) -> Vec<B> {
    old.clear();
    old.into_iter()
        .map(|_| unreachable!("it was emptied"))
        .collect()
}

/// The future of [`Alternation::wait`] and [`Prepared::wait`](super::Prepared::wait).
///
/// # Panics
///
/// If it is polled after it was ready.
#[must_use = "nothing is chosen until it is awaited"]
pub struct AlternationFuture<'a, T: Payload> {
    alternation: &'a mut Alternation,
    branches: Vec<Branch<'a, T>>,
    stage: Stage,
    /// Where to leave what the next wait can reuse.
    kept: Option<&'a mut Kept<T>>,
}

impl<T: Payload> Unpin for AlternationFuture<'_, T> {}

impl<'a, T: Payload> AlternationFuture<'a, T> {
    pub(super) fn new(alternation: &'a mut Alternation, guards: Vec<Guard<'a, T>>) -> Self {
        AlternationFuture {
            alternation,
            branches: guards.into_iter().map(Branch::new).collect(),
            stage: Stage::Start,
            kept: None,
        }
    }

    pub(super) fn prepared<'ends: 'a>(
        alternation: &'a mut Alternation,
        kept: &'a mut Kept<T>,
        guards: impl Iterator<Item = Option<Guard<'ends, T>>>,
    ) -> Self {
        let mut branches = emptied(mem::take(&mut kept.branches));
        branches.extend(guards.map(|guard| guard.map_or(Branch::Off, Branch::new)));
        AlternationFuture {
            alternation,
            branches,
            stage: Stage::Start,
            kept: Some(kept),
        }
    }

    /// A claim that nobody else knows yet.
    fn new_claim(&mut self, waker: &Waker) -> Arc<Claim> {
        let kept = self.kept.as_mut().and_then(|kept| kept.claim.take());
        if let Some(mut claim) = kept
            && let Some(sole) = Arc::get_mut(&mut claim)
        {
            *sole = Claim::new(waker.clone());
            return claim;
        }
        Arc::new(Claim::new(waker.clone()))
    }

    /// Leaves the memory of a finished wait for the next one.
    fn keep(&mut self) {
        let Some(kept) = self.kept.take() else {
            return;
        };
        kept.branches = emptied(mem::take(&mut self.branches));
        if let Stage::Waiting(claim) = mem::replace(&mut self.stage, Stage::Done) {
            drop(claim.take_waker());
            kept.claim = Some(claim);
        }
    }

    /// Looks for a guard that can go, and otherwise enters the queues.
    fn start(&mut self, waker: &Waker) -> Option<(usize, Outcome<T>)> {
        let mut later = Deferred::new();
        let mut locks = Locks::new(self.branches.iter().filter_map(Branch::channel));
        let chosen = self
            .communicate(&mut locks, &mut later)
            .or_else(|| self.elapsed_or_skip())
            .or_else(|| self.enter(&mut locks, &mut later, waker));
        locks.unlock();
        // Only the guard that has communicated can have made its channel drop something.
        if let Some((guard, _)) = &chosen
            && let Some(channel) = self.branches[*guard].channel()
        {
            channel.tell_of_drops(&mut later);
        }
        later.run();
        chosen
    }

    /// The first pass: lets one of the ready guards communicate.
    fn communicate(
        &mut self,
        locks: &mut Locks<'a, T>,
        later: &mut Deferred<T>,
    ) -> Option<(usize, Outcome<T>)> {
        loop {
            let branches = &self.branches;
            let ready = (0..branches.len()).filter(|guard| branches[*guard].is_ready(locks));
            let guard = self.alternation.choose(ready)?;
            // An alternation that waits there may have been claimed elsewhere meanwhile.
            if let Some(outcome) = self.branches[guard].communicate(locks, later) {
                return Some((guard, outcome));
            }
        }
    }

    /// What to choose when no communication is ready.
    fn elapsed_or_skip(&self) -> Option<(usize, Outcome<T>)> {
        self.branches
            .iter()
            .enumerate()
            .find_map(|(guard, branch)| match branch {
                Branch::After(sleep) if sleep.is_elapsed() => Some((guard, Outcome::Elapsed)),
                Branch::Skip => Some((guard, Outcome::Skipped)),
                _ => None,
            })
    }

    /// The second pass: enters the queues of all channels, or fails where one is too long.
    fn enter(
        &mut self,
        locks: &mut Locks<'a, T>,
        later: &mut Deferred<T>,
        waker: &Waker,
    ) -> Option<(usize, Outcome<T>)> {
        let is_after = |branch: &Branch<'_, T>| matches!(branch, Branch::After(_));
        let timed = self.branches.iter().any(is_after);
        let claim = self.new_claim(waker);
        for guard in self.order_of_entry(locks) {
            let waiter = Waiter::Alternation {
                claim: Arc::clone(&claim),
                guard,
            };
            if let Err(error) = self.branches[guard].enter(waiter, timed, locks) {
                let withdrawn = claim.withdraw();
                debug_assert!(withdrawn, "nobody else has the locks");
                for branch in &mut self.branches {
                    if let Some(channel) = branch.channel() {
                        branch.withdraw(locks.state(channel.id), later);
                    }
                }
                // The waker may be the last reference to a task: it is not dropped here.
                later.drop_waker(claim.take_waker());
                return Some((guard, Outcome::Failed(error)));
            }
        }
        self.stage = Stage::Waiting(claim);
        None
    }

    /// The guards in the order in which they enter their queues, which matters only if several name one
    /// channel.
    fn order_of_entry(&mut self, locks: &Locks<'a, T>) -> SmallVec<[usize; FEW]> {
        let mut order: SmallVec<_> = (0..self.branches.len()).collect();
        let named = self.branches.iter().filter_map(Branch::channel).count();
        if locks.channels() < named {
            self.alternation.shuffle(&mut order);
        }
        order
    }

    /// The third pass: leaves all queues. If a counterpart has claimed a guard, returns what that guard was
    /// served with.
    fn leave(&mut self) -> Option<(usize, Served<T>)> {
        let mut served = None;
        for (guard, branch) in self.branches.iter_mut().enumerate() {
            if let Some(channel) = branch.channel()
                && let Some(with) = channel.with(|state, later| branch.withdraw(state, later))
            {
                debug_assert!(served.is_none(), "one winner");
                served = Some((guard, with));
            }
        }
        served
    }

    /// The first `After` guard whose time has come; the others will wake the task.
    fn poll_sleeps(&mut self, context: &mut Context<'_>) -> Option<usize> {
        self.branches.iter_mut().position(|branch| match branch {
            Branch::After(sleep) => Pin::new(sleep).poll(context).is_ready(),
            _ => false,
        })
    }

    fn chosen(&mut self, (guard, outcome): (usize, Outcome<T>)) -> Chosen<T> {
        let unsent = self
            .branches
            .drain(..)
            .enumerate()
            .filter_map(|(guard, branch)| match branch {
                Branch::Send { message, .. } => Some((guard, message?)),
                _ => None,
            })
            .collect();
        self.keep();
        self.stage = Stage::Done;
        Chosen {
            guard,
            outcome,
            unsent,
        }
    }

    /// Looks at the claim, then at the clock: a delivery beats a simultaneous timeout.
    fn poll_waiting(
        &mut self,
        claim: &Claim,
        context: &mut Context<'_>,
    ) -> Option<(usize, Outcome<T>)> {
        claim.set_waker(context.waker());
        if claim.winner().is_none() {
            let elapsed = self.poll_sleeps(context)?;
            if claim.withdraw() {
                let served = self.leave();
                debug_assert!(served.is_none(), "one winner");
                return Some((elapsed, Outcome::Elapsed));
            }
        }
        let (guard, served) = self.leave()?;
        debug_assert_eq!(claim.winner(), Some(Winner::Guard(guard)));
        Some((guard, served.into()))
    }
}

impl<T: Payload> Future for AlternationFuture<'_, T> {
    type Output = Chosen<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Chosen<T>> {
        let this = &mut *self;
        if let Stage::Start = this.stage
            && let Some(chosen) = this.start(context.waker())
        {
            return Poll::Ready(this.chosen(chosen));
        }
        let claim = match &this.stage {
            Stage::Waiting(claim) => Arc::clone(claim),
            Stage::Start | Stage::Done => panic!("an alternation was polled after it was done"),
        };
        match this.poll_waiting(&claim, context) {
            Some(chosen) => Poll::Ready(this.chosen(chosen)),
            None => Poll::Pending,
        }
    }
}

impl<T: Payload> Drop for AlternationFuture<'_, T> {
    fn drop(&mut self) {
        self.give_up();
        self.keep();
    }
}

impl<T: Payload> AlternationFuture<'_, T> {
    /// Leaves all queues, if it is in them. A message that it was handed goes back.
    fn give_up(&mut self) {
        let Stage::Waiting(claim) = &self.stage else {
            return;
        };
        claim.withdraw();
        if let Some((guard, Served::Received(accepted))) = self.leave()
            && let Some(channel) = self.branches[guard].channel()
        {
            channel.with(|state, later| state.take_back(accepted, later));
        }
    }
}

impl<T: Payload> fmt::Debug for AlternationFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlternationFuture")
            .field("alternation", self.alternation)
            .field("guards", &self.branches.len())
            .finish_non_exhaustive()
    }
}
