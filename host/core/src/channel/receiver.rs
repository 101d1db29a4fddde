//! The end at which messages leave a channel.

use std::fmt;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::batch::Ahead;
use super::blocking::{block_on, block_on_until};
use super::deadline::ReceiveDeadline;
use super::ends::EndKey;
use super::error::{Poison, ReceiveError, ReceiveTimeoutError, TryReceiveError};
use super::inspect::{Inspect, Statistics};
use super::operation::{Begun, OwnedReceiving, ReceiveFuture, Receiving};
use super::options::Payload;
use super::shared::Shared;
use super::state::Accepted;
use crate::clock::Sleep;
use crate::ids::ChannelId;
use crate::ids::Holder;
use crate::sync::Arc;

/// The end at which messages leave a channel.
///
/// Cloning it makes another end of the same channel; each message goes to one of them.
/// Dropping the last one closes the channel: what is buffered is dropped, and senders get
/// [`SendError::Closed`](crate::SendError::Closed) and their message back.
pub struct Receiver<T: Payload> {
    pub(crate) shared: Arc<Shared<T>>,
    pub(crate) key: EndKey,
}

impl<T: Payload> Receiver<T> {
    pub(crate) fn new(shared: Arc<Shared<T>>, holder: Holder) -> Self {
        let key = shared.lock().receivers.add(holder);
        shared.count_end();
        Receiver { shared, key }
    }

