//! Sending, under the lock.

use std::task::Waker;

use super::{Accepted, Offer, Parking, State, renew};
use crate::channel::batch::{Batch, Outgoing};
use crate::channel::deferred::Deferred;
use crate::channel::error::{SendError, TrySendError};
use crate::channel::options::{Overflow, Payload};
use crate::channel::sender::SentAll;
use crate::channel::wait_queue::Key;

/// Where a message goes that does not wait.
enum Destination {
    /// A claimed one.
    Receiver(Key),
    Buffer,
    /// It is dropped.
    Nowhere,
}

impl<T: Payload> State<T> {
    /// Sends without waiting.
    pub(crate) fn try_send(
        &mut self,
        message: T,
        size: usize,
        later: &mut Deferred<T>,
    ) -> Result<(), TrySendError<T>> {
        match self.find_destination(size, later) {
            Ok(destination) => {
                self.put(destination, message, size, later);
                Ok(())
            }
            Err(error) => Err(error.map(|()| message)),
        }
    }

    /// Sends, or queues the send if it must wait.
    #[inline]
    pub(crate) fn send_or_park(
        &mut self,
        message: T,
        size: usize,
        parking: impl FnOnce() -> Parking,
        later: &mut Deferred<T>,
    ) -> Result<Result<(), SendError<T>>, Key> {
        match self.find_destination(size, later) {
            Ok(destination) => {
                self.put(destination, message, size, later);
                Ok(Ok(()))
            }
            Err(error) => match error.map(|()| message).unless_full() {
                Ok(refused) => Ok(Err(refused)),
                Err(message) => match self.park_send(parking(), message, size) {
                    Ok(key) => Err(key),
                    Err(refused) => Ok(Err(refused)),
                },
            },
        }
    }

    /// Where a message goes that does not wait.
    #[inline(always)]
    fn find_destination(
        &mut self,
        size: usize,
        later: &mut Deferred<T>,
    ) -> Result<Destination, TrySendError<()>> {
        if let Some(error) = self.send_error(size) {
            return Err(error);
        }
        if let Some(receiver) = self.receiving.claim_first() {
            return Ok(Destination::Receiver(receiver));
        }
        self.admit_waiting(later);
        if self.has_room_for_new(size) {
            return Ok(Destination::Buffer);
        }
        match self.effective_overflow() {
            Overflow::Block => Err(TrySendError::Full(())),
            Overflow::DropNewest => Ok(Destination::Nowhere),
            Overflow::DropOldest => {
                while !self.fits(size) {
                    self.drop_oldest(later);
                }
                Ok(Destination::Buffer)
            }
        }
    }

    #[inline]
    fn put(&mut self, destination: Destination, message: T, size: usize, later: &mut Deferred<T>) {
        match destination {
            Destination::Receiver(receiver) => {
                let accepted = self.accept(message, size);
                self.hand_over(receiver, accepted, later);
            }
            Destination::Buffer => self.push(message, size),
            Destination::Nowhere => {
                self.sent += 1;
                self.dropped += 1;
                later.drop_message(message);
            }
        }
    }

    /// Sends what needs no waiting of `messages`.
    pub(crate) fn try_send_all(
        &mut self,
        messages: &mut impl Outgoing<T>,
        later: &mut Deferred<T>,
    ) -> SentAll<T> {
        let mut all = SentAll {
            sent: 0,
            awaited: self.receiving.first_live().is_some(),
            waiting: 0,
            result: Ok(()),
        };
        loop {
            if self.only_room_matters()
                && let Some(batch) = messages.next_batch(self.free_capacity(), self.bytes_left())
            {
                all.sent += self.push_batch(batch);
                continue;
            }
            let Some(message) = messages.next() else {
                break;
            };
            let size = message.size();
            if let Err(refused) = self.try_send(message, size, later) {
                all.result = Err(refused);
                break;
            }
            all.sent += 1;
        }
        all.waiting = self.buffer.len();
        all
    }

    /// Whether a message is sent if it fits: the channel has not ended, and nobody waits at it.
    fn only_room_matters(&mut self) -> bool {
        self.poison.is_none()
            && !self.receivers.is_empty()
            && self.receiving.first_live().is_none()
            && self.sending.first_live().is_none()
    }

    /// Whether `try_send` would not fail with `Full`.
    pub(crate) fn send_is_ready(&mut self, size: usize) -> bool {
        self.send_error(size).is_some()
            || self.receiving.first_live().is_some()
            || self.effective_overflow() != Overflow::Block
            || self.has_room_for_new(size)
    }

