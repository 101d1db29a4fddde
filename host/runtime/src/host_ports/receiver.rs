//! The receiver that a program holds.

use std::fmt;
use std::io;
use std::time::Duration;

use serde::de::DeserializeOwned;
use transputer_core::ChannelId;
use transputer_core::channel::{
    Poison, ReceiveError, ReceiveTimeoutError, Statistics, TryReceiveError,
};

use super::messages::Pending;
use super::{
    CrossbeamReceiver, HostEnd, Messages, ReceiveValueError, TryReceiveValueError, ValueStream,
    WithEnds, poison,
};
use crate::message::{Message, Receiver};
use transputer_network::signature::PayloadType;

/// The end of a channel at which the embedding program receives from a process.
///
/// [`iter`](Self::iter) makes a blocking iterator of it; in async programs it is a
/// [`Stream`](futures_core::Stream).
#[derive(Clone)]
pub struct HostReceiver {
    pub(super) receiver: Receiver,
    payload: PayloadType,
    /// The receive that the stream has under way.
    pub(super) pending: Pending,
}

impl HostReceiver {
    pub(crate) fn new(receiver: Receiver, payload: PayloadType) -> Self {
        Self {
            receiver,
            payload,
            pending: Pending::default(),
        }
    }

    pub(super) fn inner(&self) -> &Receiver {
        &self.receiver
    }

    pub(super) fn into_inner(self) -> Receiver {
        self.receiver
    }

    /// The same end, with the type that its channel carries: for an end that came in a message, whose
    /// type only the program knows.
    #[must_use]
    pub fn carrying(self, payload: PayloadType) -> Self {
        Self { payload, ..self }
    }

    /// What the port at the other end sends; `list<u8>` for an end that came in a message.
    pub fn payload_type(&self) -> &PayloadType {
        &self.payload
    }

    /// Takes the next message; blocks the calling thread until there is one. Ends that it
    /// carries are closed; [`receive_with_ends`](Self::receive_with_ends) takes them as well.
    ///
    /// # Errors
    /// [`Closed`](ReceiveError::Closed) when no sender is left and everything has been taken;
    /// [`Poisoned`](ReceiveError::Poisoned) when a process ended badly.
    pub fn receive(&self) -> Result<Vec<u8>, ReceiveError> {
        self.receiver.receive_blocking().map(bytes)
    }

    /// Takes the next message and the ends that it carries; blocks like
    /// [`receive`](Self::receive).
    ///
    /// # Errors
    /// As `receive`.
    pub fn receive_with_ends(&self) -> Result<WithEnds, ReceiveError> {
        let mut message = self.receiver.receive_blocking()?;
        let ends = message.take_ends().into_iter().map(HostEnd::from_message);
        Ok((message.into_inner().bytes.into_vec(), ends.collect()))
    }

    /// Takes the next message if there is one.
    ///
    /// # Errors
    /// [`Empty`](TryReceiveError::Empty) if there is none; otherwise as
    /// [`receive`](Self::receive).
    pub fn try_receive(&self) -> Result<Vec<u8>, TryReceiveError> {
        self.receiver.try_receive().map(bytes)
    }

    /// Like [`receive`](Self::receive), but gives up after `timeout`.
    ///
    /// # Errors
    /// [`TimedOut`](ReceiveTimeoutError::TimedOut); otherwise as `receive`.
    pub fn receive_timeout(&self, timeout: Duration) -> Result<Vec<u8>, ReceiveTimeoutError> {
        self.receiver.receive_timeout(timeout).map(bytes)
    }

    /// Like [`receive`](Self::receive), in an async program. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    /// As `receive`.
    pub async fn receive_async(&self) -> Result<Vec<u8>, ReceiveError> {
        self.receiver.receive().await.map(bytes)
    }

    /// Like [`receive_with_ends`](Self::receive_with_ends), in an async program. Dropping the future loses nothing.
    ///
    /// # Errors
    /// As `receive`.
    pub async fn receive_with_ends_async(&self) -> Result<WithEnds, ReceiveError> {
        let mut message = self.receiver.receive().await?;
        let ends = message.take_ends().into_iter().map(HostEnd::from_message);
        Ok((message.into_inner().bytes.into_vec(), ends.collect()))
    }

    /// Like [`receive_with_ends_async`](Self::receive_with_ends_async); the process that sent the message pays for it until
    /// it is dropped. For a program that keeps messages for its processes.
    ///
    /// # Errors
    /// As `receive`.
    pub async fn receive_charged_async(
        &self,
    ) -> Result<(ChargedMessage, Vec<HostEnd>), ReceiveError> {
        let mut message = self.receiver.receive().await?;
        let ends = message.take_ends().into_iter().map(HostEnd::from_message);
        let ends = ends.collect();
        Ok((ChargedMessage(message), ends))
    }

