//! Many messages in one list of bytes, each preceded by its length: the form in which guests send
//! and receive them, and in which they wait in a channel.

use transputer_core::channel::Batch;

use crate::limits::{Charge, ENTRY, Held};
use crate::message::{Bytes, Carried, Message};
use transputer_abi::bindings::transputer::csp::channel as wit;

/// Bytes of the length in front of each message.
pub(crate) const PREFIX: usize = 4;

/// The most bytes of a batch in a channel. A batch keeps all its bytes until its last message is
/// taken, although the messages taken before no longer count for anybody.
const LONGEST: usize = 16 << 10;

/// Adds a message to a packed list.
pub(crate) fn pack(packed: &mut Vec<u8>, message: &[u8]) {
    let length = u32::try_from(message.len()).expect("the limit on messages is below 4 GiB");
    packed.extend_from_slice(&length.to_le_bytes());
    packed.extend_from_slice(message);
}

/// The first message of a packed list, and the rest.
fn split(packed: &[u8]) -> Option<(&[u8], &[u8])> {
    let (prefix, rest) = packed.split_first_chunk::<PREFIX>()?;
    let length = usize::try_from(u32::from_le_bytes(*prefix)).ok()?;
    rest.split_at_checked(length)
}

/// The longest prefix of a packed list that is within the bounds.
#[derive(Debug, Default, PartialEq)]
struct Reach {
    messages: usize,
    /// Including the lengths that precede the messages.
    bytes: usize,
}

impl Reach {
    /// At most `most` messages and `bytes` bytes in all, none of them over `limit` bytes.
    fn of(packed: &[u8], most: usize, bytes: usize, limit: usize) -> Self {
        let packed = &packed[..bytes.min(packed.len())];
        let mut reach = Self::default();
        let mut rest = packed;
        while reach.messages < most
            && let Some((message, behind)) = split(rest)
            && message.len() <= limit
        {
            reach.messages += 1;
            rest = behind;
        }
        reach.bytes = packed.len() - rest.len();
        reach
    }

    /// The sum of the sizes of the messages.
    fn size(&self) -> usize {
        self.bytes - PREFIX * self.messages
    }

    /// What they count for in the account of the process that sends them.
    fn charged(&self) -> u64 {
        self.size() as u64 + ENTRY * self.messages as u64
    }
}

/// Messages without ends in a channel, as a guest packed them.
#[expect(
    unreachable_pub,
    reason = "the generated bindings export what has it as a batch"
)]
#[derive(Debug)]
pub struct Packed {
    bytes: Held<Box<[u8]>>,
    /// Where the first of them begins.
    start: usize,
    messages: usize,
}

impl Packed {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Takes this many out, with the charge for them.
    fn advance(&mut self, reach: &Reach) -> Option<Charge> {
        self.start += reach.bytes;
        self.messages -= reach.messages;
        self.bytes.split_charge(reach.charged())
    }

    /// Moves messages to the end of a packed list: at most `most` of them, and `room` bytes.
    /// Returns how many, and what they were charged.
    pub(crate) fn move_to(
        &mut self,
        packed: &mut Vec<u8>,
        most: usize,
        room: usize,
    ) -> (usize, Option<Charge>) {
        let reach = if self.messages <= most && self.rest().len() <= room {
            Reach {
                messages: self.messages,
                bytes: self.rest().len(),
            }
        } else {
            Reach::of(self.rest(), most, room, usize::MAX)
        };
        packed.extend_from_slice(&self.rest()[..reach.bytes]);
        (reach.messages, self.advance(&reach))
    }
}

impl Batch<Message> for Packed {
    fn messages(&self) -> usize {
        self.messages
    }

    fn size(&self) -> usize {
        self.rest().len() - PREFIX * self.messages
    }

    fn take_first(&mut self) -> Option<Message> {
        let (message, _) = split(self.rest())?;
        let reach = Reach {
            messages: 1,
            bytes: PREFIX + message.len(),
        };
        let bytes = Bytes::from_slice(message);
        let ends = Carried::default();
        Some(match self.advance(&reach) {
            Some(charge) => Message::of_process(bytes, ends, charge),
            None => Message::of_program(bytes, ends),
        })
    }
}

/// The messages of a packed list from a guest, up to the first one that is malformed or too large.
pub(crate) struct Unpacked<'a> {
    pub(crate) rest: &'a [u8],
    /// The largest size that a message may have.
    limit: usize,
    /// The size of the last message that was taken by itself.
    pub(crate) last: usize,
    /// Why there are no more, unless all have been taken.
    pub(crate) error: Option<wit::Error>,
}

impl<'a> Unpacked<'a> {
    pub(crate) fn new(packed: &'a [u8], limit: usize) -> Self {
        Self {
            rest: packed,
            limit,
            last: 0,
            error: None,
        }
    }

