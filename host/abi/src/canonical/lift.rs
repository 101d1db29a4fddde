//! Values out of a guest's memory, as the canonical ABI lays them out.
//!
//! Every address and length comes from the guest: what is outside its memory, is not aligned, or is not a
//! value of its type, traps.

use std::cell::Cell;

use wasmtime::component::Resource;
use wasmtime::{Result, bail};

use crate::handles::{Kind, resource};

/// A type that can be read from a guest's memory.
pub(crate) trait Lift: Sized {
    /// Bytes, and their alignment.
    const SIZE: usize;
    const ALIGN: usize;

    /// Reads the value at this address.
    fn lift(source: &Source<'_>, at: usize) -> Result<Self>;
}

/// A guest's memory, out of which the host copies for one call.
///
/// Lists may contain the same bytes any number of times, so a small memory could ask for more copies than
/// the host has memory for. So what the lists of one call take together is bounded.
pub(crate) struct Source<'a> {
    memory: &'a [u8],
    /// Bytes that may be copied in all, and that may still be.
    most: usize,
    left: Cell<usize>,
}

impl<'a> Source<'a> {
    /// For a call whose lists may hold so many bytes of the host's together.
    pub(crate) fn new(memory: &'a [u8], most: usize) -> Self {
        Self {
            memory,
            most,
            left: Cell::new(most),
        }
    }

    /// Counts bytes before they are copied.
    fn spend(&self, bytes: usize) -> Result<()> {
        match self.left.get().checked_sub(bytes) {
            Some(left) => self.left.set(left),
            None => bail!("the lists of one call hold more than {} bytes", self.most),
        }
        Ok(())
    }

    /// The elements of a list.
    pub(crate) fn list<T: Lift>(&self, at: u32, length: u32) -> Result<Vec<T>> {
        let (at, length) = (at as usize, length as usize);
        check_aligned(at, T::ALIGN)?;
        bytes(self.memory, at, length.saturating_mul(T::SIZE))?;
        self.spend(length.saturating_mul(size_of::<T>()))?;
        (0..length)
            .map(|index| T::lift(self, at + index * T::SIZE))
            .collect()
    }
}

impl<'a> Source<'a> {
    /// The bytes of a list of bytes, where they are.
    pub(crate) fn borrowed(&self, at: u32, length: u32) -> Result<&'a [u8]> {
        bytes(self.memory, at as usize, length as usize)
    }

    /// The bytes of a list of bytes.
    pub(crate) fn bytes(&self, at: u32, length: u32) -> Result<Vec<u8>> {
        let bytes = self.borrowed(at, length)?;
        self.spend(bytes.len())?;
        Ok(bytes.to_vec())
    }

    /// The bytes of a message; of one that is longer than half of what a call may give, only so
    /// many: the host sees that it is too large.
    pub(crate) fn message(&self, at: u32, length: u32) -> Result<Vec<u8>> {
        let bytes = self.borrowed(at, length)?;
        self.spend(bytes.len())?;
        Ok(bytes[..bytes.len().min(self.most / 2)].to_vec())
    }

    /// A text.
    pub(crate) fn text(&self, at: u32, length: u32) -> Result<String> {
        let bytes = self.borrowed(at, length)?;
        self.spend(bytes.len())?;
        Ok(std::str::from_utf8(bytes)?.to_owned())
    }
}

/// The parameters of a call, where they are too many to be passed by themselves.
pub(crate) struct Spilled<'a>(&'a [u8]);

impl<'a> Spilled<'a> {
    /// Those at this address.
    pub(crate) fn new(memory: &'a [u8], at: u32, size: usize, align: usize) -> Result<Self> {
        let at = at as usize;
        check_aligned(at, align)?;
        Ok(Self(bytes(memory, at, size)?))
    }

    pub(crate) fn u8(&self, offset: usize) -> Result<u32> {
        let [byte] = array(self.0, offset)?;
        Ok(byte.into())
    }

    pub(crate) fn u32(&self, offset: usize) -> Result<u32> {
        Ok(u32::from_le_bytes(array(self.0, offset)?))
    }

    pub(crate) fn u64(&self, offset: usize) -> Result<u64> {
        Ok(u64::from_le_bytes(array(self.0, offset)?))
    }
}

/// This many bytes at this address.
pub(crate) fn bytes(memory: &[u8], at: usize, length: usize) -> Result<&[u8]> {
    let end = at.checked_add(length);
    match end.and_then(|end| memory.get(at..end)) {
        Some(bytes) => Ok(bytes),
        None => bail!(
            "{length} bytes at address {at} are out of bounds of the {} bytes of memory",
            memory.len()
        ),
    }
}

/// As [`bytes`], for a number known beforehand.
pub(crate) fn array<const N: usize>(memory: &[u8], at: usize) -> Result<[u8; N]> {
    let mut array = [0; N];
    array.copy_from_slice(bytes(memory, at, N)?);
    Ok(array)
}

/// Refuses an address that a value of this alignment cannot have.
pub(crate) fn check_aligned(at: usize, align: usize) -> Result<()> {
    if at.is_multiple_of(align) {
        return Ok(());
    }
    bail!("address {at} is not aligned to {align} bytes")
}

