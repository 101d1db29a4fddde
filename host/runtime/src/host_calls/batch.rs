//! Sending and receiving many messages at once.

use transputer_core::channel::{Ahead, Batch, Outgoing, TrySendError};

use crate::batch::{PREFIX, Packed, Unpacked, pack};
use crate::limits::Charge;
use crate::message::{Message, Receiver, Sender};
use crate::process::{MemoryLimiter, ProcessState};
use transputer_abi::bindings::transputer::csp::channel as wit;

/// The most bytes of a packed batch, unless its first message is longer.
const BATCH: usize = 64 << 10;

/// The most bytes of a batch of small messages.
const TYPICAL: usize = 1 << 10;

/// The most messages of a batch that are sent under one lock, in one step.
pub(super) const AT_ONCE: usize = 1 << 10;

/// Bytes that they may have, unless the first is longer.
pub(super) const BYTES_AT_ONCE: usize = 256 << 10;

impl ProcessState {
    /// Sends the messages of a batch in order, through the sender of this number. A message for which the
    /// process has no memory ends the process.
    pub(crate) async fn send_packed(
        &mut self,
        number: u32,
        packed: &[u8],
        patience: wit::Patience,
    ) -> wasmtime::Result<wit::Sent> {
        self.close_dropped();
        let refused = |error| wit::Sent {
            count: 0,
            error: Some(error),
            waiting: 0,
        };
        if self.ends.sender_at(number).is_none() {
            return Ok(refused(wit::Error::Moved));
        }
        // One that was longer has been cut at this length.
        if packed.len() >= self.process.spec.limits.batch_bytes() {
            return Ok(refused(wit::Error::TooLarge));
        }
        let mut batch = Unpacked::new(packed, self.process.spec.limits.message);
        let mut progress = Progress::default();
        while self
            .send_at_once(number, &mut batch, patience, &mut progress)
            .await?
        {
            self.pace.step().await;
        }
        Ok(progress.told(batch.error))
    }

    /// Sends what fits under one lock and in one step, and waits with the next message if it must. Whether
    /// there is more to send.
    async fn send_at_once(
        &mut self,
        number: u32,
        batch: &mut Unpacked<'_>,
        patience: wit::Patience,
        progress: &mut Progress,
    ) -> wasmtime::Result<bool> {
        let Some(sender) = self.ends.sender_at(number) else {
            batch.error = Some(wit::Error::Moved);
            return Ok(false);
        };
        let mut charging = Charging {
            batch,
            memory: &mut self.memory,
            sender,
            // A trace reports each message.
            left: if self.network.notes.any() { 1 } else { AT_ONCE },
            room: BYTES_AT_ONCE,
            overrun: None,
        };
        let some = sender.try_send_all(&mut charging);
        if let Some(overrun) = charging.overrun {
            return Err(overrun);
        }
        progress.count += some.sent;
        progress.awaited.get_or_insert(some.awaited);
        progress.waiting = some.waiting;
        self.note_batch_sent(sender, some.sent, batch.last);
        let result = match (patience, some.result) {
            (_, Ok(())) => return Ok(some.sent > 0 && !batch.rest.is_empty()),
            (
                wit::Patience::Forever | wit::Patience::Until(_),
                Err(TrySendError::Full(message)),
            ) => {
                let send = self.how_long(patience).send(sender, message);
                self.process.operate(send).await.map_err(|(_, error)| error)
            }
            (_, Err(refused)) => Err(refused.into()),
        };
        match self.sent(sender, batch.last, result) {
            Ok(()) => progress.count += 1,
            Err(error) => batch.error = Some(error),
        }
        Ok(batch.error.is_none())
    }

    /// A received message together with what else is at hand, at most `most` in all, as a batch. `None` if
    /// the message is alone.
    pub(super) fn batch_behind(
        &self,
        receiver: &Receiver,
        first: &[u8],
        most: u32,
    ) -> Option<Vec<u8>> {
        // What a watched process has not finished can be told only one message at a time, and so can who sent it.
        if self.is_watched() || self.network.notes.senders {
            return None;
        }
        let mut packed = Vec::new();
        let most = (most as usize).saturating_sub(1);
        let mut room = BATCH.saturating_sub(PREFIX + first.len());
        let mut ahead = 0;
        // Given back after unlocking, and at once where they are of the same account.
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
                    (taken, charge)
                }
                Ahead::One(message) => {
                    if !message.ends.is_empty() || PREFIX + message.bytes.len() > room {
                        return 0;
                    }
                    pack(&mut packed, &message.bytes);
                    (1, message.take_charge())
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
        self.process.measures.receives(ahead);
        if self.network.notes.steps {
            for message in Unpacked::new(&packed, usize::MAX).skip(1) {
                self.trace_receive(receiver, message.len(), None);
            }
        }
        Some(packed)
    }
}

/// What has become of a batch so far.
#[derive(Default)]
struct Progress {
    /// How many messages were sent.
    count: usize,
    /// Whether a receiver was waiting for the first of them.
    awaited: Option<bool>,
    /// How many messages wait in the channel.
    waiting: usize,
}

impl Progress {
    /// What the guest is told, with why not all of them were sent.
    fn told(self, error: Option<wit::Error>) -> wit::Sent {
        let Self {
            count,
            awaited,
            waiting,
        } = self;
        wit::Sent {
            count: u32::try_from(count).unwrap_or(u32::MAX),
            error,
            waiting: match awaited {
                Some(true) => 0,
                _ => u32::try_from(waiting).unwrap_or(u32::MAX),
            },
        }
    }
}

/// The messages of a batch from a guest, each charged to the process.
pub(super) struct Charging<'a, 'b> {
    pub(super) batch: &'a mut Unpacked<'b>,
    pub(super) memory: &'a mut MemoryLimiter,
    pub(super) sender: &'a Sender,
    /// How many may still be taken, and as long as there is room for bytes.
    pub(super) left: usize,
    pub(super) room: usize,
    /// Why there are no more, if the process has no memory for the next one.
    pub(super) overrun: Option<wasmtime::Error>,
}

impl Iterator for Charging<'_, '_> {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        if self.room == 0 {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        let bytes = self.batch.next()?;
        self.room = self.room.saturating_sub(bytes.len());
        match self.memory.message(self.sender, bytes) {
            Ok(message) => Some(message),
            Err(error) => {
                self.overrun = Some(error);
                None
            }
        }
    }
}

impl Outgoing<Message> for Charging<'_, '_> {
    fn next_batch(&mut self, most: usize, bytes: usize) -> Option<Packed> {
        if self.room == 0 {
            return None;
        }
        let memory = &mut self.memory;
        if memory.marks() {
            return None;
        }
        // If there is no memory for all, there may be enough for the first.
        let charge = |bytes| memory.charge(bytes).ok();
        let packed = self.batch.next_packed(most.min(self.left), bytes, charge)?;
        self.left -= packed.messages();
        self.room = self.room.saturating_sub(packed.size());
        Some(packed)
    }
}

/// A batch of one message.
pub(super) fn packed_alone(message: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(PREFIX + message.len());
    pack(&mut packed, message);
    packed
}
