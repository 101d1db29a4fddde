//! Waiting: a thread is parked, and now and then looks for a deadlock.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::state::{Killed, Process, clock, current};
use super::{channel::Patience, deadlock};
use transputer_core::{Sleep, Time};

/// How long a thread waits before it looks for a deadlock, the first time and at most.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LAST_LOOK: Duration = Duration::from_secs(1);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// A thread that waits.
struct Parking {
    process: Arc<Process>,
    pause: Duration,
}

impl Parking {
    fn new() -> Self {
        Self {
            process: current(),
            pause: FIRST_LOOK,
        }
    }

    /// Ends this thread's process here if it was killed.
    fn check_killed(&self) {
        if !thread::panicking() && self.process.killed().is_some() {
            resume_unwind(Box::new(Killed));
        }
    }

    /// Parks until somebody unparks the thread, for so long at most; or not even that.
    fn park(&mut self, at_most: Duration) {
        let began = Instant::now();
        thread::park_timeout(self.pause.min(at_most));
        if began.elapsed() >= self.pause {
            deadlock::look();
            self.pause = LAST_LOOK.min(self.pause * 2);
        }
    }
}

/// Runs `future` on this thread, which is parked while the future waits.
pub(super) fn wait<F: Future + Unpin>(mut future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut parking = Parking::new();
    loop {
        parking.check_killed();
        match Pin::new(&mut future).poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => parking.park(Duration::MAX),
        }
    }
}

/// Parks this thread until `done` gives something, or until the deadline. Whoever makes a difference to `done`
/// unparks it.
pub(super) fn until<R>(deadline: Option<u64>, mut done: impl FnMut() -> Option<R>) -> Option<R> {
    let mut parking = Parking::new();
    loop {
        parking.check_killed();
        if let Some(result) = done() {
            return Some(result);
        }
        match deadline.map(|deadline| deadline.saturating_sub(now())) {
            Some(0) => return None,
            Some(left) => parking.park(Duration::from_nanos(left)),
            None => parking.park(Duration::MAX),
        }
    }
}

/// Nanoseconds on the clock of all processes.
pub(super) fn now() -> u64 {
    clock().now().as_nanos()
}

/// A sleep until this time.
pub(super) fn sleep_until(nanoseconds: u64) -> Sleep {
    clock().sleep_until(Time::from_nanos(nanoseconds))
}

/// The deadline of an operation, if it has one: that of one that must not wait is over already.
pub(super) fn deadline(patience: Patience) -> Option<u64> {
    match patience {
        Patience::Forever => None,
        Patience::Until(deadline) => Some(deadline),
        Patience::Never => Some(0),
    }
}
