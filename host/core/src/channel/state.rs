//! What a channel's lock protects, and every step that is taken under it.
//!
//! Invariants, whenever the lock is free ("live" as in `waiting`):
//! - No live receiver waits while a message is buffered.
//! - A live sender waits only while its message does not fit, or another is before it.
//! - A live sender and a live receiver wait together only if both are guards of one
//!   alternation, which cannot serve itself.
//! - A poisoned channel buffers nothing, and nobody live waits at it. Nobody live
//!   waits to send where no receiver is left, or to receive where no sender is left.
//! - `sent == received + dropped + buffer.len()`: every accepted message is in one place.
//!
//! A message is handed over as a value: whoever serves a waiter moves the message into
//! or out of the waiter's entry in the same critical section. Nobody is woken to retry.

use std::collections::VecDeque;
use std::task::Waker;

use super::deferred::Deferred;
use super::ends::{EndKey, Ends};
use super::error::{ChannelError, Poison, SendError};
use super::options::{Options, Overflow};
use super::probe::Statistics;
use super::waiting::{Entry, Key, Queue, Waiter};

/// A message that the channel has accepted.
pub(crate) struct Accepted<T> {
    /// Its place in the order of acceptance.
    pub(crate) number: u64,
    pub(crate) size: usize,
    pub(crate) message: T,
}

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
    Refused(ChannelError),
}

/// An operation that is about to wait.
pub(crate) struct Parking {
    pub(crate) waiter: Waiter,
    pub(crate) end: EndKey,
    pub(crate) timed: bool,
}

pub(crate) struct State<T> {
    pub(crate) capacity: usize,
    overflow: Overflow,
    max_waiting: usize,
    max_bytes: usize,
    pub(crate) poison: Option<Poison>,
    pub(crate) senders: Ends,
    pub(crate) receivers: Ends,
    pub(crate) buffer: VecDeque<Accepted<T>>,
    bytes: usize,
    pub(crate) sending: Queue<Offer<T>>,
    pub(crate) receiving: Queue<Wish<T>>,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) dropped: u64,
    tickets: u64,
}

impl<T> State<T> {
    pub(crate) fn new(options: &Options) -> Self {
        State {
            capacity: options.capacity,
            overflow: options.overflow,
            max_waiting: options.max_waiting,
            max_bytes: options.max_bytes,
            poison: None,
            senders: Ends::default(),
            receivers: Ends::default(),
            buffer: VecDeque::new(),
            bytes: 0,
            sending: Queue::new(),
            receiving: Queue::new(),
            sent: 0,
            received: 0,
            dropped: 0,
            tickets: 0,
        }
    }

    // ---- Sending

    /// Sends without waiting, or fails with `WouldBlock`.
    pub(crate) fn try_send(
        &mut self,
        message: T,
        size: usize,
        later: &mut Deferred<T>,
    ) -> Result<(), SendError<T>> {
        if let Some(error) = self.send_error(size) {
            return Err(SendError { message, error });
        }
        if let Some(receiver) = self.receiving.claim_first() {
            let accepted = self.accept(message, size);
            self.hand_over(receiver, accepted, later);
            return Ok(());
        }
        self.admit_waiting(later);
        if self.has_room_for_new(size) {
            self.push(message, size);
            return Ok(());
        }
        match self.effective_overflow() {
            Overflow::Block => Err(SendError {
                message,
                error: ChannelError::WouldBlock,
            }),
            Overflow::DropNewest => {
                self.sent += 1;
                self.dropped += 1;
                later.drop_message(message);
                Ok(())
            }
            Overflow::DropOldest => {
                while !self.fits(size) {
                    self.drop_oldest(later);
                }
                self.push(message, size);
                Ok(())
            }
        }
    }

    /// Whether `try_send` would not answer `WouldBlock`.
    pub(crate) fn send_is_ready(&mut self, size: usize) -> bool {
        self.send_error(size).is_some()
            || self.receiving.first_live().is_some()
            || self.effective_overflow() != Overflow::Block
            || self.has_room_for_new(size)
    }

