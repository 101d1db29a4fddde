//! Sends and receives that may park their process, which is noted while it is parked.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use transputer_core::ChannelId;
use transputer_core::channel::{Begun, ChannelError, Receiving, SendError, Sending};

use crate::message::{Bytes, Message, Receiver, Sender};
use crate::process::{MemoryLimiter, Process};

/// One send or receive of a process, which is noted while it is parked there. (What
/// [`Process::operate`] does, and [`watching`], in one future, for the operations that park most.)
pub(super) struct Parking<'a, F> {
    process: &'a Process,
    /// The channel, if it receives.
    asks: Option<ChannelId>,
    operation: F,
    parked: bool,
}

impl<'a, F> Parking<'a, F> {
    pub(super) fn sending(process: &'a Process, send: F) -> Self {
        Self {
            process,
            asks: None,
            operation: send,
            parked: false,
        }
    }

    pub(super) fn receiving(process: &'a Process, channel: ChannelId, receive: F) -> Self {
        Self {
            process,
            asks: Some(channel),
            operation: receive,
            parked: false,
        }
    }
}

impl<F: Future + Unpin> Future for Parking<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.operation).poll(context);
        if polled.is_pending() != this.parked {
            this.parked = !this.parked;
            this.process.note_parking();
        }
        if let Some(channel) = this.asks
            && polled.is_pending()
            && this.process.in_flight.is_on()
        {
            this.process.in_flight.asks([channel], true);
        }
        polled
    }
}

/// A send of a few bytes. What it keeps is little, unlike a message.
pub(crate) struct Sends<'a> {
    process: &'a Process,
    stage: Stage<'a>,
}

enum Stage<'a> {
    Begins {
        sender: &'a Sender,
        memory: &'a mut MemoryLimiter,
        bytes: Bytes,
    },
    Waits(Sending<'a, Message>),
    Done,
}

impl<'a> Sends<'a> {
    pub(super) fn new(
        process: &'a Process,
        sender: &'a Sender,
        memory: &'a mut MemoryLimiter,
        bytes: Bytes,
    ) -> Self {
        Self {
            process,
            stage: Stage::Begins {
                sender,
                memory,
                bytes,
            },
        }
    }
}

impl Future for Sends<'_> {
    type Output = wasmtime::Result<Result<(), ChannelError>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let told = |sent: Result<(), SendError<Message>>| {
            Poll::Ready(Ok(sent.map_err(|refused| refused.error)))
        };
        if let Stage::Waits(sending) = &mut this.stage {
            return match Pin::new(sending).poll(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(sent) => {
                    this.process.note_parking();
                    told(sent)
                }
            };
        }
        let Stage::Begins {
            sender,
            memory,
            bytes,
        } = mem::replace(&mut this.stage, Stage::Done)
        else {
            panic!("a send was polled after it was done");
        };
        let message = memory.message(sender, bytes)?;
        match sender.begin_send(message, context.waker()) {
            Begun::Done(sent) => told(sent),
            Begun::Waits(sending) => {
                this.stage = Stage::Waits(sending);
                this.process.note_parking();
                Poll::Pending
            }
        }
    }
}

/// A receive.
pub(crate) struct Receives<'a> {
    process: &'a Process,
    receiver: &'a Receiver,
    waits: Option<Receiving<'a, Message>>,
}

impl<'a> Receives<'a> {
    pub(super) fn new(process: &'a Process, receiver: &'a Receiver) -> Self {
        Self {
            process,
            receiver,
            waits: None,
        }
    }

    /// Tells the supervisor, if it wants to know.
    #[inline]
    fn parked(&self) -> Poll<Result<Message, ChannelError>> {
        if self.process.in_flight.is_on() {
            self.process.in_flight.asks([self.receiver.id()], true);
        }
        Poll::Pending
    }
}

impl Future for Receives<'_> {
    type Output = Result<Message, ChannelError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(receiving) = &mut this.waits {
            return match Pin::new(receiving).poll(context) {
                Poll::Pending => this.parked(),
                received => {
                    this.process.note_parking();
                    received
                }
            };
        }
        match this.receiver.begin_receive(context.waker()) {
            Begun::Done(received) => Poll::Ready(received),
            Begun::Waits(receiving) => {
                this.waits = Some(receiving);
                this.process.note_parking();
                this.parked()
            }
        }
    }
}
