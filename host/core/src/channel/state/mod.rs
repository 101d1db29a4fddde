//! What a channel's lock protects, and every step that is taken under it.
//!
//! Invariants, whenever the lock is free ("live" as in `waiting`):
//! - No live receiver waits while a message is buffered.
//! - A live sender waits only while its message does not fit, or another is before it.
//! - A live sender and a live receiver wait together only if both are guards of one
//!   alternation, which cannot serve itself.
//! - A poisoned channel buffers nothing, unless it delivers that first, and nobody live waits at it. Nobody live
//!   waits to send where no receiver is left, or to receive where no sender is left.
//! - `sent == received + dropped + buffer.len()`: every accepted message is in one place.
//!
//! A message is handed over as a value: whoever serves a waiter moves the message into
//! or out of the waiter's entry in the same critical section. Nobody is woken to retry.

mod receiving;
mod sending;

use std::mem;
use std::task::Waker;

pub(crate) use crate::channel::buffer::Accepted;
use crate::channel::buffer::Buffer;
use crate::channel::deferred::Deferred;
use crate::channel::disposal::{Disposals, Leftover};
use crate::channel::ends::{EndKey, Ends};
use crate::channel::error::{Poison, ReceiveError, SendError};
use crate::channel::inspect::Statistics;
use crate::channel::options::{KeepAlive, Options, Overflow, Payload};
use crate::channel::wait_queue::{Entry, Queue, Ticket, Waiter};

/// What a waiting sender offers, and what became of it.
pub(crate) enum Offer<T> {
    Waiting { message: T, size: usize },
    Sent,
    Refused(SendError<T>),
}

/// What became of a waiting receiver's wish.
pub(crate) enum Wish<T> {
    Waiting,
    Received(Accepted<T>),
    Refused(ReceiveError),
}

/// An operation that is about to wait.
pub(crate) struct Parking {
    pub(crate) waiter: Waiter,
    pub(crate) end: EndKey,
    pub(crate) timed: bool,
}

pub(crate) struct State<T: Payload> {
    pub(crate) capacity: usize,
    overflow: Overflow,
    max_waiting: usize,
    max_bytes: usize,
    delivers_before_poison: bool,
    pub(crate) poison: Option<Poison>,
    pub(crate) senders: Ends,
    pub(crate) receivers: Ends,
    pub(crate) buffer: Buffer<T>,
    /// Messages that the only receiver has taken ahead of need. They fill their places
    /// until it receives again.
    prefetched: usize,
    pub(crate) sending: Queue<Offer<T>>,
    pub(crate) receiving: Queue<Wish<T>>,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) dropped: u64,
    tickets: u64,
    disposals: Disposals,
    /// As long as the channel has an end, whoever else holds the channel.
    keep_alive: Option<KeepAlive>,
}

impl<T: Payload> State<T> {
    /// Takes what is to be kept alive out of the options.
    pub(crate) fn new(options: &mut Options) -> Self {
        State {
            capacity: options.capacity,
            overflow: options.overflow,
            max_waiting: options.max_waiting,
            max_bytes: options.max_bytes,
            delivers_before_poison: options.delivers_before_poison,
            poison: None,
            senders: Ends::default(),
            receivers: Ends::default(),
            buffer: Buffer::new(),
            prefetched: 0,
            sending: Queue::new(),
            receiving: Queue::new(),
            sent: 0,
            received: 0,
            dropped: 0,
            tickets: 0,
            disposals: Disposals::default(),
            keep_alive: options.keep_alive.take(),
        }
    }

    /// The last sender is gone: whoever waits to receive waits in vain.
    pub(crate) fn close_receiving(&mut self, later: &mut Deferred<T>) {
        debug_assert!(self.senders.is_empty());
        self.refuse_receivers(&ReceiveError::Closed, later);
    }

    /// The last receiver is gone: what is buffered will never be read.
    pub(crate) fn close_sending(&mut self, later: &mut Deferred<T>) {
        debug_assert!(self.receivers.is_empty());
        self.drop_buffer(later);
        self.refuse_senders(SendError::Closed, later);
    }

    /// What is to be dropped after unlocking, now that an end has gone: what was kept alive, if it
    /// was the last.
    pub(crate) fn let_go(&mut self) -> Option<KeepAlive> {
        let has_ends = !self.senders.is_empty() || !self.receivers.is_empty();
        if has_ends {
            None
        } else {
            self.keep_alive.take()
        }
    }