    /// Queues a send that `try_send` could not finish.
    pub(crate) fn park_send(
        &mut self,
        parking: Parking,
        message: T,
        size: usize,
    ) -> Result<Key, SendError<T>> {
        if self.sending.len() >= self.max_waiting {
            let error = ChannelError::Overloaded {
                limit: self.max_waiting,
            };
            return Err(SendError { message, error });
        }
        let content = Offer::Waiting { message, size };
        let ticket = self.ticket();
        Ok(self.sending.enter(parking.entry(ticket, content)))
    }

    /// The outcome of a waiting send, or nothing, with the waker to use from now on.
    pub(crate) fn poll_send(
        &mut self,
        key: Key,
        waker: &Waker,
        later: &mut Deferred<T>,
    ) -> Option<Result<(), SendError<T>>> {
        if let Offer::Waiting { .. } = self.sending.entry(key).content {
            renew(&mut self.sending.entry_mut(key).waiter, waker, later);
            return None;
        }
        match self.withdraw_send(key, later) {
            Offer::Sent => Some(Ok(())),
            Offer::Refused(refused) => Some(Err(refused)),
            Offer::Waiting { .. } => None,
        }
    }

    /// Takes a send out of the queue, whatever became of it.
    pub(crate) fn withdraw_send(&mut self, key: Key, later: &mut Deferred<T>) -> Offer<T> {
        let mut entry = self.sending.remove(key);
        later.drop_waker(entry.waiter.forget_waker());
        // It may have kept smaller messages behind it from entering.
        self.admit_waiting(later);
        entry.content
    }

    fn send_error(&self, size: usize) -> Option<ChannelError> {
        if let Some(poison) = &self.poison {
            return Some(ChannelError::Poisoned(poison.clone()));
        }
        if self.receivers.is_empty() {
            return Some(ChannelError::Closed);
        }
        (size > self.max_bytes).then_some(ChannelError::TooLarge {
            size,
            limit: self.max_bytes,
        })
    }

    fn effective_overflow(&self) -> Overflow {
        match self.capacity {
            0 => Overflow::Block,
            _ => self.overflow,
        }
    }

    fn fits(&self, size: usize) -> bool {
        self.buffer.len() < self.capacity && self.bytes.saturating_add(size) <= self.max_bytes
    }

    /// Whether a message fits, and passes nobody who waits.
    fn has_room_for_new(&mut self, size: usize) -> bool {
        self.fits(size) && self.sending.first_live().is_none()
    }

    /// Moves the messages of waiting senders into the buffer while they fit.
    fn admit_waiting(&mut self, later: &mut Deferred<T>) {
        while self.buffer.len() < self.capacity
            && let Some(key) = self.sending.first_live()
        {
            let Offer::Waiting { size, .. } = self.sending.entry(key).content else {
                unreachable!("who waits in the queue is not settled");
            };
            if !self.fits(size) {
                break;
            }
            if self.sending.claim(key) {
                let (message, size) = self.take_offer(key, later);
                self.push(message, size);
            }
        }
    }

    /// Settles a claimed sender as sent, and takes its message.
    fn take_offer(&mut self, key: Key, later: &mut Deferred<T>) -> (T, usize) {
        let (offer, waker) = self.sending.settle(key, Offer::Sent);
        later.wake(waker);
        match offer {
            Offer::Waiting { message, size } => (message, size),
            Offer::Sent | Offer::Refused(_) => unreachable!("a sender is settled once"),
        }
    }

    fn accept(&mut self, message: T, size: usize) -> Accepted<T> {
        let number = self.sent;
        self.sent += 1;
        Accepted {
            number,
            size,
            message,
        }
    }

    fn push(&mut self, message: T, size: usize) {
        let accepted = self.accept(message, size);
        self.bytes = self.bytes.saturating_add(size);
        self.buffer.push_back(accepted);
    }

    fn drop_oldest(&mut self, later: &mut Deferred<T>) {
        if let Some(oldest) = self.pop() {
            self.dropped += 1;
            later.drop_message(oldest.message);
        }
    }

    fn pop(&mut self) -> Option<Accepted<T>> {
        let accepted = self.buffer.pop_front()?;
        self.bytes = self.bytes.saturating_sub(accepted.size);
        Some(accepted)
    }

