//! Many messages in one list of bytes: each behind its length.

use std::iter;

use transputer_core::channel::{ChannelError, SendError};

use crate::bindings::transputer::csp::channel as wit;
use crate::limits::Charge;
use crate::message::{Bytes, Message, Receiver};
use crate::process::ProcessState;

/// Bytes that one packed batch may have, unless its first message is longer.
const BATCH: usize = 64 << 10;

/// Bytes of a batch of small messages.
const TYPICAL: usize = 1 << 10;

/// Messages of a batch that are sent under one lock.
const AT_ONCE: usize = 1 << 10;

/// Bytes of the length in front of each message.
const PREFIX: usize = 4;

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
            let mut overrun = None;
            let charged = iter::from_fn(|| {
                let mut message = batch.next()?;
                match self.memory.count(sender, &mut message) {
                    Ok(()) => Some(message),
                    Err(error) => {
                        overrun = Some(error);
                        None
                    }
                }
            });
            let some = sender.try_send_all(&mut charged.take(at_once));
            if let Some(overrun) = overrun {
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
        // Given back after the lock, and in one go as far as they are to the same account.
        let mut charges: Vec<Charge> = Vec::new();
        receiver.prefetch(most, |message| {
            let size = PREFIX + message.bytes.len();
            let fits = message.ends.is_empty() && size <= room;
            if fits {
                if packed.is_empty() {
                    packed.reserve(TYPICAL.min(room));
                    pack(&mut packed, first);
                }
                room -= size;
                pack(&mut packed, &message.bytes);
                let other = match (charges.last_mut(), message.charge.take()) {
                    (Some(last), Some(charge)) => last.join(charge),
                    (_, charge) => charge,
                };
                charges.extend(other);
            }
            fits
        });
        if self.network.traced && !packed.is_empty() {
            for message in Unpacked::new(&packed, usize::MAX).skip(1) {
                self.trace_receive(receiver, Ok(message.bytes.len()));
            }
        }
        (!packed.is_empty()).then_some(packed)
    }
}

/// A batch of one message.
pub(super) fn packed_alone(message: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(PREFIX + message.len());
    pack(&mut packed, message);
    packed
}

fn pack(packed: &mut Vec<u8>, message: &[u8]) {
    let length = u32::try_from(message.len()).expect("the limit on messages is below 4 GiB");
    packed.extend_from_slice(&length.to_le_bytes());
    packed.extend_from_slice(message);
}

/// The messages of a packed batch, up to the first one that is malformed or too large.
pub(super) struct Unpacked<'a> {
    rest: &'a [u8],
    /// The size that none may exceed.
    limit: usize,
    /// The size of the last one.
    pub(super) last: usize,
    /// Why there are no more, if not because all have been taken.
    pub(super) error: Option<wit::Error>,
}

impl<'a> Unpacked<'a> {
    pub(super) fn new(packed: &'a [u8], limit: usize) -> Self {
        Self {
            rest: packed,
            limit,
            last: 0,
            error: None,
        }
    }

    fn stop(&mut self, error: wit::Error) -> Option<Message> {
        self.error = Some(error);
        self.rest = &[];
        None
    }
}

impl Iterator for Unpacked<'_> {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        if self.rest.is_empty() {
            return None;
        }
        let split = self
            .rest
            .split_first_chunk::<PREFIX>()
            .and_then(|(prefix, rest)| {
                let length = usize::try_from(u32::from_le_bytes(*prefix)).ok()?;
                rest.split_at_checked(length)
            });
        let Some((message, rest)) = split else {
            return self.stop(wit::Error::Malformed);
        };
        if message.len() > self.limit {
            return self.stop(wit::Error::TooLarge);
        }
        self.rest = rest;
        self.last = message.len();
        Some(Message::new(Bytes::from_slice(message)))
    }
}
