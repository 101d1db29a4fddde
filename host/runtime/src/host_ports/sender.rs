//! The sender that a program holds.

use std::fmt;
use std::io;
use std::time::Duration;

use serde::Serialize;
use transputer_core::Holder;
use transputer_core::channel::{SendError, Statistics, block_on};

use super::{HostEnd, SendValueError, WithEnds, poison, thread};
use crate::message::{Message, Sender};
use crate::network::ends_in_transit::send_ends;
use transputer_network::signature::PayloadType;

/// The end of a channel through which the embedding program sends to a process.
///
/// Clones are more senders of the same channel; the channel closes when all are dropped.
/// Messages are bytes: CBOR of the port's [`payload_type`](Self::payload_type), which
/// [`send_value`](Self::send_value) makes, or anything if that is `list<u8>`.
#[derive(Clone)]
pub struct HostSender {
    sender: Sender,
    payload: PayloadType,
}

impl HostSender {
    pub(crate) fn new(sender: Sender, payload: PayloadType) -> Self {
        Self { sender, payload }
    }

    pub(super) fn inner(&self) -> &Sender {
        &self.sender
    }

    pub(super) fn into_inner(self) -> Sender {
        self.sender
    }

    /// The same end of a channel that carries this: for ends that came in a message, of which
    /// only the program knows.
    #[must_use]
    pub fn carrying(self, payload: PayloadType) -> Self {
        Self { payload, ..self }
    }

    /// What the port at the other end receives; `list<u8>` for an end that came in a message.
    pub fn payload_type(&self) -> &PayloadType {
        &self.payload
    }

    /// Sends a message; blocks the calling thread until the channel has taken it.
    ///
    /// # Errors
    /// Gives the message back when the channel is closed or poisoned.
    pub fn send(&self, message: impl Into<Vec<u8>>) -> Result<(), SendError<Vec<u8>>> {
        let message = Message::new(message.into());
        self.sender.send_blocking(message).map_err(bytes_back)
    }

    /// Like [`send`](Self::send), but gives up after `timeout` of the system's time.
    ///
    /// # Errors
    /// As `send`, and [`ChannelError::TimedOut`](crate::ChannelError::TimedOut).
    pub fn send_timeout(
        &self,
        message: impl Into<Vec<u8>>,
        timeout: Duration,
    ) -> Result<(), SendError<Vec<u8>>> {
        let message = Message::new(message.into());
        self.sender
            .send_timeout(message, timeout)
            .map_err(bytes_back)
    }

    /// Sends a message with ends of channels attached, which then belong to whoever receives
    /// it; blocks like [`send`](Self::send).
    ///
    /// # Errors
    /// Gives message and ends back when the channel is closed or poisoned.
    pub fn send_with_ends(
        &self,
        message: impl Into<Vec<u8>>,
        ends: Vec<HostEnd>,
    ) -> Result<(), SendError<WithEnds>> {
        let ends: Vec<_> = ends.into_iter().map(HostEnd::into_message).collect();
        let message = Message {
            ends: ends.into(),
            ..Message::new(message.into())
        };
        let send = |message| self.sender.send(message);
        let sending = send_ends(&self.sender, message, Holder::Host, send);
        let sent = block_on(Box::pin(sending));
        sent.map_err(|refused| {
            let ends = refused.message.ends.take().into_iter();
            SendError {
                message: (
                    refused.message.bytes.into_vec(),
                    ends.map(HostEnd::from_message).collect(),
                ),
                error: refused.error,
            }
        })
    }

    /// Sends a message if that needs no waiting.
    ///
    /// # Errors
    /// Gives the message back; with [`ChannelError::WouldBlock`](crate::ChannelError::WouldBlock) if it would wait.
    pub fn try_send(&self, message: impl Into<Vec<u8>>) -> Result<(), SendError<Vec<u8>>> {
        let message = Message::new(message.into());
        self.sender.try_send(message).map_err(bytes_back)
    }

    /// Like [`send`](Self::send), in an async program. Dropping the future withdraws the
    /// message, unless it has been taken.
    ///
    /// # Errors
    /// As `send`.
    pub async fn send_async(&self, message: impl Into<Vec<u8>>) -> Result<(), SendError<Vec<u8>>> {
        let message = Message::new(message.into());
        self.sender.send(message).await.map_err(bytes_back)
    }

    /// Sends a value in CBOR; blocks like [`send`](Self::send). A port of type `list<u8>`
    /// takes no values, only bytes.
    ///
    /// # Errors
    /// [`SendValueError`].
    pub fn send_value<T: Serialize>(&self, value: &T) -> Result<(), SendValueError> {
        if self.payload.is_bytes() {
            let fault = "the port takes `list<u8>`, plain bytes: use `send`";
            return Err(SendValueError::Encode(fault.to_owned()));
        }
        let bytes = minicbor_serde::to_vec(value)
            .map_err(|error| SendValueError::Encode(error.to_string()))?;
        self.send(bytes).map_err(|refused| refused.error.into())
    }

    /// Ends the channel at once for both sides, with a reason.
    pub fn poison(&self, reason: &str) {
        self.sender.poison(poison(reason));
    }

    /// What the channel has seen so far.
    pub fn statistics(&self) -> Statistics {
        self.sender.statistics()
    }

    /// A crossbeam sender whose messages a thread passes on. The channel closes when every
    /// clone of it is dropped. Up to `capacity` messages wait in between; what waits there
    /// when the network no longer receives is dropped.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn into_crossbeam(self, capacity: usize) -> io::Result<crossbeam_channel::Sender<Vec<u8>>> {
        let (sender, messages) = crossbeam_channel::bounded::<Vec<u8>>(capacity);
        thread("transputer-to-network", move || {
            messages
                .into_iter()
                .take_while(|message| self.send(message.as_slice()).is_ok())
                .for_each(drop);
        })?;
        Ok(sender)
    }
}

impl fmt::Debug for HostSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostSender").field(&self.sender).finish()
    }
}

fn bytes_back(refused: SendError<Message>) -> SendError<Vec<u8>> {
    SendError {
        message: refused.message.bytes.into_vec(),
        error: refused.error,
    }
}
