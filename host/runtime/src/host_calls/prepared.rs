//! Prepared alternations, of `transputer:csp/alternation`.

use transputer_abi::handles::{PreparedHandle, ReceiverHandle, SenderHandle};
use transputer_core::ChannelId;
use transputer_core::alternation::{self as core, Chosen, Guard, Order};
use transputer_core::clock::Sleep;
use wasmtime::component::Resource;

use super::alternation::GUARDS;
use super::channel::Answer;
use super::in_flight::watching_choice;
use crate::message::Message;
use crate::patience::Patience;
use crate::process::{Ends, ProcessState};
use transputer_abi::bindings::transputer::csp::alternation as wit;
use transputer_abi::bindings::transputer::csp::channel::{self as channel_wit, Error};

/// Prepared alternations that a process may have.
const MOST: usize = 256;

/// An alternation that is built once. It knows its ends by their numbers and, since numbers are
/// used again, by their channels.
#[derive(Debug)]
pub(crate) struct Prepared {
    alternation: core::Prepared<Message>,
    guards: Vec<End>,
}

#[derive(Copy, Clone, Debug)]
enum End {
    Receiver(u32, ChannelId),
    Sender(u32, ChannelId),
}

/// What takes part in one choice.
enum Choice<'a> {
    Among {
        /// The number of each guard.
        numbers: Vec<u32>,
        guards: Vec<Guard<'a, Message>>,
    },
    /// The end of this guard is not the process's any longer.
    Moved(u32),
}

impl ProcessState {
    /// A prepared alternation without guards.
    pub(super) fn prepare(&mut self, order: wit::Order) -> Result<PreparedHandle, Error> {
        if self.prepared.len() >= MOST {
            return Err(Error::Overloaded);
        }
        let order = match order {
            wit::Order::Fair => Order::Fair,
            wit::Order::Priority => Order::Priority,
        };
        let seed = self.network.host.scheduler().random_seed();
        let key = self.prepared.insert(Prepared {
            alternation: core::Prepared::seeded(order, seed),
            guards: Vec::new(),
        });
        let number = u32::try_from(key).expect("the limit is far below 2^32");
        Ok(Resource::new_own(number))
    }

    fn add_guard(&mut self, this: &PreparedHandle, end: End) -> Answer<u32> {
        let guards = &mut self.prepared(this)?.guards;
        if guards.len() >= GUARDS {
            return Ok(Err(Error::Overloaded));
        }
        guards.push(end);
        let number = u32::try_from(guards.len() - 1);
        Ok(Ok(number.expect("the limit on guards is below 2^32")))
    }

    fn prepared(&mut self, this: &PreparedHandle) -> wasmtime::Result<&mut Prepared> {
        let number = this.rep();
        let prepared = self.prepared.get_mut(number as usize);
        prepared.ok_or_else(|| no_such(number))
    }

    /// Lets one of the guards go. Without patience for any, there is no message.
    async fn choose_prepared(
        &mut self,
        this: &PreparedHandle,
        enabled: Option<Vec<u32>>,
        offers: Vec<(u32, Vec<u8>)>,
        wait: Patience<Sleep>,
    ) -> Answer<Result<(u32, Chosen<Message>), u32>> {
        self.settle();
        let Self {
            prepared,
            ends,
            memory,
            process,
            ..
        } = self;
        let number = this.rep();
        let Some(Prepared {
            alternation,
            guards: held,
        }) = prepared.get_mut(number as usize)
        else {
            return Err(no_such(number));
        };
        let (numbers, mut guards) = match choice(held, ends, enabled, offers) {
            Ok(Choice::Among { numbers, guards }) => (numbers, guards),
            Ok(Choice::Moved(guard)) => return Ok(Ok(Err(guard))),
            Err(error) => return Ok(Err(error)),
        };
        for guard in &mut guards {
            if let Guard::Send(sender, message) = guard {
                memory.count(sender, message)?;
            }
        }
        let out_of_patience = match wait {
            Patience::Forever if guards.is_empty() => return Ok(Err(Error::Malformed)),
            Patience::Forever => Error::Malformed,
            Patience::Until(deadline) => {
                guards.push(Guard::After(deadline));
                Error::TimedOut
            }
            Patience::Never => {
                guards.push(Guard::Skip);
                Error::WouldBlock
            }
        };
        let channels = || {
            numbers
                .iter()
                .filter_map(|number| match held[*number as usize] {
                    End::Receiver(_, channel) => Some(channel),
                    End::Sender(..) => None,
                })
        };
        let watch = &process.in_flight;
        let asks = |waits| watch.asks(channels(), waits);
        let choice = alternation.wait(guards.into_iter().map(Some));
        let chosen = process.operate(watching_choice(watch, asks, choice)).await;
        Ok(match numbers.get(chosen.guard) {
            Some(&number) => Ok(Ok((number, chosen))),
            None => Err(out_of_patience),
        })
    }
}

