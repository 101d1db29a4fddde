//! Calls that are made more seldom, as futures that own what they work on.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use transputer_abi::bindings::transputer::csp::{alternation, channel as wit};
use transputer_abi::handles::PreparedHandle;
use transputer_abi::{Answer, Begun, Call};
use transputer_core::ChannelId;
use transputer_core::SyncTimeoutError;
use transputer_core::alternation::{Alternation, Chosen, Guard, Order};
use transputer_core::channel::{
    self as core, ChannelError, OwnedSending, SendError, SendTimeoutError, TrySendError,
};
use transputer_core::clock::Sleep;
use wasmtime::Result;

use crate::host_calls::cause::wit_outcome;
use crate::host_calls::patience::{Refused, given_back};
use crate::host_calls::prepared::{Choice, Offered};
use crate::host_calls::process::ended_by;
use crate::host_calls::wit_error;
use crate::limits::{Charge, ENTRY};
use crate::message::{Carried, Message, Receiver, Sender};
use crate::network::ends_in_transit::send_ends;
use crate::patience::Patience;
use crate::process::{Outcome, ProcessState};
use crate::text::Text;

/// A call as a future.
pub(super) struct Other {
    future: Pin<Box<dyn Future<Output = Done> + Send>>,
    /// Where it waits to receive.
    receives: Vec<ChannelId>,
    /// Whether time ends it, or a process that does not wait.
    live: bool,
    /// Its places in the queues of channels.
    _charge: Option<Charge>,
    /// What it may be given up for.
    gives_up: GivesUp,
}

/// What becomes of a call that is cancelled.
#[derive(Clone)]
enum GivesUp {
    Nothing,
    /// It has ends to give back.
    Ends(Arc<tokio::sync::Notify>),
}

/// What has come of it, to be finished with the process's state at hand.
pub(super) enum Done {
    Synced(Result<(), ChannelError>),
    Chosen {
        chosen: Chosen<Message>,
        /// At which receiver, if it received.
        receiver: Option<Arc<Receiver>>,
        alternation: Alternation,
        order: Order,
        prepared: Option<Prepared>,
    },
    SentEnds {
        sender: Arc<Sender>,
        size: usize,
        sent: Result<(), Refused>,
    },
    Ended(Option<Outcome>),
    Killed,
}

/// A guard with the end that it shares.
enum Among {
    Receive(Arc<Receiver>),
    Send(Arc<Sender>, Message),
    After(Sleep),
    Skip,
}

/// The end of the guard that it was.
enum Shared {
    Receiver(Arc<Receiver>),
    Sender(Arc<Sender>),
    None,
}

/// What its guard has besides.
enum Content {
    Message(Message),
    Until(Sleep),
    None,
}

/// What a prepared alternation has of its own.
pub(super) struct Prepared {
    /// The number of each guard that takes part.
    numbers: Vec<u32>,
    /// What it fails with where none of them wins.
    out_of_patience: wit::Error,
}

impl Other {
    fn new(future: impl Future<Output = Done> + Send + 'static) -> Self {
        Self {
            future: Box::pin(future),
            receives: Vec::new(),
            live: false,
            _charge: None,
            gives_up: GivesUp::Nothing,
        }
    }

    pub(super) fn receives(&self) -> &[ChannelId] {
        &self.receives
    }

    pub(super) fn is_live(&self) -> bool {
        self.live
    }
}

