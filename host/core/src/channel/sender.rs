//! The end through which messages enter a channel.

use std::fmt;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::batch::Outgoing;
use super::blocking::{block_on, block_on_until};
use super::deadline::SendDeadline;
use super::ends::EndKey;
use super::error::{Poison, SendError, SendTimeoutError, TrySendError};
use super::inspect::{Inspect, Statistics};
use super::operation::{Begun, OwnedSending, SendFuture, Sending};
use super::options::Payload;
use super::shared::Shared;
use crate::clock::Sleep;
use crate::ids::ChannelId;
use crate::ids::Holder;
use crate::sync::Arc;

/// The end through which messages enter a channel.
///
/// Cloning it makes another end of the same channel; dropping the last one closes the
/// channel: receivers take what is buffered, then get [`Closed`](crate::ReceiveError::Closed).
pub struct Sender<T: Payload> {
    pub(crate) shared: Arc<Shared<T>>,
    pub(crate) key: EndKey,
}

/// A message with ends on its way: see [`Sender::moving_ends`].
#[doc(hidden)]
pub struct MovingEnds<'a, T: Payload>(&'a Shared<T>);

impl<T: Payload> fmt::Debug for MovingEnds<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MovingEnds").field(&self.0.id).finish()
    }
}

impl<T: Payload> Drop for MovingEnds<'_, T> {
    fn drop(&mut self) {
        self.0.end_move();
    }
}

/// What [`Sender::try_send_all`] has done.
#[derive(Debug)]
#[doc(hidden)]
pub struct SentAll<T> {
    /// How many messages were sent.
    pub sent: usize,
    /// Whether a receiver was waiting for the first of them.
    pub awaited: bool,
    /// How many messages wait in the channel now.
    pub waiting: usize,
    /// `Ok` if all were sent; otherwise why not, with the message that was refused.
    pub result: Result<(), TrySendError<T>>,
}

impl<T: Payload> Sender<T> {
    pub(crate) fn new(shared: Arc<Shared<T>>, holder: Holder) -> Self {
        let key = shared.lock().senders.add(holder);
        shared.count_end();
        Sender { shared, key }
    }