    fn stop(&mut self, error: wit::Error) -> Option<Bytes> {
        self.error = Some(error);
        self.rest = &[];
        None
    }

    /// The next messages as they lie there: at most `most`, of at most `size` bytes in all.
    /// Nothing if that were fewer than two, or if `charge` refuses what they count for.
    pub(crate) fn next_packed(
        &mut self,
        most: usize,
        size: usize,
        charge: impl FnOnce(u64) -> Option<Charge>,
    ) -> Option<Packed> {
        // With their lengths there are always fewer bytes of messages than that.
        let reach = Reach::of(self.rest, most, size.min(LONGEST), self.limit);
        if reach.messages < 2 {
            return None;
        }
        let charge = charge(reach.charged())?;
        let (packed, rest) = self.rest.split_at(reach.bytes);
        self.rest = rest;
        Some(Packed {
            bytes: Held::by_process(packed.into(), charge),
            start: 0,
            messages: reach.messages,
        })
    }
}

impl Iterator for Unpacked<'_> {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.rest.is_empty() {
            return None;
        }
        let Some((message, rest)) = split(self.rest) else {
            return self.stop(wit::Error::Malformed);
        };
        if message.len() > self.limit {
            return self.stop(wit::Error::TooLarge);
        }
        self.rest = rest;
        self.last = message.len();
        Some(Bytes::from_slice(message))
    }
}

#[cfg(test)]
mod tests {
    use super::{Packed, Reach, Unpacked, pack};
    use crate::limits::{Account, Limit, Total};
    use crate::process::{LimitKind, LimitOwner};
    use std::sync::Arc;
    use transputer_core::channel::Batch;

    fn account() -> Account {
        let limit = Limit {
            kind: LimitKind::Memory,
            owner: LimitOwner::Process,
        };
        Account::open(Total::new(limit, Some(1_000), None), &Arc::default())
    }

    fn packed(messages: &[&str]) -> Vec<u8> {
        let mut packed = Vec::new();
        for message in messages {
            pack(&mut packed, message.as_bytes());
        }
        packed
    }

    #[test]
    fn a_reach_ends_before_what_is_out_of_bounds() {
        let list = packed(&["one", "three", "", "eleven"]);
        let all = list.len();
        for (most, bytes, limit, expected) in [
            (9, all, 9, (4, all)),
            (2, all, 9, (2, 16)),
            (9, 15, 9, (1, 7)),
            (9, 16, 9, (2, 16)),
            (9, all, 5, (3, 20)),
            (9, all, 2, (0, 0)),
            (0, all, 9, (0, 0)),
        ] {
            let reach = Reach::of(&list, most, bytes, limit);
            assert_eq!(
                (reach.messages, reach.bytes),
                expected,
                "{most} {bytes} {limit}"
            );
        }
        // The last one is cut off, or its length is.
        assert_eq!(Reach::of(&list[..all - 1], 9, all, 9).messages, 3);
        assert_eq!(Reach::of(&list[..22], 9, all, 9).messages, 3);
    }

    #[test]
    fn what_is_moved_on_is_no_longer_there_and_no_longer_charged() {
        let list = packed(&["one", "three", "", "eleven"]);
        let mut account = account();
        let mut outgoing = Unpacked::new(&list, 9);
        let charge = |bytes| account.charge(bytes).ok();
        let mut batch: Packed = outgoing.next_packed(9, 99, charge).expect("four");
        assert!(outgoing.next().is_none());
        assert_eq!((batch.messages(), batch.size()), (4, 14));

        let first = batch.take_first().expect("there are four");
        assert_eq!(&first.bytes[..], b"one");
        let mut moved = Vec::new();
        assert_eq!(batch.move_to(&mut moved, 9, 12).0, 1);
        assert_eq!((batch.messages(), batch.size()), (2, 6));
        // Two messages of six bytes in all still wait: with their places they count for 134.
        drop(first);
        assert!(account.charge(1_000 - 134 + 1).is_err());
        assert!(account.charge(1_000 - 134).is_ok());

        assert_eq!(batch.move_to(&mut moved, 9, 14).0, 2);
        assert_eq!(moved, list[7..]);
        assert_eq!((batch.messages(), batch.size()), (0, 0));
        assert!(batch.take_first().is_none());
    }

    #[test]
    fn a_batch_that_there_is_no_memory_for_stays_where_it_is() {
        let list = packed(&["one", "three"]);
        let mut outgoing = Unpacked::new(&list, 9);
        assert!(outgoing.next_packed(9, 99, |_| None).is_none());
        assert_eq!(outgoing.by_ref().count(), 2);
        assert!(outgoing.error.is_none());
    }
}
