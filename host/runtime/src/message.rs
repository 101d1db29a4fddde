//! What crosses a channel: bytes, and the ends that travel with them.

use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Weak};

use smallvec::SmallVec;
use transputer_core::channel::{self, Payload};

use crate::batch::Packed;
use crate::limits::Charge;
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

/// Bytes of a message that need no memory of their own.
pub(crate) const SMALL: usize = 16;

/// The bytes of a message.
pub(crate) type Bytes = SmallVec<[u8; SMALL]>;

/// The ends that a message carries.
///
/// Dropping an end may drop the messages that wait in its channel, with the ends in those: a
/// guest can make such a chain as long as it likes. So they are dropped one after the other, not
/// one within the other, which would need a stack as deep as the chain is long.
///
/// Ends that are dropped because the process that gave them away was ended are poisoned first, as
/// all that the process held: whoever is at the other sides must not mistake that for a normal end.
#[derive(Default)]
pub(crate) struct Carried(Option<Box<Carriage>>);

/// Ends, and who gave them away, if it was a process. Few messages have any, so it is kept apart.
struct Carriage {
    ends: Vec<End>,
    giver: Weak<Process>,
}

thread_local! {
    /// What waits to be dropped, while others are.
    static TO_DROP: RefCell<Option<Vec<Carried>>> = const { RefCell::new(None) };
}

impl Carried {
    fn new(ends: Vec<End>, giver: Weak<Process>) -> Self {
        Self((!ends.is_empty()).then(|| Box::new(Carriage { ends, giver })))
    }

    /// Ends that a process gives away.
    pub(crate) fn given(ends: Vec<End>, giver: &Arc<Process>) -> Self {
        Self::new(ends, Arc::downgrade(giver))
    }

    /// The ends, in whose message they no longer are.
    pub(crate) fn take(mut self) -> Vec<End> {
        self.0.take().map_or_else(Vec::new, |all| all.ends)
    }

    /// Poisons the ends if the process that gave them away was ended, and drops them.
    fn end(&mut self) {
        let Some(mut all) = self.0.take() else { return };
        if let Some(giver) = all.giver.upgrade() {
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
    /// Drops the ends, or leaves that to who drops others on this thread already.
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

/// A serialized message. What the bytes mean is between sender and receiver: CBOR for
/// typed ports, anything for ports of type `list<u8>`.
#[derive(Debug, Default)]
pub(crate) struct Message {
    /// The payload.
    pub bytes: Bytes,
    /// Ends of channels that go to whoever receives the message.
    pub ends: Carried,
    /// What it counts for in the account of the process that sent it, while it waits.
    pub(crate) charge: Option<Charge>,
}

impl Message {
    /// A message without ends.
    pub(crate) fn new(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            ends: Carried::default(),
            charge: None,
        }
    }
}

/// What an end in a message counts for, in bytes, towards the limits on messages.
const END_SIZE: usize = 64;

impl Payload for Message {
    type Batch = Packed;

    fn size(&self) -> usize {
        self.bytes.len() + self.ends.len() * END_SIZE
    }
}
