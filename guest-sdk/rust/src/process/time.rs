//! The clock.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use crate::bindings::transputer::csp::process as raw;
use crate::channel::run_deferred;

/// A time on the network's clock, which never goes back.
///
/// For something periodic, add to the last deadline, not to the present:
///
/// ```no_run
/// use std::time::Duration;
/// use transputer_guest::{now, sleep_until};
///
/// let mut next = now();
/// for _ in 0..10 {
///     next += Duration::from_millis(100);
///     sleep_until(next);
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The time when the network started.
    pub const START: Instant = Instant(0);

    /// Nanoseconds since the network started.
    pub const fn nanoseconds(self) -> u64 {
        self.0
    }

    /// How long this is after `earlier`; nothing if it is before.
    pub const fn since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// How long ago this was; nothing if it is still to come.
    pub fn elapsed(self) -> Duration {
        now().since(self)
    }
}

/// Ends at the last instant that the clock can show, in 584 years.
impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Instant(self.0.saturating_add(nanoseconds))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.since(earlier)
    }
}

/// The time. In a seeded run, whose time is virtual, each call moves it on by a microsecond, so that a
/// loop until some time ends.
pub fn now() -> Instant {
    Instant(raw::now())
}

/// Blocks for this long.
pub fn sleep(duration: Duration) {
    sleep_until(now() + duration);
}

/// Blocks until this time; not at all if it has passed.
pub fn sleep_until(time: Instant) {
    run_deferred();
    raw::sleep_until(time.nanoseconds());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_does_not_wrap() {
        assert_eq!((Instant(5) + Duration::MAX).nanoseconds(), u64::MAX);
        assert_eq!(Instant(5) - Instant(7), Duration::ZERO);
        assert_eq!(Instant(7) - Instant(5), Duration::from_nanos(2));
    }
}
