//! The channel ends and memberships of barriers that one process holds, by the numbers that its handles stand for.
//!
//! A guest never names an end by itself: wasmtime maps its handles to these numbers. They
//! are checked all the same, so that a mistake traps the guest and harms nobody else.

use slab::Slab;
use transputer_abi::handles::{BarrierHandle, ReceiverHandle, SenderHandle};
use transputer_core::ChannelId;
use transputer_core::channel::Poison;
use transputer_core::{Holder, ProcessId};
use wasmtime::component::Resource;

use crate::message::{Barrier, End, Receiver, Sender};

/// The senders, receivers and memberships of one process.
#[derive(Debug)]
pub(crate) struct Ends {
    holder: Holder,
    most: usize,
    senders: Slab<Sender>,
    receivers: Slab<Receiver>,
    barriers: Slab<Barrier>,
}

/// A process that holds as many ends as it may.
#[derive(Debug, thiserror::Error)]
#[error("the process holds {0} channel ends, as many as it may")]
pub(crate) struct TooManyEnds(usize);

/// A handle that stands for no end of this process.
#[derive(Debug, thiserror::Error)]
#[error("unknown handle: no {kind} has number {number} here")]
pub(crate) struct NoSuchEnd {
    kind: &'static str,
    number: u32,
}

impl Ends {
    /// No ends yet, and never more than `most`.
    pub(crate) fn new(process: ProcessId, most: usize) -> Self {
        Self {
            holder: Holder::Process(process),
            most,
            senders: Slab::new(),
            receivers: Slab::new(),
            barriers: Slab::new(),
        }
    }

    /// Who holds these ends.
    pub(crate) fn holder(&self) -> Holder {
        self.holder
    }

    /// Whether `more` ends would be within the limit.
    pub(crate) fn room_for(&self, more: usize) -> Result<(), TooManyEnds> {
        let held = self.senders.len() + self.receivers.len() + self.barriers.len();
        if held + more > self.most {
            return Err(TooManyEnds(self.most));
        }
        Ok(())
    }

    /// Takes a sender in; the caller has asked for room.
    pub(crate) fn add_sender(&mut self, sender: Sender) -> SenderHandle {
        sender.set_holder(self.holder);
        Resource::new_own(number(self.senders.insert(sender)))
    }

    /// Takes a receiver in; the caller has asked for room.
    pub(crate) fn add_receiver(&mut self, receiver: Receiver) -> ReceiverHandle {
        receiver.set_holder(self.holder);
        Resource::new_own(number(self.receivers.insert(receiver)))
    }

    /// Takes a membership in; the caller has asked for room.
    pub(crate) fn add_barrier(&mut self, barrier: Barrier) -> BarrierHandle {
        barrier.set_holder(self.holder);
        Resource::new_own(number(self.barriers.insert(barrier)))
    }

    pub(crate) fn barrier(&self, handle: &BarrierHandle) -> Result<&Barrier, NoSuchEnd> {
        let number = handle.rep();
        self.barriers.get(number as usize).ok_or(NoSuchEnd {
            kind: "barrier",
            number,
        })
    }

    pub(crate) fn take_barrier(&mut self, handle: &BarrierHandle) -> Result<Barrier, NoSuchEnd> {
        let number = handle.rep();
        self.barriers.try_remove(number as usize).ok_or(NoSuchEnd {
            kind: "barrier",
            number,
        })
    }

    /// The sender of this number, if it is still one of this channel.
    pub(crate) fn sender_of(&self, number: u32, channel: ChannelId) -> Option<&Sender> {
        let sender = self.senders.get(number as usize)?;
        (sender.id() == channel).then_some(sender)
    }

    /// The receiver of this number, if it is still one of this channel.
    pub(crate) fn receiver_of(&self, number: u32, channel: ChannelId) -> Option<&Receiver> {
        let receiver = self.receivers.get(number as usize)?;
        (receiver.id() == channel).then_some(receiver)
    }