    /// Queues a send that `try_send` could not finish.
    #[inline(always)]
    pub(crate) fn park_send(
        &mut self,
        parking: Parking,
        message: T,
        size: usize,
    ) -> Result<Key, SendError<T>> {
        if self.sending.len() >= self.max_waiting {
            let limit = self.max_waiting;
            return Err(SendError::Overloaded { message, limit });
        }
        let content = Offer::Waiting { message, size };
        let ticket = self.ticket();
        Ok(self.sending.enter(parking.entry(ticket, content)))
    }

    /// The outcome of a waiting send, or nothing, with the waker to use from now on.
    #[inline]
    pub(crate) fn poll_send(
        &mut self,
        key: Key,
        waker: &Waker,
        later: &mut Deferred<T>,
    ) -> Option<Result<(), SendError<T>>> {
        match &self.sending.entry(key).content {
            Offer::Waiting { .. } => {
                renew(&mut self.sending.entry_mut(key).waiter, waker, later);
                None
            }
            Offer::Sent => {
                // Who took the message has looked at those behind it.
                self.sending.discard(key);
                Some(Ok(()))
            }
            Offer::Refused(_) => match self.sending.remove(key).content {
                Offer::Refused(refused) => Some(Err(refused)),
                Offer::Sent | Offer::Waiting { .. } => None,
            },
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

    #[inline]
    fn send_error(&self, size: usize) -> Option<TrySendError<()>> {
        if let Some(poison) = &self.poison {
            return Some(TrySendError::Poisoned((), poison.clone()));
        }
        if self.receivers.is_empty() {
            return Some(TrySendError::Closed(()));
        }
        (size > self.max_bytes).then_some(TrySendError::TooLarge {
            message: (),
            size,
            limit: self.max_bytes,
        })
    }

    pub(super) fn effective_overflow(&self) -> Overflow {
        match self.capacity {
            0 => Overflow::Block,
            _ => self.overflow,
        }
    }

    fn fits(&self, size: usize) -> bool {
        self.has_capacity() && self.buffer.bytes().saturating_add(size) <= self.max_bytes
    }

    fn has_capacity(&self) -> bool {
        self.buffer.len() + self.prefetched < self.capacity
    }

    /// How many messages there is room for.
    fn free_capacity(&self) -> usize {
        self.capacity
            .saturating_sub(self.buffer.len() + self.prefetched)
    }

    /// How many bytes there is room for.
    fn bytes_left(&self) -> usize {
        self.max_bytes.saturating_sub(self.buffer.bytes())
    }

    /// Whether a message fits, and passes nobody who waits.
    fn has_room_for_new(&mut self, size: usize) -> bool {
        self.fits(size) && self.sending.first_live().is_none()
    }

    /// Moves the messages of waiting senders into the buffer while they fit.
    #[inline]
    pub(super) fn admit_waiting(&mut self, later: &mut Deferred<T>) {
        while self.has_capacity()
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
    #[inline(always)]
    pub(super) fn take_offer(&mut self, key: Key, later: &mut Deferred<T>) -> (T, usize) {
        let (offer, waker) = self.sending.settle(key, Offer::Sent);
        later.wake_sender(waker);
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
        self.buffer.push(accepted);
    }

    /// Takes in messages for which there is room; returns how many they are.
    fn push_batch(&mut self, batch: T::Batch) -> usize {
        let messages = batch.messages();
        debug_assert!(messages > 0, "a batch is not empty");
        debug_assert!(
            messages <= self.free_capacity(),
            "more than there is room for"
        );
        debug_assert!(
            batch.size() <= self.bytes_left(),
            "more than there is room for"
        );
        self.buffer.push_batch(self.sent, batch);
        self.sent += messages as u64;
        messages
    }

    pub(super) fn drop_oldest(&mut self, later: &mut Deferred<T>) {
        if let Some(oldest) = self.buffer.pop() {
            self.drop_accepted(oldest.message, later);
        }
    }

    /// Drops a message that is in the channel no more, telling it why if that is poison.
    pub(super) fn drop_accepted(&mut self, mut message: T, later: &mut Deferred<T>) {
        if let Some(poison) = &self.poison {
            message.undelivered(poison);
        }
        self.dropped += 1;
        later.drop_message(message);
    }
}
