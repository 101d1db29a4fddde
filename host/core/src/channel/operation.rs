//! Sending and receiving that may wait, as futures.
//!
//! A future that waits owns one entry in its channel's queue, and removes it when it is
//! polled to its end or dropped.

use std::fmt;
use std::future::Future;
use std::mem;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::error::{ReceiveError, ReceiveTimeoutError, SendError, SendTimeoutError};
use super::options::Payload;
use super::receiver::Receiver;
use super::sender::Sender;
use super::state::{Offer, Parking, Wish};
use super::wait_queue::{Key, Waiter};

/// The state of an operation that was begun.
#[derive(Debug)]
#[doc(hidden)]
pub enum Begun<D, W> {
    /// It is done: it did not have to wait.
    Done(D),
    /// It waits.
    Waits(W),
}

enum Stage<M, W> {
    Start(M),
    Waits(W),
    Done,
}

/// The future of [`Sender::send`].
///
/// # Cancel safety
///
/// Dropping it before it is ready withdraws the message, unless a receiver has it
/// already. The message is dropped with the future.
///
/// # Panics
///
/// If it is polled after it was ready.
#[must_use = "nothing is sent until it is awaited"]
pub struct SendFuture<'a, T: Payload> {
    sender: &'a Sender<T>,
    stage: Stage<T, Sending<'a, T>>,
    timed: bool,
}

impl<T: Payload> Unpin for SendFuture<'_, T> {}

impl<'a, T: Payload> SendFuture<'a, T> {
    pub(crate) fn new(sender: &'a Sender<T>, message: T, timed: bool) -> Self {
        SendFuture {
            sender,
            stage: Stage::Start(message),
            timed,
        }
    }

    /// Gives up. A delivery that came first wins.
    pub(crate) fn time_out(&mut self) -> Result<(), SendTimeoutError<T>> {
        match mem::replace(&mut self.stage, Stage::Done) {
            Stage::Start(message) => Err(SendTimeoutError::TimedOut(message)),
            Stage::Waits(mut sending) => sending.time_out(),
            Stage::Done => panic!("a send was used after it was done"),
        }
    }
}

impl<T: Payload> Future for SendFuture<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Stage::Waits(sending) = &mut this.stage {
            return Pin::new(sending).poll(context);
        }
        let Stage::Start(message) = mem::replace(&mut this.stage, Stage::Done) else {
            panic!("a send was polled after it was done");
        };
        let sender = this.sender;
        match Sending::begin(sender, || sender, message, this.timed, context.waker()) {
            Begun::Done(done) => Poll::Ready(done),
            Begun::Waits(sending) => {
                this.stage = Stage::Waits(sending);
                Poll::Pending
            }
        }
    }
}

impl<T: Payload> fmt::Debug for SendFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendFuture")
            .field("sender", self.sender)
            .finish_non_exhaustive()
    }
}

/// A send that waits: see [`Sender::begin_send`].
///
/// # Cancel safety
///
/// As [`SendFuture`].
///
/// # Panics
///
/// If it is polled after it was ready.
#[must_use = "dropping it withdraws the message"]
#[doc(hidden)]
pub struct HeldSend<T: Payload, S: Deref<Target = Sender<T>>> {
    sender: S,
    /// None once it is done.
    entry: Option<Key>,
}

/// A send that waits, with a reference to its sender.
#[doc(hidden)]
pub type Sending<'a, T> = HeldSend<T, &'a Sender<T>>;

/// A send that waits, and shares its sender.
#[doc(hidden)]
pub type OwnedSending<T> = HeldSend<T, Arc<Sender<T>>>;

