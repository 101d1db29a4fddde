//! Calls of stackless processes that wait.
//!
//! Each call does what the function of the same name does for a process with a fiber, and ends in the
//! same code; but what waits is kept here instead of on a stack. A call is begun with the process's
//! state at hand, waits without it, and is finished with it again. Sends, receives and sleeps, of which
//! a process makes most, are kept as they are; the rarer ones as futures that own what they work on.
//!
//! A call that waits shares the ends that it waits at. So none of them can be given away or closed
//! meanwhile (see `Ends`).

mod batch;
mod future;
mod spawn;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use transputer_abi::bindings::transputer::csp::channel as wit;
use transputer_abi::{Answer, Begun, Call};
use transputer_core::channel::{
    self as core, ChannelError, OwnedReceiving, OwnedSending, SendTimeoutError,
};
use transputer_core::clock::{Sleep, Time};
use transputer_core::{ChannelId, scheduler};
use wasmtime::Result;

use super::batch::packed_alone;
use crate::message::{Bytes, Message};
use crate::patience::Patience;
use crate::process::ProcessState;
use batch::Batch;
use future::Other;
use spawn::Spawning;

/// A call that waits.
pub(crate) struct Operation {
    /// When it began to wait, if that is limited.
    began: Option<Time>,
    kind: Kind,
}

enum Kind {
    Send {
        sending: OwnedSending<Message>,
        size: usize,
        deadline: Option<Sleep>,
    },
    Receive {
        receiving: OwnedReceiving<Message>,
        wants: Wants,
        deadline: Option<Sleep>,
    },
    Batch(Box<Batch>),
    Sleep(Sleep),
    /// Until it is looked at once more.
    Yield,
    Other(Box<Other>),
    Spawn(Box<Spawning>),
}

/// What a receive is to come to.
#[derive(Copy, Clone)]
enum Wants {
    Plain,
    /// As `receive-some`, at most so many.
    Some(u32),
    /// As `receive-batch`.
    Batch(u32),
    Ends,
}

impl Operation {
    /// The channel, if it receives by itself.
    fn receives(&self) -> Option<ChannelId> {
        match &self.kind {
            Kind::Receive { receiving, .. } => Some(receiving.receiver().id()),
            _ => None,
        }
    }

    /// The channels at which it waits to receive.
    pub(crate) fn asks(&self) -> impl Iterator<Item = ChannelId> {
        let others = match &self.kind {
            Kind::Other(other) => other.receives(),
            _ => &[],
        };
        self.receives().into_iter().chain(others.iter().copied())
    }

    /// Whether somebody who waits nowhere ends it, as far as the channels show: time, or a process.
    pub(crate) fn is_live(&self) -> bool {
        match &self.kind {
            Kind::Send { .. } | Kind::Receive { .. } => false,
            Kind::Batch(batch) => batch.is_live(),
            Kind::Sleep(_) | Kind::Yield => true,
            Kind::Other(other) => other.is_live(),
            Kind::Spawn(spawning) => spawning.is_live(),
        }
    }

    /// When it began to wait, if it is an operation on channels and that is limited.
    pub(crate) fn began(&self) -> Option<Time> {
        self.began
    }
}

