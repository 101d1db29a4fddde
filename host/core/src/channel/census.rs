//! How many channels and ends there are.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the channels and ends that live, of all channels that are opened with it
/// ([`Options::census`](super::Options::census)).
///
/// The counts are exact once nobody opens, clones or drops ends any more; until then a look may be
/// out of date.
#[derive(Debug, Default)]
pub struct Census {
    channels: AtomicU64,
    ends: AtomicU64,
}

impl Census {
    /// Channels that have an end, or that an operation under way still needs.
    pub fn channels(&self) -> u64 {
        self.channels.load(Ordering::Acquire)
    }

    /// Ends, those inside undelivered messages included.
    pub fn ends(&self) -> u64 {
        self.ends.load(Ordering::Acquire)
    }

    pub(super) fn opened(&self) {
        self.channels.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn freed(&self) {
        self.channels.fetch_sub(1, Ordering::Release);
    }

    pub(super) fn end_added(&self) {
        self.ends.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end_dropped(&self) {
        self.ends.fetch_sub(1, Ordering::Release);
    }
}
