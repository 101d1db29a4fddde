//! What crosses a channel: bytes, and the ends that travel with them.

use transputer_core::channel::{self, Payload};

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

/// A serialized message. What the bytes mean is between sender and receiver: CBOR for
/// typed ports, anything for ports of type `list<u8>`.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
#[derive(Debug, Default)]
pub struct Message {
    /// The payload.
    pub bytes: Vec<u8>,
    /// Ends of channels that go to whoever receives the message.
    pub ends: Vec<End>,
}

impl Message {
    /// A message without ends.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ends: Vec::new(),
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