    /// The sender of this number, if there is one.
    pub(crate) fn sender_at(&self, number: u32) -> Option<&Sender> {
        self.senders.get(number as usize)
    }

    /// The receiver of this number, if there is one.
    pub(crate) fn receiver_at(&self, number: u32) -> Option<&Receiver> {
        self.receivers.get(number as usize)
    }

    pub(crate) fn sender(&self, handle: &SenderHandle) -> Result<&Sender, NoSuchEnd> {
        let number = handle.rep();
        self.senders.get(number as usize).ok_or(NoSuchEnd {
            kind: "sender",
            number,
        })
    }

    pub(crate) fn receiver(&self, handle: &ReceiverHandle) -> Result<&Receiver, NoSuchEnd> {
        let number = handle.rep();
        self.receivers.get(number as usize).ok_or(NoSuchEnd {
            kind: "receiver",
            number,
        })
    }

    pub(crate) fn take_sender(&mut self, handle: &SenderHandle) -> Result<Sender, NoSuchEnd> {
        let number = handle.rep();
        self.senders.try_remove(number as usize).ok_or(NoSuchEnd {
            kind: "sender",
            number,
        })
    }

    pub(crate) fn take_receiver(&mut self, handle: &ReceiverHandle) -> Result<Receiver, NoSuchEnd> {
        let number = handle.rep();
        self.receivers.try_remove(number as usize).ok_or(NoSuchEnd {
            kind: "receiver",
            number,
        })
    }

    /// Takes a receiver of this channel, if there is one.
    pub(crate) fn take_receiver_at(&mut self, channel: ChannelId) -> Option<Receiver> {
        let mut receivers = self.receivers.iter();
        let (key, _) = receivers.find(|(_, receiver)| receiver.id() == channel)?;
        Some(self.receivers.remove(key))
    }

    /// Takes a sender of this channel, if there is one.
    pub(crate) fn take_sender_at(&mut self, channel: ChannelId) -> Option<Sender> {
        let mut senders = self.senders.iter();
        let (key, _) = senders.find(|(_, sender)| sender.id() == channel)?;
        Some(self.senders.remove(key))
    }

    /// Poisons every channel of which the process holds an end, but those that are `kept`, and
    /// every barrier of which it is a member.
    pub(crate) fn poison(&self, poison: &Poison, kept: impl Fn(ChannelId) -> bool) {
        let senders = self.senders.iter().map(|(_, sender)| sender);
        for sender in senders.filter(|sender| !kept(sender.id())) {
            sender.poison(poison.clone());
        }
        let receivers = self.receivers.iter().map(|(_, receiver)| receiver);
        for receiver in receivers.filter(|receiver| !kept(receiver.id())) {
            receiver.poison(poison.clone());
        }
        for (_, barrier) in &self.barriers {
            barrier.poison(poison.clone());
        }
    }
}

impl End {
    /// Poisons its channel, or its barrier.
    pub(crate) fn poison(&self, poison: &Poison) {
        match self {
            Self::Sender(sender) => sender.poison(poison.clone()),
            Self::Receiver(receiver) => receiver.poison(poison.clone()),
            Self::Barrier(barrier) => barrier.poison(poison.clone()),
        };
    }

    /// Its channel, if it is not of a barrier.
    pub(crate) fn channel(&self) -> Option<ChannelId> {
        match self {
            Self::Sender(sender) => Some(sender.id()),
            Self::Receiver(receiver) => Some(receiver.id()),
            Self::Barrier(_) => None,
        }
    }

    /// Says who holds this end now.
    pub(crate) fn set_holder(&self, holder: Holder) {
        match self {
            Self::Sender(sender) => sender.set_holder(holder),
            Self::Receiver(receiver) => receiver.set_holder(holder),
            Self::Barrier(barrier) => barrier.set_holder(holder),
        }
    }
}

fn number(key: usize) -> u32 {
    u32::try_from(key).expect("the limit on ends is far below 2^32")
}
