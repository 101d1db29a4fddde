//! Numbers as whole messages, without a writer or a reader: CBOR of at most 9 bytes, which
//! crosses to and from the host as two integers.

use crate::bindings::transputer::csp::channel::Small;

/// The bytes that a small message has room for.
pub(crate) const ROOM: usize = 16;

impl Small {
    /// These bytes as a message, if they are few enough.
    pub(crate) fn new(bytes: &[u8]) -> Option<Small> {
        let mut room = [0; ROOM];
        room.get_mut(..bytes.len())?.copy_from_slice(bytes);
        // It is at most 16.
        Some(Small::of(bytes.len() as u32, room))
    }

    /// The first `length` bytes of `room` as a message.
    #[inline]
    pub(crate) fn of(length: u32, room: [u8; ROOM]) -> Small {
        let both = u128::from_le_bytes(room);
        Small {
            length,
            low: both as u64,
            high: (both >> 64) as u64,
        }
    }

    /// Its bytes, followed by zeros.
    #[inline]
    pub(crate) fn room(self) -> [u8; ROOM] {
        (u128::from(self.low) | u128::from(self.high) << 64).to_le_bytes()
    }

    /// A head of CBOR: the kind of item in the upper three bits, and an argument.
    #[inline]
    fn head(kind: u8, argument: u64) -> Small {
        let small = |length, low| Small {
            length,
            low,
            high: 0,
        };
        let kind = u64::from(kind);
        // In as few bytes as hold the argument, as RFC 8949 prefers.
        if argument < 24 {
            small(1, kind | argument)
        } else if let Ok(argument) = u8::try_from(argument) {
            small(2, kind | 24 | u64::from(argument) << 8)
        } else if let Ok(argument) = u16::try_from(argument) {
            small(3, kind | 25 | u64::from(argument.swap_bytes()) << 8)
        } else if let Ok(argument) = u32::try_from(argument) {
            small(5, kind | 26 | u64::from(argument.swap_bytes()) << 8)
        } else {
            let argument = argument.swap_bytes();
            Small {
                length: 9,
                low: kind | 27 | argument << 8,
                high: argument >> 56,
            }
        }
    }

    /// The kind and the argument, if the message is a head and nothing else.
    #[inline]
    fn argument(self) -> Option<(u8, u64)> {
        let first = self.low as u8;
        let argument = match u32::from(first & 0x1f) {
            argument @ 0..24 if self.length == 1 => argument.into(),
            // One, two or four bytes hold the argument: a shift costs less than a branch for each.
            width @ 24..27 if self.length == 1 + (1 << (width - 24)) => {
                let bytes = (self.low >> 8) as u32;
                u64::from(bytes.swap_bytes() >> (32 - (8 << (width - 24))))
            }
            27 if self.length == 9 => (self.low >> 8 | self.high << 56).swap_bytes(),
            _ => return None,
        };
        Some((first & 0xe0, argument))
    }

    /// What [`Writer::unsigned`](super::Writer::unsigned) writes.
    #[inline]
    pub(crate) fn unsigned(value: u64) -> Small {
        Small::head(0, value)
    }

    /// What [`Writer::signed`](super::Writer::signed) writes.
    #[inline]
    pub(crate) fn signed(value: i64) -> Small {
        // -1 - n stands for n; its bits are those of n, turned round.
        match u64::try_from(value) {
            Ok(value) => Small::head(0, value),
            Err(_) => Small::head(0x20, !value as u64),
        }
    }

    /// What [`Reader::unsigned`](super::Reader::unsigned) reads, if it is that and all of it.
    #[inline]
    pub(crate) fn as_unsigned(self) -> Option<u64> {
        let (kind, argument) = self.argument()?;
        (kind == 0).then_some(argument)
    }

    /// What [`Reader::signed`](super::Reader::signed) reads, if it is that and all of it.
    #[inline]
    pub(crate) fn as_signed(self) -> Option<i64> {
        let (kind, argument) = self.argument()?;
        let argument = i64::try_from(argument).ok()?;
        match kind {
            0 => Some(argument),
            0x20 => Some(!argument),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{from_bytes, to_bytes};

    fn numbers() -> impl Iterator<Item = u64> {
        let around =
            |bit: u32| (0..3).map(move |near| (1_u64 << bit).wrapping_add(near).wrapping_sub(1));
        (0..64)
            .flat_map(around)
            .chain([23, 24, 25, u64::MAX - 1, u64::MAX])
    }

    fn bytes(small: Small) -> Vec<u8> {
        small.room()[..small.length as usize].to_vec()
    }

    #[test]
    fn numbers_are_the_same_bytes_as_with_a_writer() {
        for number in numbers() {
            let small = Small::unsigned(number);
            assert_eq!(Ok(bytes(small)), to_bytes(&number));
            assert_eq!(small.as_unsigned(), Some(number));
            for signed in [number as i64, !number as i64] {
                let small = Small::signed(signed);
                assert_eq!(Ok(bytes(small)), to_bytes(&signed));
                assert_eq!(small.as_signed(), Some(signed));
            }
        }
    }

    #[test]
    fn whatever_can_be_read_is_what_a_reader_reads() {
        // Every first byte, with bytes behind it that tell their positions.
        for first in 0..=u8::MAX {
            for length in 0..=ROOM {
                let mut bytes = Vec::from_iter((1..=ROOM as u8).map(|n| n * 15));
                bytes[0] = first;
                bytes.truncate(length);
                let small = Small::new(&bytes).expect("it has room");
                if let Some(number) = small.as_unsigned() {
                    assert_eq!(from_bytes(&bytes), Ok(number), "{bytes:?}");
                }
                if let Some(number) = small.as_signed() {
                    assert_eq!(from_bytes(&bytes), Ok(number), "{bytes:?}");
                }
                let known = from_bytes::<u64>(&bytes).is_ok();
                assert_eq!(small.as_unsigned().is_some(), known, "{bytes:?}");
                let known = from_bytes::<i64>(&bytes).is_ok();
                assert_eq!(small.as_signed().is_some(), known, "{bytes:?}");
            }
        }
        assert!(Small::new(&[0; ROOM + 1]).is_none());
    }
}