    /// Ends the channel: at once, or for receivers behind what is buffered. False if it was
    /// poisoned already.
    pub(crate) fn poison(&mut self, poison: Poison, later: &mut Deferred<T>) -> bool {
        if self.poison.is_some() {
            return false;
        }
        self.poison = Some(poison.clone());
        if !self.delivers_before_poison {
            self.drop_buffer(later);
        }
        let refused = |message| SendError::Poisoned(message, poison.clone());
        self.refuse_senders(refused, later);
        self.refuse_receivers(&ReceiveError::Poisoned(poison), later);
        true
    }

    /// The poison, once nothing is left to be received before it.
    #[inline]
    pub(crate) fn poison_for_receivers(&self) -> Option<&Poison> {
        self.poison.as_ref().filter(|_| self.buffer.is_empty())
    }

    /// Drops what is buffered; senders who waited for room come next.
    pub(crate) fn discard(&mut self, later: &mut Deferred<T>) {
        self.drop_buffer(later);
        self.admit_waiting(later);
    }

    fn drop_buffer(&mut self, later: &mut Deferred<T>) {
        self.drop_oldest(later);
        if self.buffer.is_empty() {
            self.buffer.shrink();
            return;
        }
        let buffer = mem::replace(&mut self.buffer, Buffer::new());
        self.dropped += buffer.len() as u64;
        later.drop_remains(Box::new(Leftover {
            buffer,
            poison: self.poison.clone(),
            _counted: self.disposals.begin(),
        }));
    }

    fn refuse_senders(&mut self, refused: impl Fn(T) -> SendError<T>, later: &mut Deferred<T>) {
        while let Some(key) = self.sending.claim_first() {
            let (message, _) = self.take_offer(key, later);
            self.sending.entry_mut(key).content = Offer::Refused(refused(message));
        }
    }

    fn refuse_receivers(&mut self, error: &ReceiveError, later: &mut Deferred<T>) {
        while let Some(key) = self.receiving.claim_first() {
            let (_, waker) = self.receiving.settle(key, Wish::Refused(error.clone()));
            later.wake(waker);
        }
    }

    /// Whether messages that it had are still being dropped.
    pub(crate) fn disposes(&self) -> bool {
        self.disposals.under_way()
    }

    pub(crate) fn statistics(&self) -> Statistics {
        Statistics {
            sent: self.sent,
            received: self.received,
            dropped: self.dropped,
            waiting: self.buffer.len(),
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket::new(self.tickets)
    }

    /// Asserts the invariants that can be seen from the heads of the queues.
    pub(crate) fn check(&self) {
        if cfg!(any(debug_assertions, loom)) {
            assert_eq!(
                self.sent,
                self.received + self.dropped + self.buffer.len() as u64,
                "a message is lost or doubled"
            );
            self.buffer.check();
            assert!(
                self.prefetched <= self.capacity / 2,
                "half the places are the senders'"
            );
            let receiver = self.receiving.live().next().is_some();
            let sender = self.sending.live().next().is_some();
            assert!(self.buffer.is_empty() || !receiver, "a receiver starves");
            assert!(!self.senders.is_empty() || !receiver, "waits for nobody");
            if self.poison.is_some() {
                assert!(
                    self.buffer.is_empty() || self.delivers_before_poison,
                    "poison empties the buffer"
                );
                assert!(!receiver, "poison wakes receivers");
                assert!(!sender, "poison wakes senders");
            }
            if self.receivers.is_empty() {
                assert!(!sender, "waits for nobody");
            }
        }
    }
}

impl Parking {
    fn entry<C>(self, ticket: Ticket, content: C) -> Entry<C> {
        Entry {
            waiter: self.waiter,
            end: self.end,
            ticket,
            timed: self.timed,
            content,
        }
    }
}

fn renew<T>(waiter: &mut Waiter, waker: &Waker, later: &mut Deferred<T>) {
    if let Waiter::Operation(stored) = waiter
        && !stored.as_ref().is_some_and(|old| old.will_wake(waker))
    {
        later.drop_waker(stored.replace(waker.clone()));
    }
}
