//! Numbers about many channels: how many there are, and the statistics of those that are gone.

use std::any::Any;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sync;

/// Counts the living channels and ends, of all channels that are opened with it
/// ([`Options::live_count`](super::Options::live_count)).
///
/// The counts are exact when nobody is opening, cloning or dropping ends; otherwise they may be out of
/// date.
#[derive(Debug, Default)]
#[doc(hidden)]
pub struct LiveCount {
    channels: AtomicU64,
    ends: AtomicU64,
}

impl LiveCount {
    /// Channels that have an end, or that an operation in progress still needs.
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

/// Messages with ends that have begun to enter a channel, or to come back from it, and those that
/// have ended doing so.
///
/// An end's holder is changed apart from the step of its message, so that for a moment it may seem
/// to be where it is not. A look at several channels can be trusted if nothing moved from before it
/// until after it: [`are_still_since`](Self::are_still_since).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[doc(hidden)]
#[non_exhaustive]
pub struct Moves {
    /// Never more than have begun.
    pub ended: u64,
    /// At a moment not before that of `ended`.
    pub begun: u64,
}

impl Moves {
    /// Whether nothing has moved from before `earlier` was read until this was.
    #[must_use]
    pub fn are_still_since(&self, earlier: &Self) -> bool {
        earlier.ended == earlier.begun && earlier.begun == self.begun
    }
}

/// Counts the moves of one channel.
#[derive(Debug, Default)]
pub(super) struct MoveCount {
    begun: sync::AtomicU64,
    ended: sync::AtomicU64,
}

impl MoveCount {
    pub(super) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn end(&self) {
        self.ended.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn look(&self) -> Moves {
        let ended = self.ended.load(Ordering::SeqCst);
        let begun = self.begun.load(Ordering::SeqCst);
        Moves { ended, begun }
    }
}

/// The summed statistics of channels that are gone, and who is told of dropped messages.
#[derive(Default)]
pub struct Totals {
    /// Messages accepted from senders.
    pub sent: AtomicU64,
    /// Messages dropped; see [`Statistics::dropped`](crate::Statistics::dropped).
    pub dropped: AtomicU64,
    moves: AtomicU64,
    on_drop: OnceLock<OnDrop>,
}

/// Gets the label of a channel and a message of it.
type OnDrop = Box<dyn Fn(Option<&str>, &dyn Any) + Send + Sync>;

impl Totals {
    /// Calls `listener` with every message that a channel of these totals drops after accepting it, and
    /// with the channel's label. Whoever caused the drop calls it, with no lock held, just before the
    /// message is gone. False, without effect, if there is a listener already.
    pub fn on_drop(
        &self,
        listener: impl Fn(Option<&str>, &dyn Any) + Send + Sync + 'static,
    ) -> bool {
        self.on_drop.set(Box::new(listener)).is_ok()
    }

    /// How often a message with ends has begun to enter a channel of these totals, or to come back
    /// from one ([`Sender::moving_ends`](super::Sender::moving_ends)).
    #[doc(hidden)]
    pub fn moves(&self) -> u64 {
        self.moves.load(Ordering::Acquire)
    }

    pub(super) fn count_move(&self) {
        self.moves.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether anybody wants to see what is dropped.
    pub(crate) fn is_listened_to(&self) -> bool {
        self.on_drop.get().is_some()
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