fn no_such(number: u32) -> wasmtime::Error {
    wasmtime::Error::msg(format!(
        "unknown handle: no prepared alternation has number {number} here"
    ))
}

/// The guards that take part, if the guest names them properly.
fn choice<'a>(
    held: &[End],
    ends: &'a Ends,
    enabled: Option<Vec<u32>>,
    offers: Vec<(u32, Vec<u8>)>,
) -> Result<Choice<'a>, Error> {
    let mut offered: Vec<Option<Vec<u8>>> = vec![None; held.len()];
    for (number, message) in offers {
        let is_sender = matches!(held.get(number as usize), Some(End::Sender(..)));
        match offered.get_mut(number as usize) {
            Some(offer @ None) if is_sender => *offer = Some(message),
            _ => return Err(Error::Malformed),
        }
    }
    let enabled = enabled.unwrap_or_else(|| (0..).take(held.len()).collect());
    let mut seen = vec![false; held.len()];
    let mut numbers = Vec::with_capacity(enabled.len() + 1);
    let mut guards = Vec::with_capacity(enabled.len() + 1);
    for number in enabled {
        let at = number as usize;
        if seen.get(at) != Some(&false) {
            return Err(Error::Malformed);
        }
        seen[at] = true;
        let guard = match held[at] {
            End::Receiver(end, channel) => ends.receiver_of(end, channel).map(Guard::Receive),
            End::Sender(end, channel) => match offered[at].take() {
                Some(message) => {
                    let sender = ends.sender_of(end, channel);
                    sender.map(|sender| Guard::Send(sender, Message::new(message)))
                }
                None => continue,
            },
        };
        match guard {
            Some(guard) => guards.push(guard),
            None => return Ok(Choice::Moved(number)),
        }
        numbers.push(number);
    }
    Ok(Choice::Among { numbers, guards })
}

impl wit::HostPrepared for ProcessState {
    fn add_receive(&mut self, this: PreparedHandle, receiver: ReceiverHandle) -> Answer<u32> {
        let channel = self.ends.receiver(&receiver)?.id();
        self.add_guard(&this, End::Receiver(receiver.rep(), channel))
    }

    fn add_send(&mut self, this: PreparedHandle, sender: SenderHandle) -> Answer<u32> {
        let channel = self.ends.sender(&sender)?.id();
        self.add_guard(&this, End::Sender(sender.rep(), channel))
    }

    async fn wait(
        &mut self,
        this: PreparedHandle,
        enabled: Option<Vec<u32>>,
        offers: Vec<(u32, Vec<u8>)>,
        patience: channel_wit::Patience,
    ) -> Answer<wit::Chosen> {
        for (_, message) in &offers {
            if let Err(error) = self.check_size(message.len()) {
                return Ok(Err(error));
            }
        }
        let wait = self.how_long(patience);
        let (guard, chosen) = match self.choose_prepared(&this, enabled, offers, wait).await? {
            Ok(Ok(chosen)) => chosen,
            Ok(Err(guard)) => {
                let outcome = wit::Outcome::Failed(Error::Moved);
                return Ok(Ok(wit::Chosen { guard, outcome }));
            }
            Err(error) => return Ok(Err(error)),
        };
        let end = self.prepared(&this)?.guards.get(guard as usize).copied();
        let channel = match end {
            Some(End::Receiver(_, channel)) => Some(channel),
            _ => None,
        };
        let outcome = self.outcome(chosen.outcome, channel, |state| match end? {
            End::Receiver(number, channel) => {
                let receiver = state.ends.receiver_of(number, channel)?;
                Some(receiver.clone_for(state.ends.holder()))
            }
            End::Sender(..) => None,
        });
        Ok(Ok(wit::Chosen { guard, outcome }))
    }

    fn drop(&mut self, this: PreparedHandle) -> wasmtime::Result<()> {
        self.prepared(&this)?;
        self.prepared.remove(this.rep() as usize);
        Ok(())
    }
}