impl ProcessState {
    /// Begins a call: see [`HostCalls::begin`](transputer_abi::HostCalls::begin).
    pub(crate) fn begin_call(&mut self, call: Call<'_>, waker: &Waker) -> Result<Begun<Operation>> {
        use wit::Patience::{Forever, Until};
        self.close_dropped();
        match call {
            Call::SendSmall { sender, message } => {
                let bytes = match self.small(&message) {
                    Ok(bytes) => bytes,
                    Err(error) => return done(Answer::Done(Err(error))),
                };
                self.begin_send(sender, bytes, Forever, waker, true)
            }
            Call::SenderSend { this, message } => {
                self.ends.sender(&this)?;
                self.begin_message(this.rep(), message, Forever, waker)
            }
            Call::SenderSendBy {
                this,
                message,
                deadline,
            } => {
                self.ends.sender(&this)?;
                self.begin_message(this.rep(), message, Until(deadline), waker)
            }
            Call::SendSome { sender, packed } => {
                self.begin_batch(sender, packed, Forever, false, waker)
            }
            Call::SenderSendBatch {
                this,
                packed,
                patience,
            } => {
                self.ends.sender(&this)?;
                self.begin_batch(this.rep(), &packed, patience, true, waker)
            }
            Call::ReceiveSome { receiver, most } => {
                self.begin_receive(receiver, Forever, Wants::Some(most), waker)
            }
            Call::ReceiverReceive { this } => {
                self.ends.receiver(&this)?;
                self.begin_receive(this.rep(), Forever, Wants::Plain, waker)
            }
            Call::ReceiverReceiveBy { this, deadline } => {
                self.ends.receiver(&this)?;
                self.begin_receive(this.rep(), Until(deadline), Wants::Plain, waker)
            }
            Call::ReceiverReceiveBatch {
                this,
                most,
                patience,
            } => {
                self.ends.receiver(&this)?;
                self.begin_receive(this.rep(), patience, Wants::Batch(most), waker)
            }
            Call::ReceiverReceiveEnds { this, patience } => {
                self.ends.receiver(&this)?;
                self.begin_receive(this.rep(), patience, Wants::Ends, waker)
            }
            Call::SleepUntil { deadline } => {
                let sleep = self.sleep_until(deadline);
                self.begin_kind(Kind::Sleep(sleep), waker)
            }
            Call::YieldNow => {
                waker.wake_by_ref();
                Ok(Begun::Waits(self.operation(Kind::Yield)))
            }
            Call::Spawn {
                component,
                name,
                args,
                inputs,
                outputs,
            } => {
                let wiring = self.take_wiring(inputs, outputs)?;
                let now = self.network.host.scheduler().clock().now();
                let patience = Patience::at_capacity(self.network.at_capacity, now);
                self.begin_spawn(component, name, args, wiring, patience, waker)
            }
            Call::SpawnPatiently {
                component,
                name,
                args,
                inputs,
                outputs,
                patience,
            } => {
                let wiring = self.take_wiring(inputs, outputs)?;
                self.begin_spawn(component, name, args, wiring, patience.into(), waker)
            }
            other => match self.other(other)? {
                Begun::Done(answer) => done(answer),
                Begun::Waits(other) => self.begin_kind(Kind::Other(Box::new(other)), waker),
            },
        }
    }

    fn operation(&self, kind: Kind) -> Operation {
        let on_channels = matches!(
            kind,
            Kind::Send { .. } | Kind::Receive { .. } | Kind::Batch(_) | Kind::Other(_)
        );
        let limited = self.process.spec.limits.operation.is_some();
        let clock = self.network.host.scheduler().clock();
        Operation {
            began: (limited && on_channels).then(|| clock.now()),
            kind,
        }
    }

    /// Looks at what was just begun for the first time.
    fn begin_kind(&mut self, kind: Kind, waker: &Waker) -> Result<Begun<Operation>> {
        let mut operation = self.operation(kind);
        Ok(match self.resume_call(&mut operation, waker)? {
            Some(answer) => Begun::Done(answer),
            None => Begun::Waits(operation),
        })
    }

    /// What has come of a call: see [`HostCalls::resume`](transputer_abi::HostCalls::resume).
    pub(crate) fn resume_call(
        &mut self,
        operation: &mut Operation,
        waker: &Waker,
    ) -> Result<Option<Answer>> {
        let context = &mut Context::from_waker(waker);
        let answer = match &mut operation.kind {
            Kind::Send {
                sending,
                size,
                deadline,
            } => {
                let Some(sent) = poll_send(sending, deadline, context) else {
                    return Ok(None);
                };
                Answer::Done(self.sent(sending.sender(), *size, sent))
            }
            Kind::Receive {
                receiving,
                wants,
                deadline,
            } => {
                let Some(received) = poll_receive(receiving, deadline, context) else {
                    return Ok(None);
                };
                self.finish_receive(receiving.receiver(), received, *wants)?
            }
            Kind::Batch(batch) => return self.resume_batch(batch, context),
            Kind::Sleep(sleep) => {
                if Pin::new(sleep).poll(context).is_pending() {
                    return Ok(None);
                }
                self.trace(|| "wakes up");
                Answer::Nothing
            }
            Kind::Yield => Answer::Nothing,
            Kind::Other(other) => return self.resume_other(other, context),
            Kind::Spawn(spawning) => return self.resume_spawn(spawning, context),
        };
        Ok(Some(answer))
    }

