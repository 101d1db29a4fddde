//! Messages that were taken from the host in advance.

use std::fmt;

use super::buffered::first_message;
use crate::bindings::transputer::csp::channel::Small;
use crate::error::Error;
use crate::message::ROOM;

/// Messages that a loop took from the host and has not got to: packed.
#[derive(Default)]
pub(super) struct Held {
    packed: Vec<u8>,
    /// Where the first of them begins.
    start: usize,
}

impl Held {
    pub(super) fn new(packed: Vec<u8>) -> Self {
        Held { packed, start: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start >= self.packed.len()
    }

    /// What `read` makes of the next message, if it can make anything of it as a small one.
    /// Otherwise the message stays.
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

/// The message behind which there is nothing to fill the room.
#[cold]
#[inline(never)]
fn one_of_the_last(rest: &[u8]) -> Option<[u8; ROOM]> {
    Some(Small::new(rest)?.room())
}

impl fmt::Debug for Held {
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
        let mut held = Held::new(packed(&messages));
        for message in &messages {
            let quick = held.next_small(u64::from_small);
            assert_eq!(quick, from_bytes(message).ok());
            if quick.is_none() {
                assert_eq!(held.next(<[u8]>::to_vec), Some(Ok(message.clone())));
            }
        }
        assert!(held.is_empty());
        assert_eq!(held.next_small(u64::from_small), None);
    }

    #[test]
    fn a_batch_that_is_cut_off_is_malformed() {
        let whole = packed(&[vec![0x19, 1, 2]]);
        for length in 1..whole.len() {
            let mut held = Held::new(whole[..length].to_vec());
            assert_eq!(held.next_small(u64::from_small), None);
            assert_eq!(held.next(<[u8]>::to_vec), Some(Err(Error::Malformed)));
            assert!(held.is_empty());
        }
        // Nothing behind a length: the place of a message that is not there is no 0.
        let mut held = Held::new(vec![1, 0, 0, 0]);
        assert_eq!(held.next_small(u64::from_small), None);
    }
}