impl<T: Payload, S: Deref<Target = Sender<T>>> HeldSend<T, S> {
    /// `hold` makes the reference that it keeps while it waits.
    #[inline(always)]
    pub(crate) fn begin(
        sender: &Sender<T>,
        hold: impl FnOnce() -> S,
        message: T,
        timed: bool,
        waker: &Waker,
    ) -> Begun<Result<(), SendError<T>>, Self> {
        let size = message.size();
        let parking = || Parking {
            waiter: Waiter::Operation(Some(waker.clone())),
            end: sender.key,
            timed,
        };
        let begun = sender
            .shared
            .with(|state, later| state.send_or_park(message, size, parking, later));
        match begun {
            Ok(done) => Begun::Done(done),
            Err(key) => Begun::Waits(Self {
                sender: hold(),
                entry: Some(key),
            }),
        }
    }

    /// The sender at which it waits.
    pub fn sender(&self) -> &Sender<T> {
        &self.sender
    }

    /// Gives up. A delivery that came first wins.
    ///
    /// # Panics
    ///
    /// If it is done.
    pub fn time_out(&mut self) -> Result<(), SendTimeoutError<T>> {
        match self.withdraw() {
            Some(Offer::Waiting { message, .. }) => Err(SendTimeoutError::TimedOut(message)),
            Some(Offer::Refused(refused)) => Err(refused.into()),
            Some(Offer::Sent) => Ok(()),
            None => panic!("a send was used after it was done"),
        }
    }

    fn withdraw(&mut self) -> Option<Offer<T>> {
        let key = self.entry.take()?;
        let shared = &self.sender.shared;
        Some(shared.with(|state, later| state.withdraw_send(key, later)))
    }
}

impl<T: Payload, S: Deref<Target = Sender<T>> + Unpin> Future for HeldSend<T, S> {
    type Output = Result<(), SendError<T>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(key) = self.entry else {
            panic!("a send was polled after it was done");
        };
        let shared = &self.sender.shared;
        match shared.with(|state, later| state.poll_send(key, context.waker(), later)) {
            Some(done) => {
                self.entry = None;
                Poll::Ready(done)
            }
            None => Poll::Pending,
        }
    }
}

impl<T: Payload, S: Deref<Target = Sender<T>>> Drop for HeldSend<T, S> {
    #[inline]
    fn drop(&mut self) {
        if self.entry.is_some() {
            // The message is dropped here, after unlocking.
            drop(self.withdraw());
        }
    }
}

impl<T: Payload, S: Deref<Target = Sender<T>>> fmt::Debug for HeldSend<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending")
            .field("sender", &*self.sender)
            .finish_non_exhaustive()
    }
}

/// The future of [`Receiver::receive`].
///
/// # Cancel safety
///
/// Dropping it loses nothing: a message that was handed over already, but not returned,
/// goes to the next waiting receiver, or back to its place in the channel.
///
/// # Panics
///
/// If it is polled after it was ready.
#[must_use = "nothing is received until it is awaited"]
pub struct ReceiveFuture<'a, T: Payload> {
    receiver: &'a Receiver<T>,
    stage: Stage<(), Receiving<'a, T>>,
    timed: bool,
}

impl<'a, T: Payload> ReceiveFuture<'a, T> {
    pub(crate) fn new(receiver: &'a Receiver<T>, timed: bool) -> Self {
        ReceiveFuture {
            receiver,
            stage: Stage::Start(()),
            timed,
        }
    }

    /// Gives up. A delivery that came first wins.
    pub(crate) fn time_out(&mut self) -> Result<T, ReceiveTimeoutError> {
        match mem::replace(&mut self.stage, Stage::Done) {
            Stage::Start(()) => Err(ReceiveTimeoutError::TimedOut),
            Stage::Waits(mut receiving) => receiving.time_out(),
            Stage::Done => panic!("a receive was used after it was done"),
        }
    }
}