    /// Takes the next message, and decodes it from CBOR; blocks like
    /// [`receive`](Self::receive).
    ///
    /// # Errors
    /// [`ReceiveValueError`].
    pub fn receive_value<T: DeserializeOwned>(&self) -> Result<T, ReceiveValueError> {
        self.decode(&self.receive()?)
    }

    /// Like [`receive_value`](Self::receive_value), in an async program. Dropping the future loses nothing.
    ///
    /// # Errors
    /// As `receive_value`.
    pub async fn receive_value_async<T: DeserializeOwned>(&self) -> Result<T, ReceiveValueError> {
        let message = self.receive_async().await?;
        self.decode(&message)
    }

    /// Takes the next message if there is one, and decodes it.
    ///
    /// # Errors
    /// [`TryReceiveValueError`].
    pub fn try_receive_value<T: DeserializeOwned>(&self) -> Result<T, TryReceiveValueError> {
        let message = self.try_receive()?;
        self.decode(&message).map_err(TryReceiveValueError::Value)
    }

    /// This end as a [`Stream`](futures_core::Stream) of values. A message that cannot be decoded, or the poison that
    /// ends the channel, is an `Err`.
    pub fn into_stream<T: DeserializeOwned>(self) -> ValueStream<T> {
        ValueStream::new(self)
    }

    /// The messages, as they come, until the channel ends.
    pub fn iter(&self) -> Messages<'_, Vec<u8>> {
        Messages::new(self, HostReceiver::receive_raw)
    }

    /// The messages until the channel ends, decoded from CBOR. A message that cannot be
    /// decoded, or the poison that ends the channel, is an `Err`.
    pub fn values<T: DeserializeOwned>(&self) -> Messages<'_, T> {
        Messages::new(self, HostReceiver::receive_value::<T>)
    }

    /// Ends the channel at once for both sides, with a reason.
    pub fn poison(&self, reason: &str) {
        self.receiver.poison(poison(reason));
    }

    /// Ends the channel at once for both sides, as this poison says.
    pub fn poison_with(&self, poison: Poison) {
        self.receiver.poison(poison);
    }

    /// The channel's number.
    pub fn channel(&self) -> ChannelId {
        self.receiver.id()
    }

    /// Tells whether nobody sends any more, whenever it is asked, and keeps no end of the channel.
    pub fn is_ended_later(&self) -> impl Fn() -> bool + Send + Sync + 'static + use<> {
        let probe = self.receiver.inspect();
        move || probe.poisoned().is_some() || probe.snapshot().senders.is_empty()
    }

    /// What the channel has seen so far.
    pub fn statistics(&self) -> Statistics {
        self.receiver.statistics()
    }

    /// Tells what the channel has seen, whenever it is asked, and keeps no end of it.
    pub fn statistics_later(&self) -> impl Fn() -> Statistics + Send + Sync + 'static + use<> {
        let probe = self.receiver.inspect();
        move || probe.statistics()
    }

    /// A crossbeam receiver that a thread passes messages to. It disconnects when the channel
    /// ends; the channel closes, and the thread ends, when every clone of it is dropped. Up to
    /// `capacity` messages wait in between.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn into_crossbeam(self, capacity: usize) -> io::Result<CrossbeamReceiver> {
        CrossbeamReceiver::of(self.receiver, capacity)
    }

    fn receive_raw(&self) -> Result<Vec<u8>, ReceiveValueError> {
        Ok(self.receive()?)
    }

    pub(super) fn decode<T: DeserializeOwned>(
        &self,
        message: &[u8],
    ) -> Result<T, ReceiveValueError> {
        let fault = |reason| ReceiveValueError::Decode {
            payload: self.payload.to_string(),
            reason,
        };
        let mut deserializer = minicbor_serde::Deserializer::new(message);
        let value = T::deserialize(&mut deserializer).map_err(|error| fault(error.to_string()))?;
        match message.len() - deserializer.decoder().position() {
            0 => Ok(value),
            rest => Err(fault(format!("{rest} bytes follow after its end"))),
        }
    }
}

/// A message that counts as memory of the process that sent it, until it is dropped.
#[derive(Debug)]
pub struct ChargedMessage(Message);

impl AsRef<[u8]> for ChargedMessage {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes
    }
}

impl fmt::Debug for HostReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostReceiver").field(&self.receiver).finish()
    }
}

/// The payload; ends that come with it are closed.
fn bytes(message: Message) -> Vec<u8> {
    message.into_inner().bytes.into_vec()
}