    // ---- Receiving

    /// Receives without waiting, or fails with `WouldBlock`.
    pub(crate) fn try_receive(&mut self, later: &mut Deferred<T>) -> Result<T, ChannelError> {
        if let Some(poison) = &self.poison {
            return Err(ChannelError::Poisoned(poison.clone()));
        }
        if let Some(message) = self.take_buffered(later) {
            return Ok(message);
        }
        if let Some(sender) = self.sending.claim_first() {
            return Ok(self.take_from(sender, later));
        }
        Err(if self.senders.is_empty() {
            ChannelError::Closed
        } else {
            ChannelError::WouldBlock
        })
    }

    /// Whether `try_receive` would not answer `WouldBlock`.
    pub(crate) fn receive_is_ready(&mut self) -> bool {
        self.poison.is_some()
            || !self.buffer.is_empty()
            || self.sending.first_live().is_some()
            || self.senders.is_empty()
    }

    /// Receives the next message without waiting, if there is one that `accept` wants.
    pub(crate) fn receive_if(
        &mut self,
        accept: &mut impl FnMut(&T) -> bool,
        later: &mut Deferred<T>,
    ) -> Option<T> {
        if let Some(next) = self.buffer.front() {
            return accept(&next.message)
                .then(|| self.take_buffered(later))
                .flatten();
        }
        while let Some(sender) = self.sending.first_live() {
            let Offer::Waiting { message, .. } = &self.sending.entry(sender).content else {
                unreachable!("who waits in the queue is not settled");
            };
            if !accept(message) {
                return None;
            }
            if self.sending.claim(sender) {
                return Some(self.take_from(sender, later));
            }
        }
        None
    }

    fn take_buffered(&mut self, later: &mut Deferred<T>) -> Option<T> {
        let accepted = self.pop()?;
        self.received += 1;
        self.admit_waiting(later);
        Some(accepted.message)
    }

    /// Takes a claimed sender's message without buffering it.
    fn take_from(&mut self, sender: Key, later: &mut Deferred<T>) -> T {
        let (message, _) = self.take_offer(sender, later);
        self.sent += 1;
        self.received += 1;
        message
    }

    /// Queues a receive that `try_receive` could not finish.
    pub(crate) fn park_receive(&mut self, parking: Parking) -> Result<Key, ChannelError> {
        if self.receiving.len() >= self.max_waiting {
            return Err(ChannelError::Overloaded {
                limit: self.max_waiting,
            });
        }
        let ticket = self.ticket();
        Ok(self.receiving.enter(parking.entry(ticket, Wish::Waiting)))
    }

    /// The outcome of a waiting receive, or nothing, with the waker to use from now on.
    pub(crate) fn poll_receive(
        &mut self,
        key: Key,
        waker: &Waker,
        later: &mut Deferred<T>,
    ) -> Option<Result<T, ChannelError>> {
        if let Wish::Waiting = self.receiving.entry(key).content {
            renew(&mut self.receiving.entry_mut(key).waiter, waker, later);
            return None;
        }
        match self.withdraw_receive(key, later) {
            Wish::Received(accepted) => Some(Ok(accepted.message)),
            Wish::Refused(error) => Some(Err(error)),
            Wish::Waiting => None,
        }
    }

    /// Takes a receive out of the queue, whatever became of it.
    pub(crate) fn withdraw_receive(&mut self, key: Key, later: &mut Deferred<T>) -> Wish<T> {
        let mut entry = self.receiving.remove(key);
        later.drop_waker(entry.waiter.forget_waker());
        entry.content
    }

    /// Takes a receive out of the queue for good: a message that had been handed over
    /// goes to the next receiver, or back to its place in the buffer.
    pub(crate) fn cancel_receive(&mut self, key: Key, later: &mut Deferred<T>) {
        if let Wish::Received(accepted) = self.withdraw_receive(key, later) {
            self.take_back(accepted, later);
        }
    }

