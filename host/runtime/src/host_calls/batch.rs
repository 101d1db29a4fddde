//! Sending and receiving many messages at once.

use transputer_core::channel::{Ahead, Batch, ChannelError, Outgoing, SendError};

use crate::batch::{PREFIX, Packed, Unpacked, pack};
use crate::limits::Charge;
use crate::message::{Message, Receiver, Sender};
use crate::process::{MemoryLimiter, ProcessState};
use transputer_abi::bindings::transputer::csp::channel as wit;

/// Bytes that one packed batch may have, unless its first message is longer.
const BATCH: usize = 64 << 10;

/// Bytes of a batch of small messages.
const TYPICAL: usize = 1 << 10;

/// Messages of a batch that are sent under one lock.
const AT_ONCE: usize = 1 << 10;

impl ProcessState {
    /// Sends the messages of a batch in order, through the sender of this number. One that the
    /// process has no memory for ends it.
    pub(crate) async fn send_packed(
        &mut self,
        sender: u32,
        packed: &[u8],
        patience: wit::Patience,
    ) -> wasmtime::Result<wit::Sent> {
        self.settle();
        let Some(sender) = self.ends.sender_at(sender) else {
            return Ok(wit::Sent {
                count: 0,
                error: Some(wit::Error::Moved),
                waiting: 0,
            });
        };
        let mut batch = Unpacked::new(packed, self.settings.limits.message);
        // A trace tells of each message.
        let at_once = if self.network.traced { 1 } else { AT_ONCE };
        let mut count = 0;
        let mut awaited = None;
        let mut waiting;
        loop {
            let mut charged = Charged {
                batch: &mut batch,
                memory: &mut self.memory,
                sender,
                left: at_once,
                overrun: None,
            };
            let some = sender.try_send_all(&mut charged);
            if let Some(overrun) = charged.overrun {
                return Err(overrun);
            }
            count += some.sent;
            awaited.get_or_insert(some.awaited);
            waiting = some.waiting;
            if some.sent > 0 {
                self.trace_send(sender, batch.last, None);
            }
            let refused = match some.result {
                Err(refused) => refused,
                Ok(()) if some.sent == 0 || batch.rest.is_empty() => break,
                Ok(()) => continue,
            };
            let result = match (patience, refused.error) {
                (wit::Patience::Forever | wit::Patience::Until(_), ChannelError::WouldBlock) => {
                    let send = self.how_long(patience).send(sender, refused.message);
                    self.process.operate(send).await
                }
                (_, error) => Err(SendError { error, ..refused }),
            };
            if let Err(error) = self.sent(sender, batch.last, result) {
                batch.error = Some(error);
                break;
            }
            count += 1;
        }
        Ok(wit::Sent {
            count: u32::try_from(count).unwrap_or(u32::MAX),
            error: batch.error,
            waiting: match awaited {
                Some(true) => 0,
                _ => u32::try_from(waiting).unwrap_or(u32::MAX),
            },
        })
    }

    /// The batch of a message that was received and of what else is at hand, in all at most
    /// `most`. Nothing if the message is alone.
    pub(super) fn batch_behind(
        &self,
        receiver: &Receiver,
        first: &[u8],
        most: u32,
    ) -> Option<Vec<u8>> {
        // What a watched process has not finished can be told only one message at a time.
        if self.is_watched() {
            return None;
        }
        let mut packed = Vec::new();
        let most = (most as usize).saturating_sub(1);
        let mut room = BATCH.saturating_sub(PREFIX + first.len());
        let mut ahead = 0;
        // Given back after the lock, and in one go as far as they are to the same account.
        let mut charges: Vec<Charge> = Vec::new();
        receiver.prefetch(most, |next| {
            if packed.is_empty() {
                packed.reserve(TYPICAL.min(room) + PREFIX + first.len());
                pack(&mut packed, first);
            }
            let before = packed.len();
            let (taken, charge) = match next {
                Ahead::Batch(batch, most) => {
                    let (taken, charge) = batch.move_to(&mut packed, most, room);
                    (taken, Some(charge))
                }
                Ahead::One(message) => {
                    if !message.ends.is_empty() || PREFIX + message.bytes.len() > room {
                        return 0;
                    }
                    pack(&mut packed, &message.bytes);
                    (1, message.charge.take())
                }
            };
            room -= packed.len() - before;
            ahead += taken;
            let other = match (charges.last_mut(), charge) {
                (Some(last), Some(charge)) => last.join(charge),
                (_, charge) => charge,
            };
            charges.extend(other);
            taken
        });
        if ahead == 0 {
            return None;
        }
        if self.network.traced {
            for message in Unpacked::new(&packed, usize::MAX).skip(1) {
                self.trace_receive(receiver, Ok(message.bytes.len()));
            }
        }
        Some(packed)
    }
}

/// The messages of a batch from a guest, each charged to the process.
struct Charged<'a, 'b> {
    batch: &'a mut Unpacked<'b>,
    memory: &'a mut MemoryLimiter,
    sender: &'a Sender,
    /// How many may still be taken.
    left: usize,
    /// Why there are no more, if the process has no memory for the next one.
    overrun: Option<wasmtime::Error>,
}

impl Iterator for Charged<'_, '_> {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        self.left = self.left.checked_sub(1)?;
        let mut message = self.batch.next()?;
        match self.memory.count(self.sender, &mut message) {
            Ok(()) => Some(message),
            Err(error) => {
                self.overrun = Some(error);
                None
            }
        }
    }
}

impl Outgoing<Message> for Charged<'_, '_> {
    fn next_batch(&mut self, most: usize, bytes: usize) -> Option<Packed> {
        let memory = &mut self.memory;
        // Where there is no memory for all, there may be some for the first.
        let charge = |bytes| memory.charge(bytes).ok();
        let packed = self.batch.next_packed(most.min(self.left), bytes, charge)?;
        self.left -= packed.messages();
        Some(packed)
    }
}

/// A batch of one message.
pub(super) fn packed_alone(message: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(PREFIX + message.len());
    pack(&mut packed, message);
    packed
}
