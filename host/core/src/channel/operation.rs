//! Sending and receiving that may wait, as futures.
//!
//! A future that waits owns one entry in its channel's queue, and removes it when it is
//! polled to its end or dropped.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::error::{ChannelError, SendError};
use super::options::Payload;
use super::receiver::Receiver;
use super::sender::Sender;
use super::state::{Offer, Parking, Wish};
use super::waiting::{Key, Waiter};

enum Stage<M> {
    Start(M),
    Waiting(Key),
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
pub struct Send<'a, T: Payload> {
    sender: &'a Sender<T>,
    stage: Stage<T>,
    timed: bool,
}

impl<T: Payload> Unpin for Send<'_, T> {}

impl<'a, T: Payload> Send<'a, T> {
    pub(crate) fn new(sender: &'a Sender<T>, message: T, timed: bool) -> Self {
        Send {
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
            Stage::Waiting(key) => {
                let shared = &self.sender.shared;
                match shared.with(|state, later| state.withdraw_send(key, later)) {
                    Offer::Waiting { message, .. } => Err(SendError { message, error }),
                    Offer::Sent => Ok(()),
                    Offer::Refused(refused) => Err(refused),
                }
            }
            Stage::Done => panic!("a send was used after it was done"),
        }
    }
}

impl<T: Payload> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let shared = &this.sender.shared;
        match mem::replace(&mut this.stage, Stage::Done) {
            Stage::Start(message) => {
                let size = message.size();
                let result = shared.with(|state, later| {
                    let message = match state.try_send(message, size, later) {
                        Err(refused) if refused.error == ChannelError::WouldBlock => {
                            refused.message
                        }
                        done => return Ok(done),
                    };
                    let parking = Parking {
                        waiter: Waiter::Operation(Some(context.waker().clone())),
                        end: this.sender.key,
                        timed: this.timed,
                    };
                    match state.park_send(parking, message, size) {
                        Ok(key) => Err(key),
                        Err(refused) => Ok(Err(refused)),
                    }
                });
                match result {
                    Ok(done) => Poll::Ready(done),
                    Err(key) => {
                        this.stage = Stage::Waiting(key);
                        Poll::Pending
                    }
                }
            }
            Stage::Waiting(key) => {
                match shared.with(|state, later| state.poll_send(key, context.waker(), later)) {
                    Some(done) => Poll::Ready(done),
                    None => {
                        this.stage = Stage::Waiting(key);
                        Poll::Pending
                    }
                }
            }
            Stage::Done => panic!("a send was polled after it was done"),
        }
    }
}

impl<T: Payload> Drop for Send<'_, T> {
    fn drop(&mut self) {
        if let Stage::Waiting(key) = self.stage {
            // The message is dropped here, after unlocking.
            let _offer = self
                .sender
                .shared
                .with(|state, later| state.withdraw_send(key, later));
        }
    }
}

impl<T: Payload> fmt::Debug for Send<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Send")
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
pub struct Receive<'a, T: Payload> {
    receiver: &'a Receiver<T>,
    stage: Stage<()>,
    timed: bool,
}

impl<'a, T: Payload> Receive<'a, T> {
    pub(crate) fn new(receiver: &'a Receiver<T>, timed: bool) -> Self {
        Receive {
            receiver,
            stage: Stage::Start(()),
            timed,
        }
    }

    /// Gives up. A delivery that came first wins.
    pub(crate) fn time_out(&mut self) -> Result<T, ChannelError> {
        match mem::replace(&mut self.stage, Stage::Done) {
            Stage::Start(()) => Err(ChannelError::TimedOut),
            Stage::Waiting(key) => {
                let shared = &self.receiver.shared;
                match shared.with(|state, later| state.withdraw_receive(key, later)) {
                    Wish::Waiting => Err(ChannelError::TimedOut),
                    Wish::Received(accepted) => Ok(accepted.message),
                    Wish::Refused(error) => Err(error),
                }
            }
            Stage::Done => panic!("a receive was used after it was done"),
        }
    }
}

impl<T: Payload> Future for Receive<'_, T> {
    type Output = Result<T, ChannelError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let shared = &this.receiver.shared;
        match mem::replace(&mut this.stage, Stage::Done) {
            Stage::Start(()) => {
                let result = shared.with(|state, later| {
                    match state.try_receive(later) {
                        Err(ChannelError::WouldBlock) => {}
                        done => return Ok(done),
                    }
                    let parking = Parking {
                        waiter: Waiter::Operation(Some(context.waker().clone())),
                        end: this.receiver.key,
                        timed: this.timed,
                    };
                    match state.park_receive(parking) {
                        Ok(key) => Err(key),
                        Err(error) => Ok(Err(error)),
                    }
                });
                match result {
                    Ok(done) => Poll::Ready(done),
                    Err(key) => {
                        this.stage = Stage::Waiting(key);
                        Poll::Pending
                    }
                }
            }
            Stage::Waiting(key) => {
                match shared.with(|state, later| state.poll_receive(key, context.waker(), later)) {
                    Some(done) => Poll::Ready(done),
                    None => {
                        this.stage = Stage::Waiting(key);
                        Poll::Pending
                    }
                }
            }
            Stage::Done => panic!("a receive was polled after it was done"),
        }
    }
}

impl<T: Payload> Drop for Receive<'_, T> {
    fn drop(&mut self) {
        if let Stage::Waiting(key) = self.stage {
            self.receiver
                .shared
                .with(|state, later| state.cancel_receive(key, later));
        }
    }
}

impl<T: Payload> fmt::Debug for Receive<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receive")
            .field("receiver", self.receiver)
            .finish_non_exhaustive()
    }
}
