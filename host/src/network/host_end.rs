//! Host ends: the ends of channels that the embedding program holds.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use transputer_core::channel::{ChannelError, Poison, PoisonKind, SendError, Statistics};

use crate::message::{Message, Receiver, Sender};
use crate::signature::PayloadType;

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

/// The end of a channel at which the embedding program receives from a process.
///
/// It is a blocking iterator by [`iter`](Self::iter), and a [`Stream`] for async programs.
#[derive(Clone)]
pub struct HostReceiver {
    receiver: Receiver,
    payload: PayloadType,
    /// The receive that the stream has under way.
    pending: Pending,
}

/// Why a value was not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendValueError {
    /// The value has no CBOR form.
    #[error("the value cannot be encoded: {0}")]
    Encode(String),
    /// The channel did not take it.
    #[error(transparent)]
    Channel(#[from] ChannelError),
}

/// Why no value was received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveValueError {
    /// A message came that is no such value; it is gone.
    #[error("undecodable message on a port of type `{payload}`: {reason}")]
    Decode {
        /// What the port carries.
        payload: String,
        /// What does not fit.
        reason: String,
    },
    /// The channel had none.
    #[error(transparent)]
    Channel(#[from] ChannelError),
}

impl HostSender {
    pub(super) fn new(sender: Sender, payload: PayloadType) -> Self {
        Self { sender, payload }
    }

    /// What the port at the other end receives.
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

    /// Sends a message if that needs no waiting.
    ///
    /// # Errors
    /// Gives the message back; with [`ChannelError::WouldBlock`] if it would wait.
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

impl HostReceiver {
    pub(super) fn new(receiver: Receiver, payload: PayloadType) -> Self {
        Self {
            receiver,
            payload,
            pending: Pending::default(),
        }
    }

    /// What the port at the other end sends.
    pub fn payload_type(&self) -> &PayloadType {
        &self.payload
    }

    /// Takes the next message; blocks the calling thread until there is one.
    ///
    /// # Errors
    /// [`ChannelError::Closed`] when no sender is left and everything has been taken;
    /// [`ChannelError::Poisoned`] when a process ended badly.
    pub fn receive(&self) -> Result<Vec<u8>, ChannelError> {
        self.receiver.receive_blocking().map(bytes)
    }

    /// Takes the next message if there is one.
    ///
    /// # Errors
    /// As [`receive`](Self::receive), and [`ChannelError::WouldBlock`].
    pub fn try_receive(&self) -> Result<Vec<u8>, ChannelError> {
        self.receiver.try_receive().map(bytes)
    }

    /// Like [`receive`](Self::receive), but gives up after `timeout`.
    ///
    /// # Errors
    /// As `receive`, and [`ChannelError::TimedOut`].
    pub fn receive_timeout(&self, timeout: Duration) -> Result<Vec<u8>, ChannelError> {
        self.receiver.receive_timeout(timeout).map(bytes)
    }

    /// Like [`receive`](Self::receive), in an async program. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    /// As `receive`.
    pub async fn receive_async(&self) -> Result<Vec<u8>, ChannelError> {
        self.receiver.receive().await.map(bytes)
    }

    /// Takes the next message, and decodes it from CBOR; blocks like
    /// [`receive`](Self::receive).
    ///
    /// # Errors
    /// [`ReceiveValueError`].
    pub fn receive_value<T: DeserializeOwned>(&self) -> Result<T, ReceiveValueError> {
        self.decode(&self.receive()?)
    }

    /// The messages until the channel ends, each when it comes.
    pub fn iter(&self) -> Messages<'_, Vec<u8>> {
        Messages {
            receiver: self,
            take: HostReceiver::receive_raw,
            item: PhantomData,
        }
    }