impl ProcessState {
    /// Makes a future of a call.
    pub(super) fn other(&mut self, call: Call<'_>) -> Result<Begun<Other>> {
        Ok(Begun::Waits(match call {
            Call::BarrierSync { this, patience } => {
                let barrier = self.ends.barrier(&this)?.clone();
                let wait = self.how_long(patience);
                let past = self.sleep_until(0);
                let live = !matches!(wait, Patience::Forever);
                let mut other = Other::new(async move {
                    Done::Synced(match wait {
                        Patience::Forever => barrier.sync().await.map_err(ChannelError::from),
                        Patience::Until(deadline) => {
                            let synced = barrier.sync_by(deadline).await;
                            synced.map_err(ChannelError::from)
                        }
                        Patience::Never => {
                            let synced = barrier.sync_by(past).await;
                            synced.map_err(|error| match error {
                                SyncTimeoutError::TimedOut => ChannelError::WouldBlock,
                                error => error.into(),
                            })
                        }
                    })
                });
                other.live = live;
                other
            }
            Call::Select { guards, order } => {
                if let Err(error) = self.check_guards(&guards) {
                    return Ok(Begun::Done(Answer::Chosen(Err(error))));
                }
                self.select_later(guards, order)?
            }
            Call::PreparedWait {
                this,
                enabled,
                offers,
                patience,
            } => return self.prepared_later(&this, enabled, offers, patience),
            Call::SenderSendEnds {
                this,
                message,
                ends,
                patience,
            } => return self.send_ends_later(this, message, ends, patience),
            Call::ChildWait { this, patience } => {
                let child = self.child(&this)?.0.clone();
                let wait = self.how_long(patience);
                let process = self.process.clone();
                let live = !matches!(wait, Patience::Forever);
                let mut other = Other::new(async move {
                    Done::Ended(match wait {
                        Patience::Forever => {
                            let _joining = process.joining(child.id);
                            Some(child.wait().await)
                        }
                        Patience::Until(deadline) => ended_by(&child, deadline).await,
                        Patience::Never => child.outcome(),
                    })
                });
                other.live = live;
                other
            }
            Call::ChildKill { this, reason } => {
                let child = self.child(&this)?.0.clone();
                child.end(Outcome::Stopped(Text::new(reason).into_string()));
                let mut other = Other::new(async move {
                    child.wait().await;
                    Done::Killed
                });
                // The child is still in the queues that it leaves, and waits for nobody.
                other.live = true;
                other
            }
            other => wasmtime::bail!("{other:?} is kept in another way"),
        }))
    }

    fn select_later(
        &mut self,
        guards: Vec<alternation::Guard>,
        order: alternation::Order,
    ) -> Result<Other> {
        // Its entries in the queues of the channels.
        let charge = self.memory.charge(ENTRY * guards.len() as u64)?;
        let mut among = Vec::with_capacity(guards.len());
        for guard in guards {
            among.push(match guard {
                alternation::Guard::Receive(receiver) => {
                    Among::Receive(self.ends.receiver(&receiver)?.clone())
                }
                alternation::Guard::Send((sender, message)) => {
                    let sender = self.ends.sender(&sender)?;
                    let message = self.memory.message(sender, message)?;
                    Among::Send(sender.clone(), message)
                }
                alternation::Guard::After(deadline) => Among::After(self.sleep_until(deadline)),
                alternation::Guard::Skip => Among::Skip,
            });
        }
        let order = match order {
            alternation::Order::Fair => Order::Fair,
            alternation::Order::Priority => Order::Priority,
        };
        Ok(self.choose_later(among, order, charge, None))
    }

    fn prepared_later(
        &mut self,
        this: &PreparedHandle,
        enabled: Option<Vec<u32>>,
        offers: Vec<(u32, Vec<u8>)>,
        patience: wit::Patience,
    ) -> Result<Begun<Other>> {
        let failed = |error| Ok(Begun::Done(Answer::Chosen(Err(error))));
        let wait = self.how_long(patience);
        let (choice, order, charge) = match self.choice_of(this, enabled, offers)? {
            Ok(choice) => choice,
            Err(error) => return failed(error),
        };
        let (numbers, guards) = match choice {
            Choice::Among { numbers, guards } => (numbers, guards),
            Choice::Moved(guard) => {
                let outcome = alternation::Outcome::Failed(wit::Error::Moved);
                let chosen = alternation::Chosen { guard, outcome };
                return Ok(Begun::Done(Answer::Chosen(Ok(chosen))));
            }
        };
        let among = guards.into_iter().map(|guard| match guard {
            Offered::Receive(receiver) => Among::Receive(receiver.clone()),
            Offered::Send(sender, message) => Among::Send(sender.clone(), message),
        });
        let mut among: Vec<Among> = among.collect();
        let out_of_patience = match wait {
            Patience::Forever if among.is_empty() => return failed(wit::Error::Malformed),
            Patience::Forever => wit::Error::Malformed,
            Patience::Until(deadline) => {
                among.push(Among::After(deadline));
                wit::Error::TimedOut
            }
            Patience::Never => {
                among.push(Among::Skip);
                wit::Error::WouldBlock
            }
        };
        let prepared = Prepared {
            numbers,
            out_of_patience,
        };
        Ok(Begun::Waits(self.choose_later(
            among,
            order,
            charge,
            Some(prepared),
        )))
    }

