//! The sender that a program holds.

use std::fmt;
use std::io;
use std::time::Duration;

use serde::Serialize;
use transputer_core::channel::{
    Poison, SendError, SendTimeoutError, Statistics, TrySendError, block_on,
};
use transputer_core::{ChannelId, Holder};

use super::{HostEnd, SendValueError, TrySendValueError, ValueSink, WithEnds, poison, thread};
use crate::message::{Carried, Message, Sender};
use crate::network::ends_in_transit::send_ends;
use transputer_network::signature::PayloadType;
use transputer_network::value::fits;

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

    /// The same end, with the type that its channel carries: for an end that came in a message, whose
    /// type only the program knows.
    #[must_use]
    pub fn carrying(self, payload: PayloadType) -> Self {
        Self { payload, ..self }
    }

    /// What the port at the other end receives; `list<u8>` for an end that came in a message.
    pub fn payload_type(&self) -> &PayloadType {
        &self.payload
    }

    /// Sends a message. Blocks the calling thread until the channel has taken it.
    ///
    /// # Errors
    /// Gives the message back when the channel is closed or poisoned.
    pub fn send(&self, message: impl Into<Vec<u8>>) -> Result<(), SendError<Vec<u8>>> {
        let message = Message::of_program(message.into(), Carried::default());
        let sent = self.sender.send_blocking(message);
        sent.map_err(|refused| refused.map(bytes))
    }

    /// Like [`send`](Self::send), but gives up after `timeout` of the system's time.
    ///
    /// # Errors
    /// [`TimedOut`](SendTimeoutError::TimedOut); otherwise as `send`.
    pub fn send_timeout(
        &self,
        message: impl Into<Vec<u8>>,
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<Vec<u8>>> {
        let message = Message::of_program(message.into(), Carried::default());
        let sent = self.sender.send_timeout(message, timeout);
        sent.map_err(|refused| refused.map(bytes))
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
        let message = Message::of_program(message.into(), ends.into());
        let send = |message| self.sender.send(message);
        let sending = send_ends(
            &self.sender,
            message,
            Holder::Host,
            send,
            SendError::message,
        );
        let sent = block_on(Box::pin(sending));
        sent.map_err(|refused| {
            refused.map(|mut message| {
                let ends = message.take_ends().into_iter();
                let ends = ends.map(HostEnd::from_message).collect();
                (message.into_inner().bytes.into_vec(), ends)
            })
        })
    }

    /// Sends a message if that is possible without waiting.
    ///
    /// # Errors
    /// Gives the message back: [`Full`](TrySendError::Full) if it would have to wait; otherwise as
    /// [`send`](Self::send).
    pub fn try_send(&self, message: impl Into<Vec<u8>>) -> Result<(), TrySendError<Vec<u8>>> {
        let message = Message::of_program(message.into(), Carried::default());
        let sent = self.sender.try_send(message);
        sent.map_err(|refused| refused.map(bytes))
    }

    /// Like [`send`](Self::send), in an async program. Dropping the future withdraws the
    /// message, unless it has been taken.
    ///
    /// # Errors
    /// As `send`.
    pub async fn send_async(&self, message: impl Into<Vec<u8>>) -> Result<(), SendError<Vec<u8>>> {
        let message = Message::of_program(message.into(), Carried::default());
        let sent = self.sender.send(message).await;
        sent.map_err(|refused| refused.map(bytes))
    }

    /// Sends a value in CBOR; blocks like [`send`](Self::send). It must be of the port's type: a process that cannot
    /// decode a message fails, so this is checked first. A port of type `list<u8>` takes no values, only bytes.
    ///
    /// # Errors
    /// [`SendValueError`].
    pub fn send_value<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), SendValueError> {
        Ok(self.send(self.encode(value)?)?)
    }

    /// Like [`send_value`](Self::send_value), in an async program. Dropping the future withdraws the value, unless it
    /// has been taken.
    ///
    /// # Errors
    /// [`SendValueError`].
    pub fn send_value_async<'s, T: Serialize + ?Sized>(
        &'s self,
        value: &T,
    ) -> impl Future<Output = Result<(), SendValueError>> + Send + use<'s, T> {
        // The value need not live, or go to other threads, while this waits.
        let encoded = self.encode(value);
        async move { Ok(self.send_async(encoded?).await?) }
    }

    /// Sends a value if that is possible without waiting.
    ///
    /// # Errors
    /// [`TrySendValueError`].
    pub fn try_send_value<T: Serialize + ?Sized>(
        &self,
        value: &T,
    ) -> Result<(), TrySendValueError> {
        let encoded = self.encode(value).map_err(TrySendValueError::Value)?;
        Ok(self.try_send(encoded)?)
    }

    /// This end as a [`Sink`](futures_sink::Sink) of values, each checked as by [`send_value`](Self::send_value).
    pub fn into_sink<T: Serialize>(self) -> ValueSink<T> {
        ValueSink::new(self)
    }

    /// The CBOR of a value that is of the port's type.
    pub(super) fn encode<T: Serialize + ?Sized>(
        &self,
        value: &T,
    ) -> Result<Vec<u8>, SendValueError> {
        if self.payload.is_bytes() {
            let fault = "the port takes `list<u8>`, plain bytes: use `send`";
            return Err(SendValueError::Encode(fault.to_owned()));
        }
        let bytes = minicbor_serde::to_vec(value)
            .map_err(|error| SendValueError::Encode(error.to_string()))?;
        fits(&self.payload, &bytes).map_err(|misfit| SendValueError::Misfit {
            payload: self.payload.to_string(),
            misfit,
        })?;
        Ok(bytes)
    }

    /// Ends the channel at once for both sides, with a reason.
    pub fn poison(&self, reason: &str) {
        self.sender.poison(poison(reason));
    }

    /// Ends the channel at once for both sides, as this poison says.
    pub fn poison_with(&self, poison: Poison) {
        self.sender.poison(poison);
    }

    /// Whether nobody will receive here any more: no receiver is left, or the channel is poisoned.
    pub fn is_ended(&self) -> bool {
        self.sender.is_ended()
    }

    /// What the channel is poisoned with.
    pub fn poisoned(&self) -> Option<Poison> {
        self.sender.poisoned()
    }

    /// The channel's number.
    pub fn channel(&self) -> ChannelId {
        self.sender.id()
    }

    /// Tells whether nobody receives any more, whenever it is asked, and keeps no end of the channel.
    pub fn is_ended_later(&self) -> impl Fn() -> bool + Send + Sync + 'static + use<> {
        let probe = self.sender.inspect();
        move || probe.poisoned().is_some() || probe.snapshot().receivers.is_empty()
    }

    /// What the channel has seen so far.
    pub fn statistics(&self) -> Statistics {
        self.sender.statistics()
    }

    /// A crossbeam sender whose messages a thread passes on. The channel closes when all its clones are
    /// dropped. Up to `capacity` messages wait in between; they are dropped when the network no longer
    /// receives.
    ///
    /// # Errors
    /// If the thread cannot be started.
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

fn bytes(message: Message) -> Vec<u8> {
    message.into_inner().bytes.into_vec()
}
