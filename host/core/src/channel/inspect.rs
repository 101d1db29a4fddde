//! A channel, or a barrier, as seen from outside: for reports, deadlock detection, and
//! shutting down.

use std::time::Instant;

use super::error::Poison;
use super::metrics::Moves;
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
#[non_exhaustive]
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
    /// That of processes that wait for a permit; the `senders` hold permits, which they will give back.
    Permit,
}

/// An operation that waits at a channel or a barrier, by itself or as a guard of an alternation.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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

impl WaitingOperation {
    /// An operation that waits without a deadline.
    #[must_use]
    pub fn new(holder: Holder, side: Side, ticket: u64, since: Instant) -> Self {
        WaitingOperation {
            holder,
            side,
            ticket,
            since,
            timed: false,
        }
    }

    /// The same operation, with a deadline or without.
    #[must_use]
    pub fn timed(self, timed: bool) -> Self {
        WaitingOperation { timed, ..self }
    }
}

/// The state of a channel or a barrier at one moment: consistent, but out of date as soon as it is
/// returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Messages that the channel can buffer.
    pub capacity: usize,
    /// Messages that it buffers.
    pub buffered: usize,
    /// Bytes of the messages that it buffers.
    pub bytes: usize,
    /// Messages that were ever handed to receivers.
    pub received: u64,
    /// Sends that wait, or that have ended without having been told: their messages may come back.
    pub offers: usize,
    /// The holder of each sender.
    pub senders: Vec<Holder>,
    /// The holder of each receiver; and the host, while it drops messages that nobody received.
    pub receivers: Vec<Holder>,
    /// At a barrier, the holders of the memberships that have not arrived. Those that have
    /// are in `waiting`.
    pub absent: Vec<Holder>,
    /// Who waits, senders first, each side in order. An alternation that has already
    /// communicated elsewhere is not listed.
    pub waiting: Vec<WaitingOperation>,
}

/// A channel without the type of its messages, or a barrier. Holding one does not keep the channel open,
/// nor is it a membership.
pub trait Inspect: Send + Sync {
    /// The channel.
    fn id(&self) -> ChannelId;

    /// The name it was given.
    fn label(&self) -> Option<Arc<str>>;

    /// Who holds its ends, and who waits.
    fn snapshot(&self) -> Snapshot;

    /// What it has seen so far.
    fn statistics(&self) -> Statistics;

    /// The messages with ends that entered it, or came back. None, for what carries no messages.
    #[doc(hidden)]
    fn moves(&self) -> Moves {
        Moves::default()
    }

    /// Poisons the channel, as its ends can. False if it was poisoned already.
    fn poison(&self, poison: Poison) -> bool;

    /// Why it was poisoned, if it was.
    fn poisoned(&self) -> Option<Poison>;

    /// Drops and counts what is buffered. Ends inside those messages are dropped, too, which breaks the
    /// cycle of a channel that holds its own end.
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
        let mut receivers = state.receivers.holders();
        if state.disposes() {
            receivers.push(Holder::Host);
        }
        Snapshot {
            capacity: self.capacity,
            buffered: state.buffer.len(),
            bytes: state.buffer.bytes(),
            received: state.received,
            offers: state.sending.len(),
            senders: state.senders.holders(),
            receivers,
            absent: Vec::new(),
            waiting: sending.chain(receiving).collect(),
        }
    }

    fn statistics(&self) -> Statistics {
        self.lock().statistics()
    }

    fn moves(&self) -> Moves {
        Shared::moves(self)
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
