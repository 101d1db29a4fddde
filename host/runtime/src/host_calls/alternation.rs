//! `transputer:csp/alternation`.

use transputer_abi::handles::{PreparedHandle, ReceiverHandle, SenderHandle};
use transputer_core::ChannelId;
use transputer_core::alternation::{Chosen, Guard, Outcome};

use super::in_flight::watching_choice;
use super::wit_error;
use crate::limits::ENTRY;
use crate::message::{Message, Receiver};
use crate::process::ProcessState;
use transputer_abi::bindings::transputer::csp::{alternation as wit, channel as wit_channel};

/// The most guards of one alternation.
pub(super) const GUARDS: usize = 4_096;

/// A guard without the message that it offers, which is moved, and charged, instead of kept twice.
enum Among {
    Receive(ReceiverHandle),
    Send(SenderHandle),
    After(u64),
    Skip,
}

/// Guards, and apart from them what they offer.
fn apart(guards: Vec<wit::Guard>) -> (Vec<Among>, Vec<Vec<u8>>) {
    let mut offers = Vec::new();
    let among = guards.into_iter().map(|guard| match guard {
        wit::Guard::Receive(receiver) => Among::Receive(receiver),
        wit::Guard::Send((sender, message)) => {
            offers.push(message);
            Among::Send(sender)
        }
        wit::Guard::After(deadline) => Among::After(deadline),
        wit::Guard::Skip => Among::Skip,
    });
    let among = among.collect();
    (among, offers)
}

impl wit::Host for ProcessState {
    async fn select(
        &mut self,
        guards: Vec<wit::Guard>,
        order: wit::Order,
    ) -> wasmtime::Result<Result<wit::Chosen, wit_channel::Error>> {
        if let Err(error) = self.check_guards(&guards) {
            return Ok(Err(error));
        }
        self.close_dropped();
        let (guards, offers) = apart(guards);
        let chosen = self.choose(&guards, offers, order).await?;
        let guard = u32::try_from(chosen.guard).expect("the limit on guards is below 2^32");
        let receiver = match &guards[chosen.guard] {
            Among::Receive(receiver) => Some(receiver),
            _ => None,
        };
        let channel = receiver.and_then(|receiver| Some(self.ends.receiver(receiver).ok()?.id()));
        let outcome = self.outcome(chosen.outcome, channel, |state| {
            let receiver = state.ends.receiver(receiver?).ok()?;
            Some(receiver.clone_for(state.ends.holder()))
        })?;
        Ok(Ok(wit::Chosen { guard, outcome }))
    }

    fn prepare(
        &mut self,
        order: wit::Order,
    ) -> wasmtime::Result<Result<PreparedHandle, wit_channel::Error>> {
        self.prepare(order)
    }
}

impl ProcessState {
    /// What became of the guard that won, at this channel. `receiver` finds its receiver, if it received.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    pub(super) fn outcome(
        &mut self,
        outcome: Outcome<Message>,
        channel: Option<ChannelId>,
        receiver: impl Fn(&Self) -> Option<Receiver>,
    ) -> wasmtime::Result<wit::Outcome> {
        if self.network.notes.senders
            && let Outcome::Received(message) = &outcome
            && let Some(receiver) = receiver(self)
        {
            self.process.hears(message, &receiver);
        }
        match &outcome {
            Outcome::Received(_) => self.process.measures.receives(1),
            Outcome::Sent => self.process.measures.sends(1),
            _ => {}
        }
        self.trace(|| match &outcome {
            Outcome::Received(message) => {
                format!("is given {} bytes by an alternation", message.bytes.len())
            }
            Outcome::Sent => "has sent by an alternation".to_owned(),
            Outcome::Elapsed => "has waited long enough in an alternation".to_owned(),
            Outcome::Skipped => "skips an alternation".to_owned(),
            Outcome::Failed(error) => format!("is told by an alternation: {error}"),
        });
        Ok(match outcome {
            Outcome::Received(message) => match self.accept(message, channel, receiver)? {
                Ok(message) => wit::Outcome::Received(message),
                Err(error) => wit::Outcome::Failed(error),
            },
            Outcome::Sent => wit::Outcome::Sent,
            Outcome::Elapsed => wit::Outcome::Elapsed,
            Outcome::Skipped => wit::Outcome::Skipped,
            Outcome::Failed(error) => wit::Outcome::Failed(wit_error(&error.into())),
        })
    }

    pub(super) fn check_guards(&self, guards: &[wit::Guard]) -> Result<(), wit_channel::Error> {
        if guards.is_empty() {
            return Err(wit_channel::Error::Malformed);
        }
        if guards.len() > GUARDS {
            return Err(wit_channel::Error::Overloaded);
        }
        for guard in guards {
            if let wit::Guard::Send((_, message)) = guard {
                self.check_size(message.len())?;
            }
        }
        Ok(())
    }

    async fn choose(
        &mut self,
        guards: &[Among],
        offers: Vec<Vec<u8>>,
        order: wit::Order,
    ) -> wasmtime::Result<Chosen<Message>> {
        // Its entries in the queues of the channels.
        let _waits = self.memory.charge(ENTRY * guards.len() as u64)?;
        let mut offers = offers.into_iter();
        let mut waited = Vec::with_capacity(guards.len());
        for guard in guards {
            waited.push(match guard {
                Among::Receive(receiver) => Guard::Receive(self.ends.receiver(receiver)?),
                Among::Send(sender) => {
                    let sender = self.ends.sender(sender)?;
                    let message = offers.next().unwrap_or_default();
                    Guard::Send(sender, self.memory.message(sender, message)?)
                }
                Among::After(deadline) => Guard::After(self.sleep_until(*deadline)),
                Among::Skip => Guard::Skip,
            });
        }
        let alternation = match order {
            wit::Order::Fair => &mut self.fair,
            wit::Order::Priority => &mut self.priority,
        };
        let watch = &self.process.in_flight;
        let channels = || {
            guards.iter().filter_map(|guard| match guard {
                Among::Receive(receiver) => Some(self.ends.receiver(receiver).ok()?.id()),
                _ => None,
            })
        };
        let asks = |waits| watch.asks(channels(), waits);
        let choice = watching_choice(watch, asks, alternation.wait(waited));
        Ok(self.process.operate(choice).await)
    }
}
