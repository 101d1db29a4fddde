//! What crosses a channel: bytes, and the ends that travel with them.

use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Weak};

use smallvec::SmallVec;
use transputer_core::channel::{self, Payload};

use crate::limits::Charge;
use crate::process::Process;

/// The sender of a channel of messages.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub type Sender = channel::Sender<Message>;

/// The receiver of a channel of messages.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub type Receiver = channel::Receiver<Message>;

/// One membership of a barrier.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub use transputer_core::Barrier;

/// One end of a channel, or a membership of a barrier, on its way in a message.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
#[derive(Debug)]
pub enum End {
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
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub type Bytes = SmallVec<[u8; SMALL]>;

/// The ends that a message carries.
///
/// Dropping an end may drop the messages that wait in its channel, with the ends in those: a
/// guest can make such a chain as long as it likes. So they are dropped one after the other, not
/// one within the other, which would need a stack as deep as the chain is long.
///
/// Ends that are dropped because the process that gave them away was ended are poisoned first, as
/// all that the process held: whoever is at the other sides must not mistake that for a normal end.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
#[derive(Default)]
pub struct Carried {
    ends: Vec<End>,
    giver: Weak<Process>,
}

thread_local! {
    /// What waits to be dropped, while others are.
    static TO_DROP: RefCell<Option<Vec<Carried>>> = const { RefCell::new(None) };
}

impl Carried {
    /// Ends that a process gives away.
    pub(crate) fn given(ends: Vec<End>, giver: &Arc<Process>) -> Self {
        Self {
            ends,
            giver: Arc::downgrade(giver),
        }
    }

    /// The ends, in whose message they no longer are.
    pub(crate) fn take(mut self) -> Vec<End> {
        std::mem::take(&mut self.ends)
    }

    /// Poisons the ends if the process that gave them away was ended, and drops them.
    fn end(&mut self) {
        if let Some(giver) = self.giver.upgrade() {
            giver.poison(&self.ends);
        }
        self.ends.clear();
    }
}

/// Ends that no process gives away.
impl From<Vec<End>> for Carried {
    fn from(ends: Vec<End>) -> Self {
        Self {
            ends,
            giver: Weak::new(),
        }
    }
}

impl Deref for Carried {
    type Target = [End];

    fn deref(&self) -> &[End] {
        &self.ends
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ends.fmt(f)
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        if self.ends.is_empty() {
            return;
        }
        let this = std::mem::take(self);
        let mut carried = TO_DROP.with_borrow_mut(|waiting| match waiting {
            Some(waiting) => {
                waiting.push(this);
                Vec::new()
            }
            None => {
                *waiting = Some(Vec::new());
                vec![this]
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
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
#[derive(Debug, Default)]
pub struct Message {
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
    fn size(&self) -> usize {
        self.bytes.len() + self.ends.len() * END_SIZE
    }
}
