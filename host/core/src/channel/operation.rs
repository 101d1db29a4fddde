//! Sending and receiving that may wait, as futures.
//!
//! A future that waits owns one entry in its channel's queue, and removes it when it is
//! polled to its end or dropped.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::error::{ChannelError, SendError};
use super::options::Payload;
use super::receiver::Receiver;
use super::sender::Sender;
use super::state::{Offer, Parking, Wish};
use super::wait_queue::{Key, Waiter};

/// What an operation that was begun has come to.
#[derive(Debug)]
pub enum Begun<D, W> {
    /// It needed no waiting.
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
    pub(crate) fn time_out(&mut self) -> Result<(), SendError<T>> {
        let error = ChannelError::TimedOut;
        match mem::replace(&mut self.stage, Stage::Done) {
            Stage::Start(message) => Err(SendError { message, error }),
            Stage::Waits(mut sending) => match sending.withdraw() {
                Some(Offer::Waiting { message, .. }) => Err(SendError { message, error }),
                Some(Offer::Refused(refused)) => Err(refused),
                Some(Offer::Sent) | None => Ok(()),
            },
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
        match Sending::begin(this.sender, message, this.timed, context.waker()) {
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
pub struct Sending<'a, T: Payload> {
    sender: &'a Sender<T>,
    /// None once it is done.
    entry: Option<Key>,
}

impl<'a, T: Payload> Sending<'a, T> {
    #[inline(always)]
    pub(crate) fn begin(
        sender: &'a Sender<T>,
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
            Err(key) => Begun::Waits(Sending {
                sender,
                entry: Some(key),
            }),
        }
    }

    /// The sender that it waits at.
    pub fn sender(&self) -> &'a Sender<T> {
        self.sender
    }

    fn withdraw(&mut self) -> Option<Offer<T>> {
        let key = self.entry.take()?;
        let shared = &self.sender.shared;
        Some(shared.with(|state, later| state.withdraw_send(key, later)))
    }
}

impl<T: Payload> Future for Sending<'_, T> {
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

impl<T: Payload> Drop for Sending<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.entry.is_some() {
            // The message is dropped here, after unlocking.
            drop(self.withdraw());
        }
    }
}

impl<T: Payload> fmt::Debug for Sending<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending")
            .field("sender", self.sender)
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
    pub(crate) fn time_out(&mut self) -> Result<T, ChannelError> {
        match mem::replace(&mut self.stage, Stage::Done) {
            Stage::Start(()) => Err(ChannelError::TimedOut),
            Stage::Waits(mut receiving) => receiving.time_out(),
            Stage::Done => panic!("a receive was used after it was done"),
        }
    }
}

impl<T: Payload> Future for ReceiveFuture<'_, T> {
    type Output = Result<T, ChannelError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Stage::Waits(receiving) = &mut this.stage {
            return Pin::new(receiving).poll(context);
        }
        let Stage::Start(()) = mem::replace(&mut this.stage, Stage::Done) else {
            panic!("a receive was polled after it was done");
        };
        match Receiving::begin(this.receiver, this.timed, context.waker()) {
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
pub struct Receiving<'a, T: Payload> {
    receiver: &'a Receiver<T>,
    /// None once it is done.
    entry: Option<Key>,
}

impl<'a, T: Payload> Receiving<'a, T> {
    #[inline(always)]
    pub(crate) fn begin(
        receiver: &'a Receiver<T>,
        timed: bool,
        waker: &Waker,
    ) -> Begun<Result<T, ChannelError>, Self> {
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
            Err(key) => Begun::Waits(Receiving {
                receiver,
                entry: Some(key),
            }),
        }
    }

    /// The receiver that it waits at.
    pub fn receiver(&self) -> &'a Receiver<T> {
        self.receiver
    }

    fn time_out(&mut self) -> Result<T, ChannelError> {
        let Some(key) = self.entry.take() else {
            panic!("a receive was used after it was done");
        };
        let shared = &self.receiver.shared;
        match shared.with(|state, later| state.withdraw_receive(key, later)) {
            Wish::Waiting => Err(ChannelError::TimedOut),
            Wish::Received(accepted) => Ok(accepted.message),
            Wish::Refused(error) => Err(error),
        }
    }
}

impl<T: Payload> Future for Receiving<'_, T> {
    type Output = Result<T, ChannelError>;

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

impl<T: Payload> Drop for Receiving<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(key) = self.entry {
            let shared = &self.receiver.shared;
            shared.with(|state, later| state.cancel_receive(key, later));
        }
    }
}

impl<T: Payload> fmt::Debug for Receiving<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiving")
            .field("receiver", self.receiver)
            .finish_non_exhaustive()
    }
}
