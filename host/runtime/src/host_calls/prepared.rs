//! Prepared alternations, of `transputer:csp/alternation`.

use std::sync::Arc;

use transputer_abi::handles::{PreparedHandle, ReceiverHandle, SenderHandle};
use transputer_core::ChannelId;
use transputer_core::alternation::{self as core, Chosen, Guard, Order};
use transputer_core::clock::Sleep;
use wasmtime::component::Resource;

use super::alternation::GUARDS;
use super::channel::Answer;
use super::in_flight::watching_choice;
use crate::limits::{Charge, ENTRY, Held};
use crate::message::{Message, Receiver, Sender};
use crate::patience::Patience;
use crate::process::{Ends, MemoryLimiter, ProcessState};
use transputer_abi::bindings::transputer::csp::alternation as wit;
use transputer_abi::bindings::transputer::csp::channel::{self as channel_wit, Error};

/// The most prepared alternations of a process.
const MOST: usize = 256;

/// What one of them counts for, in bytes.
const PREPARED: u64 = 512;

/// An alternation that is built once. It knows its ends by their numbers and, since numbers are reused,
/// by their channels.
#[derive(Debug)]
pub(crate) struct Prepared {
    alternation: core::Prepared<Message>,
    order: Order,
    guards: Vec<End>,
}

#[derive(Copy, Clone, Debug)]
enum End {
    Receiver(u32, ChannelId),
    Sender(u32, ChannelId),
}

/// What takes part in one choice.
pub(super) enum Choice<'a> {
    Among {
        /// The number of each guard.
        numbers: Vec<u32>,
        guards: Vec<Offered<'a>>,
    },
    /// The end of this guard no longer belongs to the process.
    Moved(u32),
}

/// A guard that takes part.
pub(super) enum Offered<'a> {
    Receive(&'a Arc<Receiver>),
    Send(&'a Arc<Sender>, Message),
}

impl<'a> From<Offered<'a>> for Guard<'a, Message> {
    fn from(offered: Offered<'a>) -> Self {
        match offered {
            Offered::Receive(receiver) => Self::Receive(receiver),
            Offered::Send(sender, message) => Self::Send(sender, message),
        }
    }
}

impl ProcessState {
    /// A prepared alternation without guards.
    pub(super) fn prepare(&mut self, order: wit::Order) -> Answer<PreparedHandle> {
        if self.prepared.len() >= MOST {
            return Ok(Err(Error::Overloaded));
        }
        let order = match order {
            wit::Order::Fair => Order::Fair,
            wit::Order::Priority => Order::Priority,
        };
        let seed = self.network.host.scheduler().random_seed();
        let prepared = Prepared {
            alternation: core::Prepared::seeded(order, seed),
            order,
            guards: Vec::new(),
        };
        let key = self.prepared.insert(self.memory.hold(prepared, PREPARED)?);
        let number = u32::try_from(key).expect("the limit is far below 2^32");
        Ok(Ok(Resource::new_own(number)))
    }

    fn add_guard(&mut self, this: &PreparedHandle, end: End) -> Answer<u32> {
        let number = this.rep();
        let Some(prepared) = self.prepared.get_mut(number as usize) else {
            return Err(no_such(number));
        };
        if prepared.guards.len() >= GUARDS {
            return Ok(Err(Error::Overloaded));
        }
        prepared.add(self.memory.charge(ENTRY)?);
        prepared.guards.push(end);
        let number = u32::try_from(prepared.guards.len() - 1);
        Ok(Ok(number.expect("the limit on guards is below 2^32")))
    }