    /// Takes the next message; waits until there is one. Waiting receivers are served
    /// first in, first out.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing: a message that it was handed goes to the next waiting receiver,
    /// or back to the front of the channel.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`]: the channel has ended, or too many receivers wait already.
    pub fn receive(&self) -> ReceiveFuture<'_, T> {
        ReceiveFuture::new(self, false)
    }

    /// Does what the first poll of [`receive`](Self::receive) would do: the future that comes of it is
    /// waiting already.
    ///
    /// # Cancel safety
    ///
    /// As [`receive`](Self::receive).
    #[inline]
    #[doc(hidden)]
    pub fn begin_receive(&self, waker: &Waker) -> Begun<Result<T, ReceiveError>, Receiving<'_, T>> {
        Receiving::begin(self, || self, false, waker)
    }

    /// The same, for who keeps the operation without a reference to this receiver; `timed`: a
    /// deadline will end the wait.
    #[inline]
    #[doc(hidden)]
    pub fn begin_owned_receive(
        self: &std::sync::Arc<Self>,
        timed: bool,
        waker: &Waker,
    ) -> Begun<Result<T, ReceiveError>, OwnedReceiving<T>> {
        OwnedReceiving::begin(self, || self.clone(), timed, waker)
    }

    /// Like [`receive`](Self::receive), but gives up at `deadline`. A delivery at the same time wins, and
    /// what needs no waiting is done even after the deadline.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](ReceiveTimeoutError::TimedOut); otherwise as [`receive`](Self::receive).
    pub fn receive_by(&self, deadline: Sleep) -> ReceiveDeadline<'_, T> {
        ReceiveDeadline {
            receive: ReceiveFuture::new(self, true),
            deadline,
        }
    }

    /// Takes the next message if there is one.
    ///
    /// # Errors
    ///
    /// [`Empty`](TryReceiveError::Empty) if there is none; otherwise as
    /// [`receive`](Self::receive).
    pub fn try_receive(&self) -> Result<T, TryReceiveError> {
        self.shared.with(|state, later| state.try_receive(later))
    }

    /// Like [`receive`](Self::receive), parking the calling thread. Not for code that runs
    /// on a scheduler's worker.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive).
    pub fn receive_blocking(&self) -> Result<T, ReceiveError> {
        block_on(self.receive())
    }

    /// Like [`receive_blocking`](Self::receive_blocking), for at most `timeout` of
    /// wall-clock time. A delivery that comes at the same time wins.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](ReceiveTimeoutError::TimedOut); otherwise as [`receive`](Self::receive).
    pub fn receive_timeout(&self, timeout: Duration) -> Result<T, ReceiveTimeoutError> {
        let mut receive = ReceiveFuture::new(self, true);
        match block_on_until(&mut receive, Instant::now().checked_add(timeout)) {
            Some(received) => received.map_err(ReceiveTimeoutError::from),
            None => receive.time_out(),
        }
    }

    /// Returns a message that was just received, and not used: the next waiting receiver gets it, or it
    /// becomes the first in the channel, beyond its capacity if necessary. If the channel is poisoned, the
    /// message is dropped and counted.
    ///
    /// Put several back in the reverse of the order in which they were received.
    #[doc(hidden)]
    pub fn put_back(&self, message: T) {
        let size = message.size();
        self.shared.with(|state, later| {
            let number = state.front_number();
            let accepted = Accepted {
                number,
                size,
                message,
            };
            state.take_back(accepted, later);
        });
    }

    /// Counts a message that was just received, and that nobody could use, as dropped instead.
    #[doc(hidden)]
    pub fn drop_received(&self, message: T) {
        self.shared.with(|state, later| {
            state.received -= 1;
            state.dropped += 1;
            later.drop_message(message);
        });
    }

    /// Whether nothing is left to receive: it is poisoned, or no sender is left and everything
    /// has been taken.
    pub fn is_ended(&self) -> bool {
        let state = self.shared.lock();
        let closed = state.senders.is_empty() && state.buffer.is_empty();
        closed || state.poison_for_receivers().is_some()
    }

    /// Takes up to `most` buffered messages ahead of need. `read` is shown what comes next and returns how
    /// many messages of it it has taken; the first time that it does not take all that it may is the last.
    /// The messages keep counting towards the capacity until this receiver receives again, so that the
    /// channel never holds more than that; and at most half of the capacity is taken, so that senders can
    /// go on. Takes nothing at a rendezvous, or if there are other receivers.
    ///
    /// `read` is called, and a message that it has taken is dropped, under the channel's lock:
    /// both must be quick, and must not use any channel.
    #[doc(hidden)]
    pub fn prefetch(&self, most: usize, read: impl FnMut(Ahead<'_, T>) -> usize) {
        self.shared
            .with(|state, later| state.prefetch(most, read, later));
    }

    /// Takes up to `most` messages without waiting, as long as `accept` agrees to the next one: what is
    /// buffered, then what waiting senders offer. It happens as one step: nobody else sends or receives in
    /// between. An ended channel yields none.
    ///
    /// `accept` is called under the channel's lock: it must be quick, and must not use any
    /// channel. An offer that it agreed to may still go elsewhere at that moment.
    pub fn drain(&self, most: usize, mut accept: impl FnMut(&T) -> bool) -> Vec<T> {
        self.shared.with(|state, later| {
            let mut taken = Vec::new();
            while taken.len() < most
                && let Some(message) = state.receive_if(&mut accept, later)
            {
                taken.push(message);
            }
            taken
        })
    }

    /// The number of the channel.
    pub fn id(&self) -> ChannelId {
        self.shared.id
    }

    /// The channel's name, if it was given one.
    pub fn label(&self) -> Option<Arc<str>> {
        self.shared.label.clone()
    }

    /// Messages that the channel can buffer; 0 is a rendezvous.
    pub fn capacity(&self) -> usize {
        self.shared.capacity
    }

    /// Who holds this end.
    pub fn holder(&self) -> Holder {
        self.shared.lock().receivers.holder(self.key)
    }

    /// Records that this end has a new holder.
    pub fn set_holder(&self, holder: Holder) {
        self.shared.lock().receivers.set_holder(self.key, holder);
    }

    /// Another receiver of the same channel, for this holder.
    pub fn clone_for(&self, holder: Holder) -> Self {
        Receiver::new(Arc::clone(&self.shared), holder)
    }

    /// Whether this is the channel's only receiver now.
    pub fn is_sole(&self) -> bool {
        self.shared.lock().receivers.len() == 1
    }

    /// Whether `other` is a receiver of the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Ends the channel at once for both sides: what is buffered is dropped, and whoever
    /// waits, now or later, fails with its `Poisoned`. A message
    /// that a receiver has been handed stays received. Returns false, and changes
    /// nothing, if the channel was poisoned already.
    pub fn poison(&self, poison: Poison) -> bool {
        self.shared.with(|state, later| state.poison(poison, later))
    }

    /// Why the channel was poisoned, if it was.
    pub fn poisoned(&self) -> Option<Poison> {
        self.shared.lock().poison.clone()
    }

    /// What the channel has seen so far.
    pub fn statistics(&self) -> Statistics {
        self.shared.lock().statistics()
    }

    /// The channel without the type of its messages.
    pub fn inspect(&self) -> Arc<dyn Inspect> {
        Arc::<Shared<T>>::clone(&self.shared)
    }
}

impl<T: Payload> Clone for Receiver<T> {
    /// Another receiver of the same channel, for the same holder.
    fn clone(&self) -> Self {
        self.clone_for(self.holder())
    }
}

impl<T: Payload> Drop for Receiver<T> {
    /// Closes this end; the last receiver closes the channel.
    fn drop(&mut self) {
        let last = self.shared.with(|state, later| {
            state.receivers.remove(self.key);
            if state.receivers.is_empty() {
                state.close_sending(later);
            }
            state.let_go()
        });
        drop(last);
        self.shared.discount_end();
    }
}

impl<T: Payload> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("channel", &self.shared.id)
            .field("label", &self.shared.label)
            .finish_non_exhaustive()
    }
}
