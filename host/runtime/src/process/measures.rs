//! What is counted of a process for those who watch it.
//!
//! Only its own task writes, so that a count is a plain addition, on lines of the cache that no other
//! worker writes to. Whoever reads gets numbers that may be a moment old.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a process has done and holds, in this incarnation.
#[derive(Debug, Default)]
pub(crate) struct Measures {
    sent: AtomicU64,
    received: AtomicU64,
    /// Nanoseconds, sampled: see [`computed`](Self::computed).
    computed: AtomicU64,
    memory: AtomicU64,
}

impl Measures {
    /// Counts messages that were accepted from it. For its own task.
    #[inline]
    pub(crate) fn sends(&self, messages: usize) {
        add(&self.sent, messages as u64);
    }

    /// Counts messages that it was handed. For its own task.
    #[inline]
    pub(crate) fn receives(&self, messages: usize) {
        add(&self.received, messages as u64);
    }

    /// Adds the time of the ticks that fell into a poll of it. For its own task.
    #[inline]
    pub(super) fn computes(&self, nanoseconds: u64) {
        if nanoseconds > 0 {
            add(&self.computed, nanoseconds);
        }
    }

    /// Notes that it has so many bytes more of memories and tables. Two instances of it may live for
    /// a moment, while one replaces the other.
    pub(super) fn grows(&self, bytes: u64) {
        self.memory.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn shrinks(&self, bytes: u64) {
        self.memory.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// How long it has computed, in nanoseconds: the time between two ticks counts for those that
    /// compute at the second. Reading the processor's clock at each poll would cost more than many polls
    /// take; over a second or more the sample is as good.
    pub(crate) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    pub(crate) fn memory(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }
}

#[inline]
fn add(count: &AtomicU64, more: u64) {
    count.store(
        count.load(Ordering::Relaxed).wrapping_add(more),
        Ordering::Relaxed,
    );
}
