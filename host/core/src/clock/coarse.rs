//! A time that costs one load to read, for noting when something began that may never matter.
//!
//! Timekeepers move it on at each tick, and workers when they find something to do again; so
//! while anything runs it is at most some ticks behind.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
static MILLISECONDS: AtomicU64 = AtomicU64::new(0);

/// A moment, to within some ticks.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment(u64);

impl Moment {
    #[inline]
    pub(crate) fn now() -> Self {
        Self(MILLISECONDS.load(Ordering::Relaxed))
    }

    pub(crate) fn instant(self) -> Instant {
        *START + Duration::from_millis(self.0)
    }
}

/// Moves the time on.
pub(crate) fn refresh() {
    let passed = u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX);
    MILLISECONDS.fetch_max(passed, Ordering::Relaxed);
}
