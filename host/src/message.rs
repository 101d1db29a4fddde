//! What crosses a channel: bytes, and the ends that travel with them.

use std::cell::RefCell;
use std::ops::Deref;

use transputer_core::channel::{self, Payload};

use crate::limits::Charge;

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

/// The ends that a message carries.
///
/// Dropping an end may drop the messages that wait in its channel, with the ends in those: a
/// guest can make such a chain as long as it likes. So they are dropped one after the other, not
/// one within the other, which would need a stack as deep as the chain is long.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
#[derive(Debug, Default)]
pub struct Carried(Vec<End>);

thread_local! {
    /// Ends that wait to be dropped, while others are.
    static TO_DROP: RefCell<Option<Vec<End>>> = const { RefCell::new(None) };
}

impl Carried {
    /// The ends, in whose message they no longer are.
    pub(crate) fn take(mut self) -> Vec<End> {
        std::mem::take(&mut self.0)
    }
}

impl From<Vec<End>> for Carried {
    fn from(ends: Vec<End>) -> Self {
        Self(ends)
    }
}

impl Deref for Carried {
    type Target = [End];

    fn deref(&self) -> &[End] {
        &self.0
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        if self.0.is_empty() {
            return;
        }
        let mut ends = std::mem::take(&mut self.0);
        let first = TO_DROP.with_borrow_mut(|waiting| match waiting {
            Some(waiting) => {
                waiting.append(&mut ends);
                false
            }
            None => {
                *waiting = Some(Vec::new());
                true
            }
        });
        if !first {
            return;
        }
        while !ends.is_empty() {
            drop(ends);
            ends = TO_DROP
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
    pub bytes: Vec<u8>,
    /// Ends of channels that go to whoever receives the message.
    pub ends: Carried,
    /// What it counts for in the account of the process that sent it, while it waits.
    pub(crate) charge: Option<Charge>,
}

impl Message {
    /// A message without ends.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
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
