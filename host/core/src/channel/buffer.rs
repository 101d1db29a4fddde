//! The messages that wait in a channel, in order.
//!
//! Invariants: `messages` and `bytes` are the sums over what is held; no batch is empty; the
//! numbers of acceptance never fall from the front to the back.

use std::any::Any;
use std::collections::VecDeque;

use super::batch::{Ahead, Batch};
use super::error::Poison;
use super::options::Payload;

/// An empty buffer keeps memory for so many messages; what a burst took beyond that is given back.
const KEPT: usize = 1_024;

/// So much is looked at after each step in debug builds.
const CHECKED: usize = 256;

/// A message that the channel has accepted.
pub(crate) struct Accepted<T> {
    /// Its place in the order of acceptance.
    pub(crate) number: u64,
    pub(crate) size: usize,
    pub(crate) message: T,
}

enum Chunk<T: Payload> {
    One(Accepted<T>),
    /// The number is that of its first message.
    Batch {
        number: u64,
        batch: T::Batch,
    },
}

impl<T: Payload> Chunk<T> {
    fn number(&self) -> u64 {
        match self {
            Chunk::One(accepted) => accepted.number,
            Chunk::Batch { number, .. } => *number,
        }
    }
}

pub(crate) struct Buffer<T: Payload> {
    chunks: VecDeque<Chunk<T>>,
    messages: usize,
    bytes: usize,
}

impl<T: Payload> Buffer<T> {
    pub(crate) const fn new() -> Self {
        Buffer {
            chunks: VecDeque::new(),
            messages: 0,
            bytes: 0,
        }
    }