impl<T: Payload> Future for ReceiveFuture<'_, T> {
    type Output = Result<T, ReceiveError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Stage::Waits(receiving) = &mut this.stage {
            return Pin::new(receiving).poll(context);
        }
        let Stage::Start(()) = mem::replace(&mut this.stage, Stage::Done) else {
            panic!("a receive was polled after it was done");
        };
        let receiver = this.receiver;
        match Receiving::begin(receiver, || receiver, this.timed, context.waker()) {
            Begun::Done(done) => Poll::Ready(done),
            Begun::Waits(receiving) => {
                this.stage = Stage::Waits(receiving);
                Poll::Pending
            }
        }
    }
}

impl<T: Payload> fmt::Debug for ReceiveFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveFuture")
            .field("receiver", self.receiver)
            .finish_non_exhaustive()
    }
}

/// A receive that waits: see [`Receiver::begin_receive`].
///
/// # Cancel safety
///
/// As [`ReceiveFuture`].
///
/// # Panics
///
/// If it is polled after it was ready.
#[must_use = "dropping it gives up"]
#[doc(hidden)]
pub struct HeldReceive<T: Payload, R: Deref<Target = Receiver<T>>> {
    receiver: R,
    /// None once it is done.
    entry: Option<Key>,
}

/// A receive that waits, with a reference to its receiver.
#[doc(hidden)]
pub type Receiving<'a, T> = HeldReceive<T, &'a Receiver<T>>;

/// A receive that waits, and shares its receiver.
#[doc(hidden)]
pub type OwnedReceiving<T> = HeldReceive<T, Arc<Receiver<T>>>;

impl<T: Payload, R: Deref<Target = Receiver<T>>> HeldReceive<T, R> {
    /// `hold` makes the reference that it keeps while it waits.
    #[inline(always)]
    pub(crate) fn begin(
        receiver: &Receiver<T>,
        hold: impl FnOnce() -> R,
        timed: bool,
        waker: &Waker,
    ) -> Begun<Result<T, ReceiveError>, Self> {
        let parking = || Parking {
            waiter: Waiter::Operation(Some(waker.clone())),
            end: receiver.key,
            timed,
        };
        let begun = receiver
            .shared
            .with(|state, later| state.receive_or_park(parking, later));
        match begun {
            Ok(done) => Begun::Done(done),
            Err(key) => Begun::Waits(Self {
                receiver: hold(),
                entry: Some(key),
            }),
        }
    }

    /// The receiver at which it waits.
    pub fn receiver(&self) -> &Receiver<T> {
        &self.receiver
    }

    /// Gives up. A delivery that came first wins.
    ///
    /// # Panics
    ///
    /// If it is done.
    pub fn time_out(&mut self) -> Result<T, ReceiveTimeoutError> {
        let Some(key) = self.entry.take() else {
            panic!("a receive was used after it was done");
        };
        let shared = &self.receiver.shared;
        match shared.with(|state, later| state.withdraw_receive(key, later)) {
            Wish::Waiting => Err(ReceiveTimeoutError::TimedOut),
            Wish::Received(accepted) => Ok(accepted.message),
            Wish::Refused(error) => Err(error.into()),
        }
    }
}

impl<T: Payload, R: Deref<Target = Receiver<T>> + Unpin> Future for HeldReceive<T, R> {
    type Output = Result<T, ReceiveError>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(key) = self.entry else {
            panic!("a receive was polled after it was done");
        };
        let shared = &self.receiver.shared;
        match shared.with(|state, later| state.poll_receive(key, context.waker(), later)) {
            Some(done) => {
                self.entry = None;
                Poll::Ready(done)
            }
            None => Poll::Pending,
        }
    }
}

impl<T: Payload, R: Deref<Target = Receiver<T>>> Drop for HeldReceive<T, R> {
    #[inline]
    fn drop(&mut self) {
        if let Some(key) = self.entry {
            let shared = &self.receiver.shared;
            shared.with(|state, later| state.cancel_receive(key, later));
        }
    }
}

impl<T: Payload, R: Deref<Target = Receiver<T>>> fmt::Debug for HeldReceive<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiving")
            .field("receiver", &*self.receiver)
            .finish_non_exhaustive()
    }
}
