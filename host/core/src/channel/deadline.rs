//! Sending and receiving that give up at a deadline.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::error::{ReceiveTimeoutError, SendTimeoutError};
use super::operation::{ReceiveFuture, SendFuture};
use super::options::Payload;
use crate::clock::Sleep;

/// The future of [`Sender::send_by`](crate::Sender::send_by).
///
/// # Cancel safety
///
/// As [`SendFuture`].
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct SendDeadline<'a, T: Payload> {
    pub(super) send: SendFuture<'a, T>,
    pub(super) deadline: Sleep,
}

impl<T: Payload> Future for SendDeadline<'_, T> {
    type Output = Result<(), SendTimeoutError<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(sent) = Pin::new(&mut self.send).poll(context) {
            return Poll::Ready(sent.map_err(SendTimeoutError::from));
        }
        let elapsed = Pin::new(&mut self.deadline).poll(context);
        elapsed.map(|()| self.send.time_out())
    }
}

/// The future of [`Receiver::receive_by`](crate::Receiver::receive_by).
///
/// # Cancel safety
///
/// As [`ReceiveFuture`].
#[derive(Debug)]
#[must_use = "nothing is received until it is awaited"]
pub struct ReceiveDeadline<'a, T: Payload> {
    pub(super) receive: ReceiveFuture<'a, T>,
    pub(super) deadline: Sleep,
}

impl<T: Payload> Future for ReceiveDeadline<'_, T> {
    type Output = Result<T, ReceiveTimeoutError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(received) = Pin::new(&mut self.receive).poll(context) {
            return Poll::Ready(received.map_err(ReceiveTimeoutError::from));
        }
        let elapsed = Pin::new(&mut self.deadline).poll(context);
        elapsed.map(|()| self.receive.time_out())
    }
}
