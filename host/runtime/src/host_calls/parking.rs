//! Sends and receives that may park their process, and that note while it is parked.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use transputer_core::ChannelId;
use transputer_core::channel::{Begun, ChannelError, ReceiveError, Receiving, SendError, Sending};

use crate::message::{Bytes, Message, Receiver, Sender};
use crate::process::{MemoryLimiter, Parked, Process};

/// One send or receive of a process, which is noted while it is parked there. (What
/// [`Process::operate`] does, and [`watching`], in one future, for the operations that park most.)
pub(super) struct Parking<'a, F> {
    process: &'a Process,
    /// The channel, if it receives.
    asks: Option<ChannelId>,
    operation: F,
    parked: Option<Parked<'a>>,
}

impl<'a, F> Parking<'a, F> {
    pub(super) fn sending(process: &'a Process, send: F) -> Self {
        Self {
            process,
            asks: None,
            operation: send,
            parked: None,
        }
    }

    pub(super) fn receiving(process: &'a Process, channel: ChannelId, receive: F) -> Self {
        Self {
            process,
            asks: Some(channel),
            operation: receive,
            parked: None,
        }
    }
}

impl<F: Future + Unpin> Future for Parking<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.operation).poll(context);
        if polled.is_ready() {
            this.parked = None;
        } else if this.parked.is_none() {
            this.parked = Some(this.process.park());
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

/// A send of a few bytes, which takes less memory than one that keeps a whole message.
pub(super) struct Sends<'a> {
    process: &'a Process,
    stage: Stage<'a>,
}

enum Stage<'a> {
    Begins {
        sender: &'a Sender,
        memory: &'a mut MemoryLimiter,
        bytes: Bytes,
    },
    Waits {
        sending: Sending<'a, Message>,
        _parked: Parked<'a>,
    },
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
            Poll::Ready(Ok(sent.map_err(ChannelError::from)))
        };
        if let Stage::Waits { sending, .. } = &mut this.stage {
            return match Pin::new(sending).poll(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(sent) => {
                    this.stage = Stage::Done;
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
                this.stage = Stage::Waits {
                    sending,
                    _parked: this.process.park(),
                };
                Poll::Pending
            }
        }
    }
}

/// A receive.
pub(super) struct Receives<'a> {
    process: &'a Process,
    receiver: &'a Receiver,
    waits: Option<(Receiving<'a, Message>, Parked<'a>)>,
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
    fn parked(&self) -> Poll<Result<Message, ReceiveError>> {
        if self.process.in_flight.is_on() {
            self.process.in_flight.asks([self.receiver.id()], true);
        }
        Poll::Pending
    }
}

impl Future for Receives<'_> {
    type Output = Result<Message, ReceiveError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some((receiving, _)) = &mut this.waits {
            return match Pin::new(receiving).poll(context) {
                Poll::Pending => this.parked(),
                received => {
                    this.waits = None;
                    received
                }
            };
        }
        match this.receiver.begin_receive(context.waker()) {
            Begun::Done(received) => Poll::Ready(received),
            Begun::Waits(receiving) => {
                this.waits = Some((receiving, this.process.park()));
                this.parked()
            }
        }
    }
}