    fn choose_later(
        &self,
        among: Vec<Among>,
        order: Order,
        charge: Charge,
        prepared: Option<Prepared>,
    ) -> Other {
        let receives = among.iter().filter_map(|guard| match guard {
            Among::Receive(receiver) => Some(receiver.id()),
            _ => None,
        });
        let receives = receives.collect();
        let live = among.iter().any(|it| matches!(it, Among::After(_)));
        let mut alternation = match order {
            Order::Fair => self.fair.clone(),
            Order::Priority => self.priority.clone(),
        };
        let mut other = Other::new(async move {
            let mut ends = Vec::with_capacity(among.len());
            let mut contents = Vec::with_capacity(among.len());
            for guard in among {
                let (end, content) = match guard {
                    Among::Receive(receiver) => (Shared::Receiver(receiver), Content::None),
                    Among::Send(sender, message) => {
                        (Shared::Sender(sender), Content::Message(message))
                    }
                    Among::After(sleep) => (Shared::None, Content::Until(sleep)),
                    Among::Skip => (Shared::None, Content::None),
                };
                ends.push(end);
                contents.push(content);
            }
            let guards = ends.iter().zip(contents);
            let guards = guards.map(|(end, content)| match (end, content) {
                (Shared::Receiver(receiver), _) => Guard::Receive(receiver),
                (Shared::Sender(sender), Content::Message(message)) => Guard::Send(sender, message),
                (_, Content::Until(sleep)) => Guard::After(sleep),
                _ => Guard::Skip,
            });
            let chosen = alternation.wait(guards.collect()).await;
            let receiver = match ends.get(chosen.guard) {
                Some(Shared::Receiver(receiver)) => Some(receiver.clone()),
                _ => None,
            };
            Done::Chosen {
                chosen,
                receiver,
                alternation,
                order,
                prepared,
            }
        });
        other.receives = receives;
        other.live = live;
        other._charge = Some(charge);
        other
    }

    fn send_ends_later(
        &mut self,
        this: transputer_abi::handles::SenderHandle,
        message: Vec<u8>,
        ends: Vec<wit::End>,
        patience: wit::Patience,
    ) -> Result<Begun<Other>> {
        let size = message.len();
        let ends = Carried::given(self.give_away(ends)?, &self.process);
        let mut message = self.memory.message_with_ends(message, ends)?;
        if let Err(error) = self.check_size(size) {
            let ends = self.adopt(message.take_ends());
            let refused = wit::Refused { error, ends };
            return Ok(Begun::Done(Answer::Ends(Err(refused))));
        }
        let wait = self.how_long(patience);
        let live = !matches!(wait, Patience::Forever);
        let sender = self.ends.sender(&this)?.clone();
        let owner = self.ends.holder();
        let (network, mut pace) = (self.network.clone(), self.pace.clone());
        let given_up = Arc::new(tokio::sync::Notify::new());
        let told = given_up.clone();
        let mut other = Other::new(async move {
            let sent = {
                let sender = &sender;
                let send = |message| until_given_up(wait, sender, message, told);
                send_ends(sender, message, owner, send, given_back).await
            };
            network.ends_sent(&mut pace).await;
            Done::SentEnds { sender, size, sent }
        });
        other.live = live;
        other.gives_up = GivesUp::Ends(given_up);
        Ok(Begun::Waits(other))
    }

    pub(super) fn resume_other(
        &mut self,
        other: &mut Other,
        context: &mut Context<'_>,
    ) -> Result<Option<Answer>> {
        match other.future.as_mut().poll(context) {
            Poll::Pending => Ok(None),
            Poll::Ready(done) => Ok(Some(self.finish_other(done)?)),
        }
    }