    /// How many messages wait.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.messages
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.messages == 0
    }

    /// The sum of their sizes.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of the first message.
    pub(crate) fn first_number(&self) -> Option<u64> {
        self.chunks.front().map(Chunk::number)
    }

    #[inline]
    pub(crate) fn push(&mut self, accepted: Accepted<T>) {
        self.messages += 1;
        self.bytes = self.bytes.saturating_add(accepted.size);
        self.chunks.push_back(Chunk::One(accepted));
    }

    /// Adds messages of which the first has this number.
    pub(crate) fn push_batch(&mut self, number: u64, batch: T::Batch) {
        self.messages += batch.messages();
        self.bytes = self.bytes.saturating_add(batch.size());
        self.chunks.push_back(Chunk::Batch { number, batch });
    }

    /// Adds a message at its place in the order of acceptance.
    pub(crate) fn insert(&mut self, accepted: Accepted<T>) {
        let number = accepted.number;
        let at = self.chunks.partition_point(|other| other.number() < number);
        self.messages += 1;
        self.bytes = self.bytes.saturating_add(accepted.size);
        self.chunks.insert(at, Chunk::One(accepted));
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Accepted<T>> {
        if let Chunk::Batch { .. } = self.chunks.front()? {
            self.part_first();
        }
        let Some(Chunk::One(accepted)) = self.chunks.pop_front() else {
            unreachable!("a message is in front");
        };
        self.messages -= 1;
        self.bytes = self.bytes.saturating_sub(accepted.size);
        self.give_back_memory();
        Some(accepted)
    }

    /// The first message; one of a batch is taken out of it first.
    pub(crate) fn first(&mut self) -> Option<&T> {
        if let Chunk::Batch { .. } = self.chunks.front()? {
            self.part_first();
        }
        match self.chunks.front()? {
            Chunk::One(accepted) => Some(&accepted.message),
            Chunk::Batch { .. } => unreachable!("its first message was put in front"),
        }
    }

    /// Takes the first message out of the batch in front, and puts it there by itself.
    #[cold]
    fn part_first(&mut self) {
        let Some(Chunk::Batch { number, batch }) = self.chunks.front_mut() else {
            return;
        };
        let accepted = take_first(number, batch).expect("no batch is empty");
        if batch.messages() == 0 {
            self.chunks.pop_front();
        }
        self.chunks.push_front(Chunk::One(accepted));
    }

    /// Takes messages from the front, at most `most`, as long as `read` takes all that it may.
    /// Returns how many.
    pub(crate) fn take_ahead(
        &mut self,
        most: usize,
        mut read: impl FnMut(Ahead<'_, T>) -> usize,
    ) -> usize {
        let (mut taken, mut used) = (0, 0);
        for chunk in &mut self.chunks {
            let left = most - taken;
            if left == 0 {
                break;
            }
            match chunk {
                Chunk::One(accepted) => {
                    if read(Ahead::One(&mut accepted.message)) == 0 {
                        break;
                    }
                    taken += 1;
                    self.bytes = self.bytes.saturating_sub(accepted.size);
                }
                Chunk::Batch { number, batch } => {
                    let (before, size) = (batch.messages(), batch.size());
                    let read = read(Ahead::Batch(batch, left));
                    debug_assert_eq!(before, batch.messages() + read, "it is out of the batch");
                    taken += read;
                    *number += read as u64;
                    self.bytes = self.bytes.saturating_sub(size - batch.size());
                    if read < before {
                        break;
                    }
                }
            }
            used += 1;
        }
        self.chunks.drain(..used);
        self.messages -= taken;
        self.give_back_memory();
        taken
    }

    /// After it was emptied.
    fn give_back_memory(&mut self) {
        if self.chunks.is_empty() && self.chunks.capacity() > KEPT {
            self.chunks = VecDeque::new();
        }
    }

    /// Gives all memory back.
    pub(crate) fn shrink(&mut self) {
        debug_assert!(self.is_empty(), "emptied before");
        self.chunks = VecDeque::new();
    }

    /// Drops at most so many chunks, and tells them why if that is poison; whether any are left. Those
    /// of a batch are one if nobody has to tell them anything.
    pub(crate) fn drop_some(&mut self, most: usize, poison: Option<&Poison>) -> bool {
        for _ in 0..most {
            if let Some(Chunk::Batch { batch, .. }) = self.chunks.front_mut()
                && let Some(poison) = poison
            {
                batch.undelivered(poison);
            }
            match self.chunks.pop_front() {
                Some(Chunk::One(mut accepted)) => {
                    if let Some(poison) = poison {
                        accepted.message.undelivered(poison);
                    }
                }
                Some(Chunk::Batch { .. }) => {}
                None => break,
            }
        }
        !self.chunks.is_empty()
    }

    /// Shows each message.
    pub(crate) fn show(&mut self, see: &mut dyn FnMut(&dyn Any)) {
        for chunk in std::mem::take(&mut self.chunks) {
            match chunk {
                Chunk::One(accepted) => {
                    see(&accepted.message);
                    self.chunks.push_back(Chunk::One(accepted));
                }
                Chunk::Batch {
                    mut number,
                    mut batch,
                } => {
                    while let Some(accepted) = take_first::<T>(&mut number, &mut batch) {
                        see(&accepted.message);
                        self.chunks.push_back(Chunk::One(accepted));
                    }
                }
            }
        }
    }

    /// Asserts the invariants, unless there is a lot to look at.
    pub(crate) fn check(&self) {
        if self.chunks.len() > CHECKED {
            return;
        }
        let (mut messages, mut bytes, mut last) = (0, 0_usize, 0);
        for chunk in &self.chunks {
            let (more, size) = match chunk {
                Chunk::One(accepted) => (1, accepted.size),
                Chunk::Batch { batch, .. } => (batch.messages(), batch.size()),
            };
            assert!(more > 0, "an empty batch");
            assert!(chunk.number() >= last, "out of order");
            last = chunk.number();
            messages += more;
            bytes = bytes.saturating_add(size);
        }
        assert_eq!((self.messages, self.bytes), (messages, bytes), "miscounted");
    }
}

/// Takes the first message out of a batch.
fn take_first<T: Payload>(number: &mut u64, batch: &mut T::Batch) -> Option<Accepted<T>> {
    let message = batch.take_first()?;
    let accepted = Accepted {
        number: *number,
        size: message.size(),
        message,
    };
    *number += 1;
    Some(accepted)
}