    /// Gives a call up: see [`HostCalls::cancel`](transputer_abi::HostCalls::cancel).
    pub(crate) fn cancel_call(&mut self, operation: Operation) -> Result<Option<Answer>> {
        match operation.kind {
            Kind::Send {
                mut sending, size, ..
            } => Ok(match sending.time_out() {
                Err(SendTimeoutError::TimedOut(_)) => None,
                sent => Some(Answer::Done(self.sent(
                    sending.sender(),
                    size,
                    sent.map_err(|refused| refused.into_parts().1),
                ))),
            }),
            // What it was handed goes back to its place.
            Kind::Receive { .. } | Kind::Sleep(_) | Kind::Yield => Ok(None),
            Kind::Batch(batch) => Ok(Some(self.cancel_batch(*batch))),
            Kind::Other(other) => self.cancel_other(*other),
            Kind::Spawn(spawning) => Ok(self.cancel_spawn(*spawning)),
        }
    }

    /// Gives up all calls that wait, since the process ends or is replaced.
    pub(crate) fn give_up_calls(&mut self) {
        drop(transputer_abi::HostCalls::abi_mut(self).take_waiting());
    }

    fn begin_message(
        &mut self,
        sender: u32,
        message: Vec<u8>,
        patience: wit::Patience,
        waker: &Waker,
    ) -> Result<Begun<Operation>> {
        match self.check_size(message.len()) {
            Ok(()) => self.begin_send(sender, message.into(), patience, waker, false),
            Err(error) => done(Answer::Done(Err(error))),
        }
    }

    fn begin_send(
        &mut self,
        sender: u32,
        bytes: Bytes,
        patience: wit::Patience,
        waker: &Waker,
        by_number: bool,
    ) -> Result<Begun<Operation>> {
        let size = bytes.len();
        let Some(sender) = self.ends.sender_at(sender) else {
            debug_assert!(by_number, "a handle was looked up before");
            return done(Answer::Done(Err(wit::Error::Moved)));
        };
        let message = self.memory.message(sender, bytes)?;
        let timed = matches!(patience, wit::Patience::Until(_));
        match sender.begin_owned_send(message, timed, waker) {
            core::Begun::Done(sent) => {
                let sent = sent.map_err(|refused| refused.into_parts().1);
                done(Answer::Done(self.sent(sender, size, sent)))
            }
            core::Begun::Waits(sending) => {
                let deadline = self.deadline(patience);
                let kind = Kind::Send {
                    sending,
                    size,
                    deadline,
                };
                self.begun(kind, timed, waker)
            }
        }
    }

    fn begin_receive(
        &mut self,
        receiver: u32,
        patience: wit::Patience,
        wants: Wants,
        waker: &Waker,
    ) -> Result<Begun<Operation>> {
        let Some(receiver) = self.ends.receiver_at(receiver) else {
            return done(Answer::Some(Err(wit::Error::Moved)));
        };
        let timed = matches!(patience, wit::Patience::Until(_));
        let begun = match patience {
            wit::Patience::Never => {
                core::Begun::Done(receiver.try_receive().map_err(ChannelError::from))
            }
            _ => match receiver.begin_owned_receive(timed, waker) {
                core::Begun::Done(received) => {
                    core::Begun::Done(received.map_err(ChannelError::from))
                }
                core::Begun::Waits(receiving) => core::Begun::Waits(receiving),
            },
        };
        match begun {
            core::Begun::Done(received) => {
                let receiver = receiver.clone();
                done(self.finish_receive(&receiver, received, wants)?)
            }
            core::Begun::Waits(receiving) => {
                if self.is_watched() {
                    self.process.in_flight.asks([receiver.id()], false);
                }
                let deadline = self.deadline(patience);
                let kind = Kind::Receive {
                    receiving,
                    wants,
                    deadline,
                };
                self.begun(kind, timed, waker)
            }
        }
    }

