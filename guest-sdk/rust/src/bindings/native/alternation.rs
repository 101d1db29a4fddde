//! `transputer:csp/alternation`, in memory.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use transputer_core as core;
use transputer_core::GuardError;

pub use super::super::generated::transputer::csp::alternation::Order;
use super::channel::{Envelope, Error, Message, Patience, Receiver, Sender, kind};
use super::wait::{deadline, sleep_until, wait};

/// What an alternation can wait for.
#[derive(Debug)]
pub enum Guard<'a> {
    Receive(&'a Receiver),
    Send((&'a Sender, Vec<u8>)),
    After(u64),
    Skip,
}

/// What became of the guard that won.
#[derive(Debug)]
pub enum Outcome {
    Received(Message),
    Sent,
    Elapsed,
    Skipped,
    Failed(Error),
}

/// Which guard won.
#[derive(Debug)]
pub struct Chosen {
    pub guard: u32,
    pub outcome: Outcome,
}

/// Waits for one of several communications.
pub fn select(guards: &[Guard<'_>], order: Order) -> Result<Chosen, Error> {
    if guards.is_empty() {
        return Err(Error::Malformed);
    }
    let guards = guards.iter().map(|guard| match guard {
        Guard::Receive(receiver) => core::Guard::Receive(receiver.core()),
        Guard::Send((sender, message)) => {
            core::Guard::Send(sender.core(), Envelope::of_bytes(message.clone()))
        }
        Guard::After(deadline) => core::Guard::After(sleep_until(*deadline)),
        Guard::Skip => core::Guard::Skip,
    });
    Ok(choose(guards.collect(), order))
}

fn choose(guards: Vec<core::Guard<'_, Envelope>>, order: Order) -> Chosen {
    let mut alternation = core::Alternation::new(match order {
        Order::Fair => core::Order::Fair,
        Order::Priority => core::Order::Priority,
    });
    let chosen = wait(alternation.wait(guards));
    Chosen {
        // There are not so many.
        guard: chosen.guard as u32,
        outcome: match chosen.outcome {
            core::Outcome::Received(message) => Outcome::Received(message.adopted()),
            core::Outcome::Sent => Outcome::Sent,
            core::Outcome::Elapsed => Outcome::Elapsed,
            core::Outcome::Skipped => Outcome::Skipped,
            core::Outcome::Failed(error) => Outcome::Failed(match error {
                GuardError::Closed => Error::Closed,
                GuardError::Poisoned(poison) => kind(poison.kind),
                GuardError::TooLarge { .. } => Error::TooLarge,
                _ => Error::Overloaded,
            }),
        },
    }
}

/// An alternation that is built once.
#[derive(Debug)]
pub struct Prepared {
    order: Order,
    guards: RefCell<Vec<Kept>>,
}

/// A guard, which keeps no end open.
#[derive(Debug)]
enum Kept {
    Receive(Weak<core::Receiver<Envelope>>),
    Send(Weak<core::Sender<Envelope>>),
}

/// The same while it waits.
enum Held {
    Receive(Arc<core::Receiver<Envelope>>),
    Send(Arc<core::Sender<Envelope>>, Vec<u8>),
}

/// Prepares an alternation without guards.
pub fn prepare(order: Order) -> Result<Prepared, Error> {
    Ok(Prepared {
        order,
        guards: RefCell::default(),
    })
}

impl Prepared {
    pub fn add_receive(&self, receiver: &Receiver) -> Result<u32, Error> {
        self.add(Kept::Receive(Arc::downgrade(receiver.core())))
    }

    pub fn add_send(&self, sender: &Sender) -> Result<u32, Error> {
        self.add(Kept::Send(Arc::downgrade(sender.core())))
    }

    fn add(&self, guard: Kept) -> Result<u32, Error> {
        let mut guards = self.guards.borrow_mut();
        guards.push(guard);
        u32::try_from(guards.len() - 1).map_err(|_| Error::Overloaded)
    }

    pub fn wait(
        &self,
        enabled: Option<&[u32]>,
        offers: &[(u32, Vec<u8>)],
        patience: Patience,
    ) -> Result<Chosen, Error> {
        let guards = self.guards.borrow();
        let numbers: Vec<u32> = match enabled {
            Some(enabled) => enabled.to_vec(),
            None => (0..guards.len() as u32).collect(),
        };
        let mut held = Vec::new();
        for number in numbers {
            let guard = match guards.get(number as usize).ok_or(Error::Malformed)? {
                Kept::Receive(receiver) => Held::Receive(receiver.upgrade().ok_or(Error::Moved)?),
                Kept::Send(sender) => match offers.iter().find(|offer| offer.0 == number) {
                    Some((_, message)) => {
                        Held::Send(sender.upgrade().ok_or(Error::Moved)?, message.clone())
                    }
                    None => continue,
                },
            };
            held.push((number, guard));
        }
        let mut core_guards: Vec<_> = held
            .iter()
            .map(|(_, guard)| match guard {
                Held::Receive(receiver) => core::Guard::Receive(receiver),
                Held::Send(sender, message) => {
                    core::Guard::Send(sender, Envelope::of_bytes(message.clone()))
                }
            })
            .collect();
        match deadline(patience) {
            None if core_guards.is_empty() => return Err(Error::Malformed),
            None => {}
            Some(deadline) => core_guards.push(core::Guard::After(sleep_until(deadline))),
        }
        let chosen = choose(core_guards, self.order);
        match (held.get(chosen.guard as usize), patience) {
            (Some((number, _)), _) => Ok(Chosen {
                guard: *number,
                ..chosen
            }),
            (None, Patience::Never) => Err(Error::WouldBlock),
            (None, _) => Err(Error::TimedOut),
        }
    }
}