    fn prepared(&mut self, this: &PreparedHandle) -> wasmtime::Result<&mut Held<Prepared>> {
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
        self.close_dropped();
        let Self {
            prepared,
            ends,
            memory,
            process,
            ..
        } = self;
        let number = this.rep();
        let Some(prepared) = prepared.get_mut(number as usize) else {
            return Err(no_such(number));
        };
        let Prepared {
            alternation,
            guards: held,
            ..
        } = &mut **prepared;
        // Its entries in the queues of the channels.
        let _waits = memory.charge(ENTRY * held.len() as u64)?;
        let (numbers, guards) = match choice(held, ends, memory, enabled, offers)? {
            Ok(Choice::Among { numbers, guards }) => (numbers, guards),
            Ok(Choice::Moved(guard)) => return Ok(Ok(Err(guard))),
            Err(error) => return Ok(Err(error)),
        };
        let out_of_patience = match wait {
            Patience::Forever if guards.is_empty() => return Ok(Err(Error::Malformed)),
            Patience::Forever => Error::Malformed,
            Patience::Until(_) => Error::TimedOut,
            Patience::Never => Error::WouldBlock,
        };
        let last = match wait {
            Patience::Forever => None,
            Patience::Until(deadline) => Some(Guard::After(deadline)),
            Patience::Never => Some(Guard::Skip),
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
        let guards = guards.into_iter().map(Guard::from).chain(last);
        let choice = alternation.wait(guards.map(Some));
        let chosen = process.operate(watching_choice(watch, asks, choice)).await;
        Ok(match numbers.get(chosen.guard) {
            Some(&number) => Ok(Ok((number, chosen))),
            None => Err(out_of_patience),
        })
    }
}

impl ProcessState {
    /// What takes part in a choice that waits without this state, and its order; with what its places
    /// count for.
    pub(super) fn choice_of(
        &mut self,
        this: &PreparedHandle,
        enabled: Option<Vec<u32>>,
        offers: Vec<(u32, Vec<u8>)>,
    ) -> Answer<(Choice<'_>, Order, Charge)> {
        for (_, message) in &offers {
            if let Err(error) = self.check_size(message.len()) {
                return Ok(Err(error));
            }
        }
        let Self {
            prepared,
            ends,
            memory,
            ..
        } = self;
        let number = this.rep();
        let Some(prepared) = prepared.get(number as usize) else {
            return Err(no_such(number));
        };
        let charge = memory.charge(ENTRY * prepared.guards.len() as u64)?;
        let choice = choice(&prepared.guards, ends, memory, enabled, offers)?;
        Ok(choice.map(|choice| (choice, prepared.order, charge)))
    }
}

fn no_such(number: u32) -> wasmtime::Error {
    wasmtime::Error::msg(format!(
        "unknown handle: no prepared alternation has number {number} here"
    ))
}

/// The guards that take part, if the guest names them correctly.
fn choice<'a>(
    held: &[End],
    ends: &'a Ends,
    memory: &mut MemoryLimiter,
    enabled: Option<Vec<u32>>,
    offers: Vec<(u32, Vec<u8>)>,
) -> Answer<Choice<'a>> {
    let mut offered: Vec<Option<Vec<u8>>> = vec![None; held.len()];
    for (number, message) in offers {
        let is_sender = matches!(held.get(number as usize), Some(End::Sender(..)));
        match offered.get_mut(number as usize) {
            Some(offer @ None) if is_sender => *offer = Some(message),
            _ => return Ok(Err(Error::Malformed)),
        }
    }
    let enabled = enabled.unwrap_or_else(|| (0..).take(held.len()).collect());
    let mut seen = vec![false; held.len()];
    let mut numbers = Vec::with_capacity(enabled.len() + 1);
    let mut guards = Vec::with_capacity(enabled.len() + 1);
    for number in enabled {
        let at = number as usize;
        if seen.get(at) != Some(&false) {
            return Ok(Err(Error::Malformed));
        }
        seen[at] = true;
        let guard = match held[at] {
            End::Receiver(end, channel) => ends.receiver_of(end, channel).map(Offered::Receive),
            End::Sender(end, channel) => match offered[at].take() {
                Some(message) => match ends.sender_of(end, channel) {
                    Some(sender) => Some(Offered::Send(sender, memory.message(sender, message)?)),
                    None => None,
                },
                None => continue,
            },
        };
        match guard {
            Some(guard) => guards.push(guard),
            None => return Ok(Ok(Choice::Moved(number))),
        }
        numbers.push(number);
    }
    Ok(Ok(Choice::Among { numbers, guards }))
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
        })?;
        Ok(Ok(wit::Chosen { guard, outcome }))
    }

    fn drop(&mut self, this: PreparedHandle) -> wasmtime::Result<()> {
        self.prepared(&this)?;
        self.prepared.remove(this.rep() as usize);
        Ok(())
    }
}
