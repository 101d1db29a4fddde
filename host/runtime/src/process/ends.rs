//! The channel ends and barrier memberships that one process holds, by the numbers of its handles.
//!
//! A guest never names an end by itself: wasmtime maps its handles to these numbers. They
//! are checked all the same, so that a mistake traps the guest and harms nobody else.

use std::mem;
use std::sync::Arc;

use slab::Slab;
use transputer_abi::handles::{BarrierHandle, ReceiverHandle, SenderHandle};
use transputer_core::ChannelId;
use transputer_core::channel::Poison;
use transputer_core::{Holder, ProcessId};
use wasmtime::component::Resource;

use super::limits::MemoryLimiter;
use crate::message::{Barrier, End, Receiver, Sender};

/// The senders, receivers and memberships of one process.
#[derive(Debug)]
pub(crate) struct Ends {
    holder: Holder,
    most: usize,
    /// How many are charged.
    covered: usize,
    senders: Slab<Arc<Sender>>,
    receivers: Slab<Arc<Receiver>>,
    barriers: Slab<Arc<Barrier>>,
}

/// The process holds as many ends as it may.
#[derive(Debug, thiserror::Error)]
#[error("the process holds {0} channel ends, as many as it may")]
pub(crate) struct TooManyEnds(usize);

/// A handle that does not stand for an end of this process, or not for one that can be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSuchEnd {
    #[error("unknown handle: no {kind} has number {number} here")]
    Unknown { kind: &'static str, number: u32 },
    #[error("{kind} {number} cannot go while a call of this process waits at it")]
    InUse { kind: &'static str, number: u32 },
}

/// Takes an end out of its table, unless a call that waits has it as well.
fn take<T>(ends: &mut Slab<Arc<T>>, kind: &'static str, number: u32) -> Result<T, NoSuchEnd> {
    let end = ends.try_remove(number as usize);
    let end = end.ok_or(NoSuchEnd::Unknown { kind, number })?;
    Arc::try_unwrap(end).map_err(|shared| {
        // The place that was just left is the next to be used.
        let key = ends.insert(shared);
        debug_assert_eq!(key, number as usize);
        NoSuchEnd::InUse { kind, number }
    })
}

impl Ends {
    /// Room for `most` ends, and none in it yet.
    pub(crate) fn new(process: ProcessId, most: usize) -> Self {
        Self {
            holder: Holder::Process(process),
            most,
            covered: 0,
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

    /// Charges what the host keeps of `more` ends: here, and in the tables of their channels.
    ///
    /// # Errors
    /// Without memory for them.
    pub(crate) fn cover(
        &mut self,
        more: usize,
        memory: &mut MemoryLimiter,
    ) -> wasmtime::Result<()> {
        const END: u64 = 128;
        let held = self.senders.len() + self.receivers.len() + self.barriers.len();
        memory.cover(&mut self.covered, held + more, END)
    }

    /// Takes a sender in; the caller has asked for room.
    pub(crate) fn add_sender(&mut self, sender: Sender) -> SenderHandle {
        sender.set_holder(self.holder);
        Resource::new_own(number(self.senders.insert(Arc::new(sender))))
    }

    /// Takes a receiver in; the caller has asked for room.
    pub(crate) fn add_receiver(&mut self, receiver: Receiver) -> ReceiverHandle {
        receiver.set_holder(self.holder);
        Resource::new_own(number(self.receivers.insert(Arc::new(receiver))))
    }

    /// Takes a membership in; the caller has asked for room.
    pub(crate) fn add_barrier(&mut self, barrier: Barrier) -> BarrierHandle {
        barrier.set_holder(self.holder);
        Resource::new_own(number(self.barriers.insert(Arc::new(barrier))))
    }

    pub(crate) fn barrier(&self, handle: &BarrierHandle) -> Result<&Arc<Barrier>, NoSuchEnd> {
        let number = handle.rep();
        self.barriers
            .get(number as usize)
            .ok_or(NoSuchEnd::Unknown {
                kind: "barrier",
                number,
            })
    }

    pub(crate) fn take_barrier(&mut self, handle: &BarrierHandle) -> Result<Barrier, NoSuchEnd> {
        take(&mut self.barriers, "barrier", handle.rep())
    }

    /// The sender of this number, if it is still one of this channel.
    pub(crate) fn sender_of(&self, number: u32, channel: ChannelId) -> Option<&Arc<Sender>> {
        let sender = self.senders.get(number as usize)?;
        (sender.id() == channel).then_some(sender)
    }

    /// The receiver of this number, if it is still one of this channel.
    pub(crate) fn receiver_of(&self, number: u32, channel: ChannelId) -> Option<&Arc<Receiver>> {
        let receiver = self.receivers.get(number as usize)?;
        (receiver.id() == channel).then_some(receiver)
    }

    /// The sender of this number, if there is one.
    pub(crate) fn sender_at(&self, number: u32) -> Option<&Arc<Sender>> {
        self.senders.get(number as usize)
    }

    /// The receiver of this number, if there is one.
    pub(crate) fn receiver_at(&self, number: u32) -> Option<&Arc<Receiver>> {
        self.receivers.get(number as usize)
    }

    pub(crate) fn sender(&self, handle: &SenderHandle) -> Result<&Arc<Sender>, NoSuchEnd> {
        let number = handle.rep();
        self.senders.get(number as usize).ok_or(NoSuchEnd::Unknown {
            kind: "sender",
            number,
        })
    }

    pub(crate) fn receiver(&self, handle: &ReceiverHandle) -> Result<&Arc<Receiver>, NoSuchEnd> {
        let number = handle.rep();
        self.receivers
            .get(number as usize)
            .ok_or(NoSuchEnd::Unknown {
                kind: "receiver",
                number,
            })
    }

    pub(crate) fn take_sender(&mut self, handle: &SenderHandle) -> Result<Sender, NoSuchEnd> {
        take(&mut self.senders, "sender", handle.rep())
    }

    pub(crate) fn take_receiver(&mut self, handle: &ReceiverHandle) -> Result<Receiver, NoSuchEnd> {
        take(&mut self.receivers, "receiver", handle.rep())
    }

    /// Takes a receiver of this channel, if there is one.
    pub(crate) fn take_receiver_at(&mut self, channel: ChannelId) -> Option<Receiver> {
        let mut receivers = self.receivers.iter();
        let (key, _) = receivers.find(|(_, receiver)| receiver.id() == channel)?;
        Arc::into_inner(self.receivers.remove(key))
    }

    /// Takes a sender of this channel, if there is one.
    pub(crate) fn take_sender_at(&mut self, channel: ChannelId) -> Option<Sender> {
        let mut senders = self.senders.iter();
        let (key, _) = senders.find(|(_, sender)| sender.id() == channel)?;
        Arc::into_inner(self.senders.remove(key))
    }

    /// Takes all of them out: senders, receivers, then memberships. No call may wait at any of them.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = End> + use<> {
        let senders = mem::take(&mut self.senders).into_iter();
        let receivers = mem::take(&mut self.receivers).into_iter();
        let barriers = mem::take(&mut self.barriers).into_iter();
        // No call shares them any more.
        let senders = senders.filter_map(|(_, sender)| Arc::into_inner(sender));
        let receivers = receivers.filter_map(|(_, receiver)| Arc::into_inner(receiver));
        let barriers = barriers.filter_map(|(_, barrier)| Arc::into_inner(barrier));
        senders
            .map(End::Sender)
            .chain(receivers.map(End::Receiver))
            .chain(barriers.map(End::Barrier))
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

    /// Its channel; `None` for a barrier.
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