    pub(super) fn cancel_other(&mut self, mut other: Other) -> Result<Option<Answer>> {
        let GivesUp::Ends(given_up) = &other.gives_up else {
            return Ok(None);
        };
        given_up.notify_one();
        // It waits for nothing else now, except to let others run.
        let context = &mut Context::from_waker(std::task::Waker::noop());
        loop {
            if let Some(answer) = self.resume_other(&mut other, context)? {
                return Ok(Some(answer));
            }
        }
    }

    fn finish_other(&mut self, done: Done) -> Result<Answer> {
        Ok(match done {
            Done::Synced(synced) => {
                self.trace(|| match &synced {
                    Ok(()) => "passes a barrier".to_owned(),
                    Err(error) => format!("does not pass a barrier: {error}"),
                });
                Answer::Done(synced.map_err(|error| wit_error(&error)))
            }
            Done::Chosen {
                chosen,
                receiver,
                alternation,
                order,
                prepared,
            } => {
                match order {
                    Order::Fair => self.fair = alternation,
                    Order::Priority => self.priority = alternation,
                }
                let guard = match prepared {
                    None => u32::try_from(chosen.guard).ok(),
                    Some(prepared) => match prepared.numbers.get(chosen.guard) {
                        Some(number) => Some(*number),
                        None => return Ok(Answer::Chosen(Err(prepared.out_of_patience))),
                    },
                };
                let guard = guard.expect("the limit on guards is below 2^32");
                let channel = receiver.as_ref().map(|receiver| receiver.id());
                let outcome = self.outcome(chosen.outcome, channel, |state| {
                    let receiver = receiver.as_ref()?;
                    Some(receiver.clone_for(state.ends.holder()))
                })?;
                Answer::Chosen(Ok(alternation::Chosen { guard, outcome }))
            }
            Done::SentEnds { sender, size, sent } => {
                self.note_send(&sender, size, sent.as_ref().err().map(|(_, error)| error));
                Answer::Ends(sent.map_err(|(mut message, error)| wit::Refused {
                    error: wit_error(&error),
                    ends: self.adopt(message.take_ends()),
                }))
            }
            Done::Ended(outcome) => Answer::Ended(outcome.map(wit_outcome)),
            Done::Killed => Answer::Nothing,
        })
    }
}

/// Sends as long as the guest wants: then it fails with `WouldBlock`, and the message is back.
async fn until_given_up(
    wait: Patience<Sleep>,
    sender: &Arc<Sender>,
    message: Message,
    given_up: Arc<tokio::sync::Notify>,
) -> Result<(), Refused> {
    let mut deadline = match wait {
        Patience::Never => return sender.try_send(message).map_err(TrySendError::into_parts),
        Patience::Forever => None,
        Patience::Until(deadline) => Some(deadline),
    };
    let timed = deadline.is_some();
    let mut message = Some(message);
    let mut sending: Option<OwnedSending<Message>> = None;
    let mut given_up = std::pin::pin!(given_up.notified());
    std::future::poll_fn(move |context| {
        if let Some(message) = message.take() {
            match sender.begin_owned_send(message, timed, context.waker()) {
                core::Begun::Done(sent) => {
                    return Poll::Ready(sent.map_err(SendError::into_parts));
                }
                core::Begun::Waits(waits) => sending = Some(waits),
            }
        }
        let Some(sending) = &mut sending else {
            unreachable!("it was begun just now");
        };
        if let Poll::Ready(sent) = Pin::new(&mut *sending).poll(context) {
            return Poll::Ready(sent.map_err(SendError::into_parts));
        }
        let elapsed = deadline.as_mut().map(|it| Pin::new(it).poll(context));
        let timed_out = elapsed.is_some_and(|it| it.is_ready());
        if !timed_out && given_up.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(sending.time_out().map_err(|refused| match refused {
            SendTimeoutError::TimedOut(message) if !timed_out => {
                (message, ChannelError::WouldBlock)
            }
            refused => refused.into_parts(),
        }))
    })
    .await
}
