use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::timers::Key;
use super::{Clock, Time};

/// Waits for a moment of a clock. Made by [`Clock::sleep_until`] and [`Clock::sleep`].
///
/// # Cancel safety
///
/// Dropping it takes the timer out of the clock's queue at once, so that a loop of cancelled
/// sleeps holds no memory. Polling it again after it has ended is allowed, and ready.
#[must_use = "a sleep waits only while it is polled"]
pub struct Sleep {
    clock: Clock,
    deadline: Time,
    /// Its place in the clock's queue, once it has been polled. The clock may have taken it out.
    key: Option<Key>,
}

impl Sleep {
    pub(super) fn new(clock: Clock, deadline: Time) -> Self {
        Self {
            clock,
            deadline,
            key: None,
        }
    }

    /// The moment that it waits for.
    #[must_use]
    pub fn deadline(&self) -> Time {
        self.deadline
    }

    /// Whether that moment has come, without waiting, or the clock's scheduler has shut down.
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        self.deadline != Time::MAX
            && (self.clock.now() >= self.deadline
                || self.clock.inner.stopped.load(Ordering::SeqCst))
    }

    fn cancel(&mut self) {
        if let Some(key) = self.key.take() {
            // The waker that comes back is dropped here, outside the queue's lock.
            drop(self.clock.inner.timers.remove(key));
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.is_elapsed() {
            this.cancel();
            return Poll::Ready(());
        }
        if this.deadline == Time::MAX {
            return Poll::Pending;
        }
        let timers = &this.clock.inner.timers;
        let added = timers.set(this.key, this.deadline, context.waker());
        this.key = Some(added.key);
        if added.earliest {
            this.clock.ring();
        }
        // The clock may have been moved since the first look, before the timer was in the queue.
        if this.is_elapsed() {
            this.cancel();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
