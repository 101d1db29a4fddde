//! A channel, or a barrier, as seen from outside: for reports, deadlock detection, and
//! shutting down.

use std::time::Instant;

use super::error::Poison;
use super::options::Payload;
use super::shared::Shared;
use super::wait_queue::Entry;
use crate::ids::ChannelId;
use crate::ids::Holder;
use crate::sync::Arc;

/// What a channel has seen so far.
///
/// `sent` is always the sum of `received`, `dropped` and `waiting`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Statistics {
    /// Messages accepted from senders.
    pub sent: u64,
    /// Messages handed to receivers.
    pub received: u64,
    /// Messages dropped by the overflow policy, by poison, or because the last receiver
    /// went away before they were read.
    pub dropped: u64,
    /// Messages that wait in the channel now.
    pub waiting: usize,
}

/// A side of a channel, or the only one of a barrier.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The senders'.
    Send,
    /// The receivers'.
    Receive,
    /// The members' of a barrier.
    Sync,
    /// Those who wait for a permit to run; the `senders` hold permits, which they give back.
    Permit,
}

/// An operation that waits at a channel or a barrier, by itself or as a guard of an alternation.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct WaitingOperation {
    /// Who holds the end, or the membership.
    pub holder: Holder,
    /// What it waits to do.
    pub side: Side,
    /// Unique among the waits at this channel, so that two snapshots can tell whether they
    /// see the same wait.
    pub ticket: u64,
    /// When the wait began, to within some ticks of a scheduler.
    pub since: Instant,
    /// The wait has a deadline: it ends even if nobody comes.
    pub timed: bool,
}

/// The state of a channel or a barrier at one moment: consistent, and out of date as soon as it is
/// returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Messages that the channel can buffer.
    pub capacity: usize,
    /// Messages that it buffers.
    pub buffered: usize,
    /// Bytes of the messages that it buffers.
    pub bytes: usize,
    /// Messages that were ever handed to receivers.
    pub received: u64,
    /// Sends that wait, or have ended and been told nothing yet: their messages may come back.
    pub offers: usize,
    /// The holder of each sender.
    pub senders: Vec<Holder>,
    /// The holder of each receiver.
    pub receivers: Vec<Holder>,
    /// At a barrier, the holders of the memberships that have not arrived. Those that have
    /// are in `waiting`.
    pub absent: Vec<Holder>,
    /// Who waits, senders first, each side in order. An alternation that has already
    /// communicated elsewhere is not listed.
    pub waiting: Vec<WaitingOperation>,
}

/// A channel without the type of its messages, or a barrier. Holding it keeps no end
/// open, and no membership.
pub trait Inspect: Send + Sync {
    /// The channel.
    fn id(&self) -> ChannelId;

    /// The name it was given.
    fn label(&self) -> Option<Arc<str>>;

    /// Who holds its ends, and who waits.
    fn snapshot(&self) -> Snapshot;

    /// What it has seen so far.
    fn statistics(&self) -> Statistics;

    /// Poisons the channel, as its ends can; false if it was poisoned already.
    fn poison(&self, poison: Poison) -> bool;

    /// Why it was poisoned, if it was.
    fn poisoned(&self) -> Option<Poison>;

    /// Drops what is buffered, counting it. Ends inside those messages are dropped
    /// too, which opens the cycle of a channel that holds its own end.
    fn discard(&self);
}

impl<T: Payload> Inspect for Shared<T> {
    fn id(&self) -> ChannelId {
        self.id
    }

    fn label(&self) -> Option<Arc<str>> {
        self.label.clone()
    }

    fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        let sending = state
            .sending
            .live()
            .map(|entry| waiting(entry, Side::Send, state.senders.holder(entry.end)));
        let receiving = state
            .receiving
            .live()
            .map(|entry| waiting(entry, Side::Receive, state.receivers.holder(entry.end)));
        Snapshot {
            capacity: self.capacity,
            buffered: state.buffer.len(),
            bytes: state.buffer.bytes(),
            received: state.received,
            offers: state.sending.len(),
            senders: state.senders.holders(),
            receivers: state.receivers.holders(),
            absent: Vec::new(),
            waiting: sending.chain(receiving).collect(),
        }
    }

    fn statistics(&self) -> Statistics {
        self.lock().statistics()
    }

    fn poison(&self, poison: Poison) -> bool {
        self.with(|state, later| state.poison(poison, later))
    }

    fn poisoned(&self) -> Option<Poison> {
        self.lock().poison.clone()
    }

    fn discard(&self) {
        self.with(|state, later| state.discard(later));
    }
}

fn waiting<C>(entry: &Entry<C>, side: Side, holder: Holder) -> WaitingOperation {
    WaitingOperation {
        holder,
        side,
        ticket: entry.ticket.number,
        since: entry.ticket.since.instant(),
        timed: entry.timed,
    }
}