    /// The messages until the channel ends, decoded from CBOR. A message that cannot be
    /// decoded, or the poison that ends the channel, is an `Err`.
    pub fn values<T: DeserializeOwned>(&self) -> Messages<'_, T> {
        Messages {
            receiver: self,
            take: HostReceiver::receive_value::<T>,
            item: PhantomData,
        }
    }

    /// Ends the channel at once for both sides, with a reason.
    pub fn poison(&self, reason: &str) {
        self.receiver.poison(poison(reason));
    }

    /// What the channel has seen so far.
    pub fn statistics(&self) -> Statistics {
        self.receiver.statistics()
    }

    /// A crossbeam receiver that a thread passes messages to. It disconnects when the channel
    /// ends; the channel closes when every clone of it is dropped. Up to `capacity` messages
    /// wait in between.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn into_crossbeam(
        self,
        capacity: usize,
    ) -> io::Result<crossbeam_channel::Receiver<Vec<u8>>> {
        let (messages, receiver) = crossbeam_channel::bounded::<Vec<u8>>(capacity);
        thread("transputer-from-network", move || {
            while let Ok(message) = self.receive() {
                if messages.send(message).is_err() {
                    break;
                }
            }
        })?;
        Ok(receiver)
    }

    fn receive_raw(&self) -> Result<Vec<u8>, ReceiveValueError> {
        Ok(self.receive()?)
    }

    fn decode<T: DeserializeOwned>(&self, message: &[u8]) -> Result<T, ReceiveValueError> {
        minicbor_serde::from_slice(message).map_err(|error| ReceiveValueError::Decode {
            payload: self.payload.to_string(),
            reason: error.to_string(),
        })
    }
}

/// A blocking iterator over the messages of a channel; see [`HostReceiver::iter`].
///
/// It ends when the channel is closed. Poison comes as one last `Err`.
pub struct Messages<'a, T> {
    receiver: &'a HostReceiver,
    take: fn(&HostReceiver) -> Result<T, ReceiveValueError>,
    item: PhantomData<T>,
}

impl<T> Iterator for Messages<'_, T> {
    type Item = Result<T, ReceiveValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        match (self.take)(self.receiver) {
            Err(ReceiveValueError::Channel(ChannelError::Closed)) => None,
            Err(error @ ReceiveValueError::Channel(_)) => {
                self.take = |_| Err(ChannelError::Closed.into());
                Some(Err(error))
            }
            other => Some(other),
        }
    }
}

type Receiving = Pin<Box<dyn Future<Output = Result<Message, ChannelError>> + Send>>;

/// A receive that is under way; a clone of its receiver starts with none.
#[derive(Default)]
struct Pending {
    receiving: Option<Receiving>,
    over: bool,
}

impl Clone for Pending {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Stream for HostReceiver {
    type Item = Result<Vec<u8>, ChannelError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.pending.over {
            return Poll::Ready(None);
        }
        let this = &mut *self;
        let receiving = this.pending.receiving.get_or_insert_with(|| {
            let receiver = this.receiver.clone();
            Box::pin(async move { receiver.receive().await })
        });
        let received = std::task::ready!(receiving.as_mut().poll(context));
        self.pending.receiving = None;
        self.pending.over = received.is_err();
        Poll::Ready(match received {
            Err(ChannelError::Closed) => None,
            other => Some(other.map(bytes)),
        })
    }
}

impl fmt::Debug for HostSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostSender").field(&self.sender).finish()
    }
}

impl fmt::Debug for HostReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostReceiver").field(&self.receiver).finish()
    }
}

impl<T> fmt::Debug for Messages<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Messages").field(self.receiver).finish()
    }
}

/// The payload; ends that come with it are closed, for a program cannot take them yet.
fn bytes(message: Message) -> Vec<u8> {
    message.bytes
}

fn bytes_back(refused: SendError<Message>) -> SendError<Vec<u8>> {
    SendError {
        message: refused.message.bytes,
        error: refused.error,
    }
}

fn poison(reason: &str) -> Poison {
    Poison {
        kind: PoisonKind::Poisoned,
        reason: reason.into(),
    }
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map(drop)
}