/// Refuses the number of a case that a type does not have.
pub(crate) fn no_case<T>(kind: &str, case: u32) -> Result<T> {
    bail!("`{kind}` has no case {case}")
}

/// The number of a variant's or an enum's case in memory; of fewer than 256.
pub(crate) fn case(source: &Source<'_>, at: usize) -> Result<u32> {
    let [case] = array(source.memory, at)?;
    Ok(case.into())
}

impl Lift for u32 {
    const SIZE: usize = 4;
    const ALIGN: usize = 4;

    fn lift(source: &Source<'_>, at: usize) -> Result<Self> {
        Ok(Self::from_le_bytes(array(source.memory, at)?))
    }
}

impl Lift for u64 {
    const SIZE: usize = 8;
    const ALIGN: usize = 8;

    fn lift(source: &Source<'_>, at: usize) -> Result<Self> {
        Ok(Self::from_le_bytes(array(source.memory, at)?))
    }
}

impl Lift for Vec<u8> {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lift(source: &Source<'_>, at: usize) -> Result<Self> {
        let (address, length) = address_and_length(source, at)?;
        source.bytes(address, length)
    }
}

impl Lift for String {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lift(source: &Source<'_>, at: usize) -> Result<Self> {
        let (address, length) = address_and_length(source, at)?;
        source.text(address, length)
    }
}

fn address_and_length(source: &Source<'_>, at: usize) -> Result<(u32, u32)> {
    Ok((u32::lift(source, at)?, u32::lift(source, at + 4)?))
}

impl<T: Kind> Lift for Resource<T> {
    const SIZE: usize = 4;
    const ALIGN: usize = 4;

    fn lift(source: &Source<'_>, at: usize) -> Result<Self> {
        resource(u32::lift(source, at)?)
    }
}

impl<A: Lift, B: Lift> Lift for (A, B) {
    const SIZE: usize = (second::<A, B>() + B::SIZE).next_multiple_of(Self::ALIGN);
    const ALIGN: usize = max(A::ALIGN, B::ALIGN);

    fn lift(source: &Source<'_>, at: usize) -> Result<Self> {
        Ok((
            A::lift(source, at)?,
            B::lift(source, at + second::<A, B>())?,
        ))
    }
}

/// Where the second of a pair begins.
const fn second<A: Lift, B: Lift>() -> usize {
    A::SIZE.next_multiple_of(B::ALIGN)
}

pub(crate) const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::{Lift, Source, bytes};

    /// What a call may give.
    const MOST: usize = 4 << 20;

    fn list<T: Lift>(memory: &[u8], at: u32, length: u32) -> wasmtime::Result<Vec<T>> {
        Source::new(memory, MOST).list(at, length)
    }

    /// A memory with a list of pairs, each of a number and the same bytes.
    fn pairs(count: u32, length: u32) -> Vec<u8> {
        let mut memory = Vec::new();
        for number in 0..count {
            for word in [number, 0, length] {
                memory.extend_from_slice(&word.to_le_bytes());
            }
        }
        memory.resize(memory.len().max(length as usize), 0);
        memory
    }

    #[test]
    fn pairs_are_read_from_where_they_are() {
        let read: Vec<(u32, Vec<u8>)> = list(&pairs(3, 4), 0, 3).expect("they are there");
        let expected: Vec<(u32, Vec<u8>)> = (0..3).map(|number| (number, vec![0; 4])).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn the_same_bytes_are_not_copied_without_end() {
        let length = 1 << 20;
        let count = 4;
        let memory = pairs(count, length);
        assert!(list::<(u32, Vec<u8>)>(&memory, 0, count / 2).is_ok());
        let refused = list::<(u32, Vec<u8>)>(&memory, 0, count).expect_err("it is too much");
        assert!(refused.to_string().contains("more than"), "{refused}");
    }

    #[test]
    fn of_a_message_that_is_too_long_no_more_is_read_than_shows_that() {
        let memory = vec![7; 2 * MOST];
        let length = |given: usize| {
            let source = Source::new(&memory, MOST);
            let read = source.message(0, u32::try_from(given).expect("it is small"));
            read.map(|bytes| bytes.len()).ok()
        };
        assert_eq!(length(MOST / 2 - 1), Some(MOST / 2 - 1));
        assert_eq!(length(MOST), Some(MOST / 2));
        assert_eq!(length(MOST + 1), None);
    }

    #[test]
    fn what_is_not_in_memory_or_not_aligned_is_refused() {
        let memory = [0; 16];
        assert!(bytes(&memory, 15, 1).is_ok());
        for (at, length) in [(15, 2), (17, 0), (usize::MAX, 2), (0, usize::MAX)] {
            assert!(bytes(&memory, at, length).is_err(), "{length} at {at}");
        }
        assert!(list::<u32>(&memory, 2, 1).is_err());
        assert!(list::<u32>(&memory, 0, u32::MAX).is_err());
        assert!(u64::lift(&Source::new(&memory, MOST), 9).is_err());
    }
}