    /// Sends `message`; waits until it is buffered or, at a rendezvous, until a receiver
    /// has it. Does not wait if neither is necessary. Waiting senders are served first
    /// in, first out.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future withdraws the message, unless it was sent already.
    ///
    /// # Errors
    ///
    /// [`SendError`], which gives the message back: the channel has ended, the message can never
    /// fit, or too many senders wait already.
    pub fn send(&self, message: T) -> SendFuture<'_, T> {
        SendFuture::new(self, message, false)
    }

    /// Does what the first poll of [`send`](Self::send) would do: the future that comes of it is waiting
    /// already. A caller that polls by hand need not keep the message.
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    #[inline]
    #[doc(hidden)]
    pub fn begin_send(
        &self,
        message: T,
        waker: &Waker,
    ) -> Begun<Result<(), SendError<T>>, Sending<'_, T>> {
        Sending::begin(self, || self, message, false, waker)
    }

    /// The same, for who keeps the operation without a reference to this sender; `timed`: a
    /// deadline will end the wait.
    #[inline]
    #[doc(hidden)]
    pub fn begin_owned_send(
        self: &std::sync::Arc<Self>,
        message: T,
        timed: bool,
        waker: &Waker,
    ) -> Begun<Result<(), SendError<T>>, OwnedSending<T>> {
        OwnedSending::begin(self, || self.clone(), message, timed, waker)
    }

    /// Like [`send`](Self::send), but gives up at `deadline`. A delivery at the same time wins, and what
    /// needs no waiting is done even after the deadline.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](SendTimeoutError::TimedOut); otherwise as [`send`](Self::send).
    pub fn send_by(&self, message: T, deadline: Sleep) -> SendDeadline<'_, T> {
        SendDeadline {
            send: SendFuture::new(self, message, true),
            deadline,
        }
    }

    /// Sends `message` if that is possible without waiting.
    ///
    /// # Errors
    ///
    /// [`Full`](TrySendError::Full) if the channel is full, or others wait to send, or, at a
    /// rendezvous, no receiver waits; otherwise as [`send`](Self::send).
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let size = message.size();
        self.shared
            .with(|state, later| state.try_send(message, size, later))
    }

    /// Sends `messages` in order, as long as that is possible without waiting: many calls of
    /// [`try_send`](Self::try_send) in one. Once a message is refused, no more are asked for.
    ///
    /// If nobody waits, so that only room matters, they are asked for in batches, which are kept as they
    /// are ([`Batch`](super::Batch)); otherwise one by one.
    ///
    /// `messages` is advanced under the channel's lock: it must be quick, and must not use any
    /// channel.
    #[doc(hidden)]
    pub fn try_send_all(&self, messages: &mut impl Outgoing<T>) -> SentAll<T> {
        self.shared
            .with(|state, later| state.try_send_all(messages, later))
    }

    /// Like [`send`](Self::send), parking the calling thread. Not for code that runs on a
    /// scheduler's worker.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_blocking(&self, message: T) -> Result<(), SendError<T>> {
        block_on(self.send(message))
    }

    /// Like [`send_blocking`](Self::send_blocking), for at most `timeout` of wall-clock
    /// time. A delivery that comes at the same time wins.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](SendTimeoutError::TimedOut); otherwise as [`send`](Self::send).
    pub fn send_timeout(&self, message: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        let mut send = SendFuture::new(self, message, true);
        match block_on_until(&mut send, Instant::now().checked_add(timeout)) {
            Some(sent) => sent.map_err(SendTimeoutError::from),
            None => send.time_out(),
        }
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
        self.shared.lock().senders.holder(self.key)
    }

    /// Says that a message with ends is about to enter the channel, or to come back from it, until
    /// the guard is dropped. Their holders are to be changed in between: whoever looks at several
    /// channels for what is out of reach can then tell that such a look is not to be trusted
    /// ([`Moves`](super::Moves)).
    #[doc(hidden)]
    #[must_use = "the move is over when the guard is dropped"]
    pub fn moving_ends(&self) -> MovingEnds<'_, T> {
        self.shared.begin_move();
        MovingEnds(&self.shared)
    }

    /// Records that this end has a new holder.
    pub fn set_holder(&self, holder: Holder) {
        self.shared.lock().senders.set_holder(self.key, holder);
    }

    /// Another sender of the same channel, for this holder.
    pub fn clone_for(&self, holder: Holder) -> Self {
        Sender::new(Arc::clone(&self.shared), holder)
    }

    /// Whether this is the channel's only sender now.
    pub fn is_sole(&self) -> bool {
        self.shared.lock().senders.len() == 1
    }

    /// Whether `other` is a sender of the same channel.
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

    /// Whether nothing can be sent any more: it is poisoned, or no receiver is left.
    pub fn is_ended(&self) -> bool {
        let state = self.shared.lock();
        state.receivers.is_empty() || state.poison.is_some()
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

impl<T: Payload> Clone for Sender<T> {
    /// Another sender of the same channel, for the same holder.
    fn clone(&self) -> Self {
        self.clone_for(self.holder())
    }
}

impl<T: Payload> Drop for Sender<T> {
    /// Closes this end; the last sender closes the channel.
    fn drop(&mut self) {
        let last = self.shared.with(|state, later| {
            state.senders.remove(self.key);
            if state.senders.is_empty() {
                state.close_receiving(later);
            }
            state.let_go()
        });
        drop(last);
        self.shared.discount_end();
    }
}

impl<T: Payload> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("channel", &self.shared.id)
            .field("label", &self.shared.label)
            .finish_non_exhaustive()
    }
}
