//! Numbers about many channels: how many live, and what those that are gone have seen.

use std::any::Any;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the channels and ends that live, of all channels that are opened with it
/// ([`Options::live_count`](super::Options::live_count)).
///
/// The counts are exact once nobody opens, clones or drops ends any more; until then a look may be
/// out of date.
#[derive(Debug, Default)]
pub struct LiveCount {
    channels: AtomicU64,
    ends: AtomicU64,
}

impl LiveCount {
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

/// What channels that are gone have seen, added up; and who is told of dropped messages.
#[derive(Default)]
pub struct Totals {
    /// Messages accepted from senders.
    pub sent: AtomicU64,
    /// Messages dropped; see [`Statistics::dropped`](crate::Statistics::dropped).
    pub dropped: AtomicU64,
    on_drop: OnceLock<OnDrop>,
}

/// Is told the label of a channel and a message of it.
type OnDrop = Box<dyn Fn(Option<&str>, &dyn Any) + Send + Sync>;

impl Totals {
    /// Has `listener` told of every message that a channel of these totals drops after accepting
    /// it, with the channel's label. It is called by whoever caused the drop, with no lock held,
    /// just before the message goes. False if there is a listener already, which stays.
    pub fn on_drop(
        &self,
        listener: impl Fn(Option<&str>, &dyn Any) + Send + Sync + 'static,
    ) -> bool {
        self.on_drop.set(Box::new(listener)).is_ok()
    }

    pub(crate) fn dropping(&self, label: Option<&str>, message: &dyn Any) {
        if let Some(listener) = self.on_drop.get() {
            listener(label, message);
        }
    }
}

impl fmt::Debug for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Totals")
            .field("sent", &self.sent)
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}