    fn finish_receive(
        &mut self,
        receiver: &crate::message::Receiver,
        received: Result<Message, ChannelError>,
        wants: Wants,
    ) -> Result<Answer> {
        Ok(match wants {
            Wants::Plain => Answer::Bytes(self.plain(receiver, received)?.map(Bytes::into_vec)),
            Wants::Some(most) => Answer::Some(self.some_behind(receiver, received, most)?),
            Wants::Batch(most) => Answer::Bytes(self.plain(receiver, received)?.map(|first| {
                let batch = self.batch_behind(receiver, &first, most);
                batch.unwrap_or_else(|| packed_alone(&first))
            })),
            Wants::Ends => Answer::Message(self.with_ends(receiver, received)?),
        })
    }

    /// A send or a receive that waits; one with a deadline must be looked at to set the clock.
    fn begun(&mut self, kind: Kind, timed: bool, waker: &Waker) -> Result<Begun<Operation>> {
        match timed {
            true => self.begin_kind(kind, waker),
            false => Ok(Begun::Waits(self.operation(kind))),
        }
    }

    fn deadline(&self, patience: wit::Patience) -> Option<Sleep> {
        match patience {
            wit::Patience::Until(deadline) => Some(self.sleep_until(deadline)),
            _ => None,
        }
    }

    /// Notes that the process waits for its calls: for reports, and for who wants to replace it.
    pub(crate) fn note_parked(&mut self) {
        let waiting = || transputer_abi::HostCalls::abi(self).waiting();
        let live = waiting().any(Operation::is_live);
        let oldest = match self.process.spec.limits.operation {
            Some(_) => waiting().filter_map(Operation::began).min(),
            None => None,
        };
        self.process.stackless_parks(live, oldest);
        if self.is_watched() {
            let asked = waiting().flat_map(Operation::asks);
            self.process.in_flight.asks(asked, true);
        }
    }

    /// Notes that it goes on.
    pub(crate) fn note_goes_on(&mut self) {
        self.process.stackless_goes_on();
        if self.is_watched() {
            self.process.in_flight.goes_on();
        }
    }
}

fn done(answer: Answer) -> Result<Begun<Operation>> {
    Ok(Begun::Done(answer))
}

/// Looks at a send, then at its deadline: what has happened by then counts.
fn poll_send(
    sending: &mut OwnedSending<Message>,
    deadline: &mut Option<Sleep>,
    context: &mut Context<'_>,
) -> Option<Result<(), ChannelError>> {
    if let Poll::Ready(sent) = Pin::new(&mut *sending).poll(context) {
        return Some(sent.map_err(|refused| refused.into_parts().1));
    }
    let elapsed = Pin::new(deadline.as_mut()?).poll(context).is_ready();
    let time_out = || sending.time_out().map_err(|refused| refused.into_parts().1);
    elapsed.then(time_out)
}

/// The same for a receive.
fn poll_receive(
    receiving: &mut OwnedReceiving<Message>,
    deadline: &mut Option<Sleep>,
    context: &mut Context<'_>,
) -> Option<Result<Message, ChannelError>> {
    if let Poll::Ready(received) = Pin::new(&mut *receiving).poll(context) {
        return Some(received.map_err(ChannelError::from));
    }
    let elapsed = Pin::new(deadline.as_mut()?).poll(context).is_ready();
    elapsed.then(|| receiving.time_out().map_err(ChannelError::from))
}

/// Has a call looked at again when others have had their turn.
fn later(context: &Context<'_>) {
    scheduler::preempted();
    context.waker().wake_by_ref();
}