    /// Returns a message that was received, but not used.
    pub(crate) fn take_back(&mut self, accepted: Accepted<T>, later: &mut Deferred<T>) {
        self.received -= 1;
        if self.poison.is_some() {
            self.dropped += 1;
            later.drop_message(accepted.message);
            return;
        }
        if let Some(receiver) = self.receiving.claim_first() {
            self.hand_over(receiver, accepted, later);
            return;
        }
        let place = self
            .buffer
            .partition_point(|other| other.number < accepted.number);
        self.bytes = self.bytes.saturating_add(accepted.size);
        self.buffer.insert(place, accepted);
    }

    /// The number for a message that is put back in front of everything buffered.
    pub(crate) fn front_number(&self) -> u64 {
        self.buffer.front().map_or(self.sent, |first| first.number)
    }

    fn hand_over(&mut self, receiver: Key, accepted: Accepted<T>, later: &mut Deferred<T>) {
        self.received += 1;
        let (_, waker) = self.receiving.settle(receiver, Wish::Received(accepted));
        later.wake(waker);
    }

    // ---- Ending

    /// The last sender is gone: whoever waits to receive waits in vain.
    pub(crate) fn close_receiving(&mut self, later: &mut Deferred<T>) {
        debug_assert!(self.senders.is_empty());
        self.refuse_receivers(&ChannelError::Closed, later);
    }

    /// The last receiver is gone: what is buffered will never be read.
    pub(crate) fn close_sending(&mut self, later: &mut Deferred<T>) {
        debug_assert!(self.receivers.is_empty());
        self.drop_buffer(later);
        self.refuse_senders(&ChannelError::Closed, later);
    }

    /// Ends the channel at once. False if it was poisoned already.
    pub(crate) fn poison(&mut self, poison: Poison, later: &mut Deferred<T>) -> bool {
        if self.poison.is_some() {
            return false;
        }
        self.poison = Some(poison.clone());
        let error = ChannelError::Poisoned(poison);
        self.drop_buffer(later);
        self.refuse_senders(&error, later);
        self.refuse_receivers(&error, later);
        true
    }

    /// Drops what is buffered; senders who waited for room come next.
    pub(crate) fn discard(&mut self, later: &mut Deferred<T>) {
        self.drop_buffer(later);
        self.admit_waiting(later);
    }

    fn drop_buffer(&mut self, later: &mut Deferred<T>) {
        while !self.buffer.is_empty() {
            self.drop_oldest(later);
        }
        self.buffer = VecDeque::new();
    }

    fn refuse_senders(&mut self, error: &ChannelError, later: &mut Deferred<T>) {
        while let Some(key) = self.sending.claim_first() {
            let (message, _) = self.take_offer(key, later);
            let error = error.clone();
            self.sending.entry_mut(key).content = Offer::Refused(SendError { message, error });
        }
    }

    fn refuse_receivers(&mut self, error: &ChannelError, later: &mut Deferred<T>) {
        while let Some(key) = self.receiving.claim_first() {
            let (_, waker) = self.receiving.settle(key, Wish::Refused(error.clone()));
            later.wake(waker);
        }
    }

    // ---- Keeping order

    pub(crate) fn statistics(&self) -> Statistics {
        Statistics {
            sent: self.sent,
            received: self.received,
            dropped: self.dropped,
            waiting: self.buffer.len(),
        }
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// Asserts the invariants that can be seen from the heads of the queues.
    pub(crate) fn check(&mut self) {
        if cfg!(debug_assertions) {
            assert_eq!(
                self.sent,
                self.received + self.dropped + self.buffer.len() as u64,
                "a message is lost or doubled"
            );
            let receiver = self.receiving.first_live().is_some();
            assert!(self.buffer.is_empty() || !receiver, "a receiver starves");
            assert!(!self.senders.is_empty() || !receiver, "waits for nobody");
            if self.poison.is_some() {
                assert!(self.buffer.is_empty(), "poison empties the buffer");
                assert!(!receiver, "poison wakes receivers");
                assert!(self.sending.first_live().is_none(), "poison wakes senders");
            }
            if self.receivers.is_empty() {
                assert!(self.sending.first_live().is_none(), "waits for nobody");
            }
        }
    }
}

impl Parking {
    fn entry<C>(self, ticket: u64, content: C) -> Entry<C> {
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
