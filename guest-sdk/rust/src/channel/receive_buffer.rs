//! Messages that were taken from the host in advance.

use std::fmt;

use super::buffered::first_message;
use crate::bindings::transputer::csp::channel::Small;
use crate::error::Error;
use crate::message::ROOM;

/// Messages that a loop took from the host and has not got to: packed.
#[derive(Default)]
pub(super) struct ReceiveBuffer {
    packed: Vec<u8>,
    /// Where the first of them begins.
    start: usize,
}

impl ReceiveBuffer {
    pub(super) fn new(packed: Vec<u8>) -> Self {
        ReceiveBuffer { packed, start: 0 }
    }

    /// Puts packed messages in front.
    pub(super) fn put_back(&mut self, packed: &[u8]) {
        let rest = self.packed.get(self.start..).unwrap_or_default();
        self.packed = [packed, rest].concat();
        self.start = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start >= self.packed.len()
    }

    /// Takes the next message if `read` accepts it as a small one; otherwise leaves it.
    #[inline]
    pub(super) fn next_small<R>(&mut self, read: impl FnOnce(Small) -> Option<R>) -> Option<R> {
        let (length, rest) = self.packed.get(self.start..)?.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length);
        if length as usize > rest.len() {
            return None;
        }
        let room = match rest.first_chunk::<ROOM>() {
            Some(room) => *room,
            None => one_of_the_last(rest)?,
        };
        let message = read(Small::of(length, room))?;
        self.start += 4 + length as usize;
        Some(message)
    }

    /// Gives `read` the next message, if there is one.
    pub(super) fn next<R>(&mut self, read: impl FnOnce(&[u8]) -> R) -> Option<Result<R, Error>> {
        if self.is_empty() {
            return None;
        }
        let rest = self.packed.get(self.start..).unwrap_or_default();
        match first_message(rest) {
            Some((message, _)) => {
                self.start += 4 + message.len();
                Some(Ok(read(message)))
            }
            None => {
                self.start = self.packed.len();
                Some(Err(Error::Malformed))
            }
        }
    }
}

/// A message with too little behind it to fill the room.
#[cold]
#[inline(never)]
fn one_of_the_last(rest: &[u8]) -> Option<[u8; ROOM]> {
    Some(Small::new(rest)?.room())
}

impl fmt::Debug for ReceiveBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.packed.len().saturating_sub(self.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Message, from_bytes, to_bytes};

    fn packed(messages: &[Vec<u8>]) -> Vec<u8> {
        let length = |message: &Vec<u8>| (message.len() as u32).to_le_bytes();
        let each = messages.iter();
        each.flat_map(|message| [&length(message)[..], message].concat())
            .collect()
    }

    #[test]
    fn numbers_among_other_messages_come_in_order() {
        let numbers = [7, 300, 70_000, u64::MAX, 24];
        let mut messages: Vec<Vec<u8>> = numbers.iter().filter_map(|n| to_bytes(n).ok()).collect();
        messages.insert(2, vec![0x41; 40]);
        messages.push(to_bytes(&"seven".to_owned()).expect("it holds no ends"));
        let mut buffer = ReceiveBuffer::new(packed(&messages));
        for message in &messages {
            let quick = buffer.next_small(u64::from_small);
            assert_eq!(quick, from_bytes(message).ok());
            if quick.is_none() {
                assert_eq!(buffer.next(<[u8]>::to_vec), Some(Ok(message.clone())));
            }
        }
        assert!(buffer.is_empty());
        assert_eq!(buffer.next_small(u64::from_small), None);
    }

    #[test]
    fn a_batch_that_is_cut_off_is_malformed() {
        let whole = packed(&[vec![0x19, 1, 2]]);
        for length in 1..whole.len() {
            let mut buffer = ReceiveBuffer::new(whole[..length].to_vec());
            assert_eq!(buffer.next_small(u64::from_small), None);
            assert_eq!(buffer.next(<[u8]>::to_vec), Some(Err(Error::Malformed)));
            assert!(buffer.is_empty());
        }
        // A length with nothing behind it: a missing message is not a 0.
        let mut buffer = ReceiveBuffer::new(vec![1, 0, 0, 0]);
        assert_eq!(buffer.next_small(u64::from_small), None);
    }
}
