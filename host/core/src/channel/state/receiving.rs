//! Receiving, under the lock.

use std::mem;
use std::task::Waker;

use super::{Accepted, Offer, Parking, State, Wish, renew};
use crate::channel::batch::Ahead;
use crate::channel::deferred::Deferred;
use crate::channel::error::{ReceiveError, TryReceiveError};
use crate::channel::options::Payload;
use crate::channel::wait_queue::Key;

impl<T: Payload> State<T> {
    /// Receives without waiting.
    #[inline]
    pub(crate) fn try_receive(&mut self, later: &mut Deferred<T>) -> Result<T, TryReceiveError> {
        if let Some(poison) = self.poison_for_receivers() {
            return Err(TryReceiveError::Poisoned(poison.clone()));
        }
        self.release_prefetched(later);
        if !self.buffer.is_empty()
            && let Some(message) = self.take_buffered(later)
        {
            return Ok(message);
        }
        if let Some(sender) = self.sending.claim_first() {
            return Ok(self.take_from(sender, later));
        }
        Err(if self.senders.is_empty() {
            TryReceiveError::Closed
        } else {
            TryReceiveError::Empty
        })
    }

    /// Receives, or queues the receive if it must wait.
    #[inline]
    pub(crate) fn receive_or_park(
        &mut self,
        parking: impl FnOnce() -> Parking,
        later: &mut Deferred<T>,
    ) -> Result<Result<T, ReceiveError>, Key> {
        let error = match self.try_receive(later) {
            Ok(message) => return Ok(Ok(message)),
            Err(error) => error,
        };
        if let Some(error) = error.unless_empty() {
            return Ok(Err(error));
        }
        match self.park_receive(parking()) {
            Ok(key) => Err(key),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Whether `try_receive` would not fail with `Empty`.
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
        self.release_prefetched(later);
        if let Some(next) = self.buffer.first() {
            return accept(next).then(|| self.take_buffered(later)).flatten();
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

    /// Takes buffered messages ahead of need, for the only receiver. They keep their places,
    /// at most half of all, so that the channel never holds more than its capacity and its
    /// senders can go on meanwhile.
    pub(crate) fn prefetch(
        &mut self,
        most: usize,
        read: impl FnMut(Ahead<'_, T>) -> usize,
        later: &mut Deferred<T>,
    ) {
        if self.receivers.len() != 1 || self.poison.is_some() {
            return;
        }
        self.release_prefetched(later);
        let taken = self.buffer.take_ahead(most.min(self.capacity / 2), read);
        self.received += taken as u64;
        self.prefetched = taken;
    }

    /// The receiver is back: it has used what it had taken ahead.
    fn release_prefetched(&mut self, later: &mut Deferred<T>) {
        if self.prefetched > 0 {
            self.prefetched = 0;
            self.admit_waiting(later);
        }
    }

    fn take_buffered(&mut self, later: &mut Deferred<T>) -> Option<T> {
        let accepted = self.buffer.pop()?;
        self.received += 1;
        self.admit_waiting(later);
        Some(accepted.message)
    }

    /// Takes a claimed sender's message without buffering it.
    #[inline]
    fn take_from(&mut self, sender: Key, later: &mut Deferred<T>) -> T {
        let (message, _) = self.take_offer(sender, later);
        self.sent += 1;
        self.received += 1;
        message
    }

    /// Queues a receive that `try_receive` could not finish.
    #[inline]
    pub(crate) fn park_receive(&mut self, parking: Parking) -> Result<Key, ReceiveError> {
        if self.receiving.len() >= self.max_waiting {
            return Err(ReceiveError::Overloaded {
                limit: self.max_waiting,
            });
        }
        // Nobody waits for these places: while nothing is buffered, half of all are free.
        self.prefetched = 0;
        let ticket = self.ticket();
        Ok(self.receiving.enter(parking.entry(ticket, Wish::Waiting)))
    }

    /// The outcome of a waiting receive, or nothing, with the waker to use from now on.
    #[inline]
    pub(crate) fn poll_receive(
        &mut self,
        key: Key,
        waker: &Waker,
        later: &mut Deferred<T>,
    ) -> Option<Result<T, ReceiveError>> {
        let entry = self.receiving.entry_mut(key);
        match mem::replace(&mut entry.content, Wish::Waiting) {
            Wish::Waiting => {
                renew(&mut entry.waiter, waker, later);
                None
            }
            Wish::Received(accepted) => {
                self.receiving.discard(key);
                Some(Ok(accepted.message))
            }
            Wish::Refused(error) => {
                self.receiving.discard(key);
                Some(Err(error))
            }
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
        if self.poison.is_some() && !self.delivers_before_poison {
            self.drop_accepted(accepted.message, later);
            return;
        }
        if let Some(receiver) = self.receiving.claim_first() {
            self.hand_over(receiver, accepted, later);
            return;
        }
        self.buffer.insert(accepted);
    }

    /// The number for a message that is put back in front of everything buffered.
    pub(crate) fn front_number(&self) -> u64 {
        self.buffer.first_number().unwrap_or(self.sent)
    }

    #[inline]
    pub(super) fn hand_over(
        &mut self,
        receiver: Key,
        accepted: Accepted<T>,
        later: &mut Deferred<T>,
    ) {
        self.received += 1;
        let (_, waker) = self.receiving.settle(receiver, Wish::Received(accepted));
        later.wake(waker);
    }
}
