//! Host ends as streams and sinks of values.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_sink::Sink;
use serde::Serialize;
use serde::de::DeserializeOwned;
use transputer_core::channel::SendError;

use super::{HostReceiver, HostSender, ReceiveValueError, SendValueError};

/// A host's receiver as a stream of values; see [`HostReceiver::into_stream`].
///
/// It ends when the channel is closed. Poison comes as one last `Err`.
pub struct ValueStream<T> {
    receiver: HostReceiver,
    value: PhantomData<fn() -> T>,
}

impl<T> ValueStream<T> {
    pub(super) fn new(receiver: HostReceiver) -> Self {
        Self {
            receiver,
            value: PhantomData,
        }
    }

    /// The end that it receives from. A message that the stream has taken and not yielded is lost.
    pub fn into_receiver(self) -> HostReceiver {
        self.receiver
    }
}

impl<T: DeserializeOwned> Stream for ValueStream<T> {
    type Item = Result<T, ReceiveValueError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let received = ready!(Pin::new(&mut self.receiver).poll_next(context));
        let decode = |message: Vec<u8>| self.receiver.decode(&message);
        Poll::Ready(received.map(|received| received.map_err(Into::into).and_then(decode)))
    }
}

type Sending = Pin<Box<dyn Future<Output = Result<(), SendError<Vec<u8>>>> + Send>>;

/// A host's sender as a sink of values; see [`HostSender::into_sink`].
///
/// It holds one value that the channel has not taken, beyond those that wait in the channel; `flush` waits until
/// it has. The channel closes when the sink, and every other sender, is dropped.
pub struct ValueSink<T> {
    sender: HostSender,
    sending: Option<Sending>,
    value: PhantomData<fn(T)>,
}

impl<T> ValueSink<T> {
    pub(super) fn new(sender: HostSender) -> Self {
        Self {
            sender,
            sending: None,
            value: PhantomData,
        }
    }

    fn poll_sent(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SendValueError>> {
        let Some(sending) = &mut self.sending else {
            return Poll::Ready(Ok(()));
        };
        let sent = ready!(sending.as_mut().poll(context));
        self.sending = None;
        Poll::Ready(sent.map_err(Into::into))
    }
}

impl<T: Serialize> Sink<T> for ValueSink<T> {
    type Error = SendValueError;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendValueError>> {
        self.poll_sent(context)
    }

    fn start_send(mut self: Pin<&mut Self>, value: T) -> Result<(), SendValueError> {
        let message = self.sender.encode(&value)?;
        let sender = self.sender.clone();
        self.sending = Some(Box::pin(async move { sender.send_async(message).await }));
        Ok(())
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendValueError>> {
        self.poll_sent(context)
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendValueError>> {
        self.poll_sent(context)
    }
}

impl<T> fmt::Debug for ValueStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ValueStream").field(&self.receiver).finish()
    }
}

impl<T> fmt::Debug for ValueSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ValueSink").field(&self.sender).finish()
    }
}
