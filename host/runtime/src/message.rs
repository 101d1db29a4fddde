//! What crosses a channel: bytes, and the ends that travel with them.

use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Weak};

use smallvec::SmallVec;
use transputer_core::ProcessId;
use transputer_core::channel::{self, Payload, Poison};

use crate::batch::Packed;
use crate::limits::{Charge, ENTRY, Held};
use crate::process::Process;

/// The sender of a channel of messages.
pub(crate) type Sender = channel::Sender<Message>;

/// The receiver of a channel of messages.
pub(crate) type Receiver = channel::Receiver<Message>;

/// One membership of a barrier.
pub(crate) use transputer_core::Barrier;

/// One end of a channel, or a membership of a barrier, on its way in a message.
#[derive(Debug)]
pub(crate) enum End {
    /// A sender.
    Sender(Sender),
    /// A receiver.
    Receiver(Receiver),
    /// A membership of a barrier.
    Barrier(Barrier),
}

/// The most bytes that a message holds without an allocation.
pub(crate) const SMALL: usize = 16;

/// The bytes of a message.
pub(crate) type Bytes = SmallVec<[u8; SMALL]>;

/// The ends that a message carries.
///
/// Dropping an end may drop the messages that wait in its channel, and with them the ends that they
/// carry: a guest can make such a chain as long as it likes. So ends are dropped one after another;
/// nested drops would need a stack as deep as the chain is long.
///
/// Ends that are dropped because the process that gave them away was ended, or because the channel
/// where they lay was poisoned, are poisoned first: whoever is at the other sides must not mistake
/// that for a normal end.
#[derive(Default)]
pub(crate) struct Carried(Option<Box<Carriage>>);

/// Ends on their way. Few messages have any, so it is kept apart.
struct Carriage {
    ends: Vec<End>,
    /// The process that gave them away, if it was one.
    giver: Weak<Process>,
    /// The process that sent the message, where that is noted.
    sender: Option<ProcessId>,
    /// Why nobody will receive them.
    undelivered: Option<Poison>,
}

thread_local! {
    /// What waits to be dropped, while others are.
    static TO_DROP: RefCell<Option<Vec<Carried>>> = const { RefCell::new(None) };
}

impl Carried {
    fn new(ends: Vec<End>, giver: Weak<Process>) -> Self {
        if ends.is_empty() {
            return Self(None);
        }
        Self(Some(Box::new(Carriage {
            ends,
            giver,
            sender: None,
            undelivered: None,
        })))
    }

    /// No ends, in a message whose sender is noted.
    pub(crate) fn none_of(sender: ProcessId) -> Self {
        let mut none = Self(None);
        none.note(sender);
        none
    }

    /// Notes who sends the message.
    pub(crate) fn note(&mut self, sender: ProcessId) {
        let all = self.0.get_or_insert_with(|| {
            Box::new(Carriage {
                ends: Vec::new(),
                giver: Weak::new(),
                sender: None,
                undelivered: None,
            })
        });
        all.sender = Some(sender);
    }

    /// Ends that a process gives away.
    pub(crate) fn given(ends: Vec<End>, giver: &Arc<Process>) -> Self {
        Self::new(ends, Arc::downgrade(giver))
    }

    /// Takes the ends out of the message.
    pub(crate) fn take(mut self) -> Vec<End> {
        self.0.take().map_or_else(Vec::new, |all| all.ends)
    }

    /// Drops the ends, poisoning them first where there is a reason.
    fn end(&mut self) {
        let Some(mut all) = self.0.take() else { return };
        if let Some(poison) = &all.undelivered {
            all.ends.iter().for_each(|end| end.poison(poison));
        } else if let Some(giver) = all.giver.upgrade() {
            giver.poison(&all.ends);
        }
        all.ends.clear();
    }
}

/// Ends that no process gives away.
impl From<Vec<End>> for Carried {
    fn from(ends: Vec<End>) -> Self {
        Self::new(ends, Weak::new())
    }
}

impl Deref for Carried {
    type Target = [End];

    fn deref(&self) -> &[End] {
        self.0.as_ref().map_or(&[], |all| &all.ends)
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Drop for Carried {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            Self(self.0.take()).drop_in_turn();
        }
    }
}

impl Carried {
    /// Drops the ends, or leaves that to the call that is already dropping others on this thread.
    fn drop_in_turn(self) {
        let mut carried = TO_DROP.with_borrow_mut(|waiting| match waiting {
            Some(waiting) => {
                waiting.push(self);
                Vec::new()
            }
            None => {
                *waiting = Some(Vec::new());
                vec![self]
            }
        });
        if carried.is_empty() {
            return;
        }
        while !carried.is_empty() {
            carried.iter_mut().for_each(Self::end);
            carried = TO_DROP
                .with_borrow_mut(|waiting| waiting.as_mut().map_or_else(Vec::new, std::mem::take));
        }
        TO_DROP.set(None);
    }
}

/// A message, and who pays for it while it waits.
pub(crate) type Message = Held<Content>;

/// What a message consists of. What the bytes mean is up to sender and receiver: CBOR for typed ports,
/// anything for ports of type `list<u8>`.
#[derive(Debug)]
pub(crate) struct Content {
    /// The payload.
    pub bytes: Bytes,
    /// Ends of channels that go to whoever receives the message.
    pub ends: Carried,
}

impl Message {
    /// A message of the embedding program's, or of the host's own.
    pub(crate) fn of_program(bytes: impl Into<Bytes>, ends: Carried) -> Self {
        let bytes = bytes.into();
        Self::by_program(Content { bytes, ends })
    }

    /// Drops the ends that it carries, poisoned if there is a reason.
    pub(crate) fn drop_ends(&mut self, why: Option<&Poison>) {
        if let Some(poison) = why {
            self.undelivered(poison);
        }
        drop(std::mem::take(&mut self.ends));
    }

    /// A message of a process, which pays for it.
    pub(crate) fn of_process(bytes: Bytes, ends: Carried, charge: Charge) -> Self {
        Self::by_process(Content { bytes, ends }, charge)
    }

    /// A message of a process that waits with it at a rendezvous; or the bytes, if they take
    /// memory.
    pub(crate) fn if_small(bytes: Bytes) -> Result<Self, Bytes> {
        let ends = Carried::default();
        match bytes.spilled() {
            true => Err(bytes),
            false => Ok(Self::small(Content { bytes, ends })),
        }
    }

    /// Who sent it, where that is noted.
    pub(crate) fn sender(&self) -> Option<ProcessId> {
        self.ends.0.as_ref()?.sender
    }

    /// Takes the ends out of it.
    pub(crate) fn take_ends(&mut self) -> Vec<End> {
        std::mem::take(&mut self.ends).take()
    }

    /// What a message of so many bytes and ends counts for, with its entry in the channel.
    pub(crate) fn charged(bytes: usize, ends: usize) -> u64 {
        (bytes + ends * END_SIZE) as u64 + ENTRY
    }
}

/// What an end in a message counts for, in bytes, towards the limits on messages.
const END_SIZE: usize = 64;

impl Payload for Message {
    type Batch = Packed;

    fn size(&self) -> usize {
        self.bytes.len() + self.ends.len() * END_SIZE
    }

    fn undelivered(&mut self, poison: &Poison) {
        if let Some(carriage) = &mut self.ends.0 {
            carriage.undelivered = Some(poison.clone());
        }
    }
}
