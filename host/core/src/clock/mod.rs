//! Time as a scheduler's tasks see it: real, virtual, or moved by hand.
//!
//! A [`Clock`] owns the queue of its timers. Something else drives it: the scheduler's timekeeper
//! a real clock, the seeded scheduler and [`Clock::look`] a virtual one, and [`Clock::advance`] a manual
//! one.

pub(crate) mod coarse;
mod sleep;
mod time;
mod timers;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::{Duration, Instant};

pub use sleep::Sleep;
pub use time::Time;
use timers::Timers;

/// Tells the time and makes timers. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use transputer_core::clock::Clock;
///
/// let clock = Clock::manual();
/// let start = clock.now();
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now() - start, Duration::from_secs(5));
/// ```
#[derive(Clone)]
pub struct Clock {
    inner: Arc<Inner>,
}

struct Inner {
    source: Source,
    timers: Timers,
    /// Called when a timer is due before the one that the clock's driver waits for.
    alarm: OnceLock<Box<dyn Fn() + Send + Sync>>,
    stopped: AtomicBool,
}

enum Source {
    Real(Instant),
    /// Nanoseconds. Changed only under the lock of the timers, so that no timer slips through.
    Virtual(AtomicU64),
    Manual(AtomicU64),
}

impl Clock {
    /// A clock that stands still until [`advance`](Self::advance) moves it: for tests.
    #[must_use]
    pub fn manual() -> Self {
        Self::new(Source::Manual(AtomicU64::new(0)))
    }

    /// Follows the machine's monotonic time, from now.
    pub(crate) fn real() -> Self {
        Self::new(Source::Real(Instant::now()))
    }

    /// Stands still between [looks](Self::look), until the scheduler calls [`jump`](Self::jump).
    pub(crate) fn virtual_time() -> Self {
        Self::new(Source::Virtual(AtomicU64::new(0)))
    }

    fn new(source: Source) -> Self {
        Self {
            inner: Arc::new(Inner {
                source,
                timers: Timers::default(),
                alarm: OnceLock::new(),
                stopped: AtomicBool::new(false),
            }),
        }
    }

    /// The time since this clock started. Never goes back, never blocks.
    #[must_use]
    pub fn now(&self) -> Time {
        match &self.inner.source {
            Source::Real(start) => Time::ZERO + start.elapsed(),
            Source::Virtual(now) | Source::Manual(now) => {
                Time::from_nanos(now.load(Ordering::Acquire))
            }
        }
    }

    /// What a [`look`](Self::look) at a virtual clock costs: a microsecond.
    pub const LOOK: Duration = Duration::from_micros(1);

    /// The time, for a program that may wait for it by looking again and again. A look moves a
    /// virtual clock on by [`LOOK`](Self::LOOK) first, and wakes every sleep that is due then, so that
    /// a loop until some time ends; as everything in virtual time, after the same number of looks
    /// each time. On other clocks it is the same as [`now`](Self::now).
    ///
    /// ```
    /// use std::time::Duration;
    /// use transputer_core::Clock;
    /// use transputer_core::scheduler::{Mode, Scheduler, SchedulerOptions};
    ///
    /// let scheduler = Scheduler::new(SchedulerOptions::new(Mode::Seeded { seed: 1 }))?;
    /// let clock = scheduler.clock();
    /// let end = clock.now() + 3 * Clock::LOOK;
    /// let looks = std::iter::repeat_with(|| clock.look()).take_while(|time| *time < end);
    /// assert_eq!(looks.count(), 2);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn look(&self) -> Time {
        let Source::Virtual(now) = &self.inner.source else {
            return self.now();
        };
        let mut time = Time::ZERO;
        let due = self.inner.timers.due_after(|| {
            time = Time::from_nanos(now.load(Ordering::Acquire)) + Self::LOOK;
            now.store(time.as_nanos(), Ordering::Release);
            time
        });
        due.into_iter().for_each(Waker::wake);
        time
    }

    /// Waits until this clock shows `deadline` or later; at once if it does already.
    ///
    /// A loop that adds its period to the last deadline, instead of calling
    /// [`sleep`](Self::sleep), doesn't drift. A deadline of [`Time::MAX`] never comes.
    #[must_use = "a sleep waits only while it is polled"]
    pub fn sleep_until(&self, deadline: Time) -> Sleep {
        Sleep::new(self.clone(), deadline)
    }

    /// Waits for `duration`, counted from now. A duration that is too long for the clock never ends.
    #[must_use = "a sleep waits only while it is polled"]
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now() + duration)
    }

    /// Moves a manual clock forward and wakes every sleep that is due, earliest first.
    ///
    /// Returns `false`, and does nothing, on a scheduler's clock: that one moves by itself.
    pub fn advance(&self, by: Duration) -> bool {
        let Source::Manual(now) = &self.inner.source else {
            return false;
        };
        let due = self.inner.timers.due_after(|| {
            let later = Time::from_nanos(now.load(Ordering::Acquire)) + by;
            now.store(later.as_nanos(), Ordering::Release);
            later
        });
        due.into_iter().for_each(Waker::wake);
        true
    }

    /// How many sleeps wait for this clock.
    #[must_use]
    pub fn timers_pending(&self) -> usize {
        self.inner.timers.len()
    }

    /// Sets what to call when a timer comes before the driver's next look. Only the first counts.
    pub(crate) fn set_alarm(&self, alarm: impl Fn() + Send + Sync + 'static) {
        // A second driver would be a fault in the scheduler, and the first one still works.
        let first = self.inner.alarm.set(Box::new(alarm)).is_ok();
        debug_assert!(first, "a clock has one driver");
    }

    /// Wakes the sleeps that are due, and returns when the next one is. The driver has to look again by
    /// then; the alarm tells it about earlier ones.
    pub(crate) fn fire_due(&self) -> Option<Time> {
        let (due, next) = self.inner.timers.due_at(self.now());
        due.into_iter().for_each(Waker::wake);
        next
    }

    /// Moves a virtual clock to its next deadline, and returns the sleeps that are due then, for the
    /// caller to wake. Empty if no timer is left; then the alarm will tell about the next one.
    pub(crate) fn jump(&self) -> Vec<Waker> {
        let Source::Virtual(now) = &self.inner.source else {
            return Vec::new();
        };
        self.inner.timers.due_next(|deadline| {
            now.fetch_max(deadline.as_nanos(), Ordering::AcqRel);
        })
    }

    /// The driver leaves: every sleep ends now, since nobody would wake it later.
    pub(crate) fn stop(&self) {
        self.inner.stopped.store(true, Ordering::SeqCst);
        let left = self.inner.timers.due_after(|| Time::MAX);
        left.into_iter().for_each(Waker::wake);
    }

    fn ring(&self) {
        if let Some(alarm) = self.inner.alarm.get() {
            alarm();
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.inner.source {
            Source::Real(_) => "real",
            Source::Virtual(_) => "virtual",
            Source::Manual(_) => "manual",
        };
        f.debug_struct("Clock")
            .field("kind", &kind)
            .field("now", &self.now())
            .field("timers_pending", &self.timers_pending())
            .finish()
    }
}
