//! Values out of a guest's memory, as the canonical ABI lays them out.
//!
//! Every address and length comes from the guest: what does not lie within its memory, is not
//! aligned, or is no value of its type, traps.

use wasmtime::component::Resource;
use wasmtime::{Result, bail};

use super::handle::{Kind, resource};
use crate::bindings::transputer::csp::{alternation, channel};
use crate::message::{Receiver, Sender};

/// A type that can be read from a guest's memory.
pub(super) trait Lift: Sized {
    /// Bytes, and their alignment.
    const SIZE: usize;
    const ALIGN: usize;

    /// Reads the value at this address.
    fn lift(memory: &[u8], at: usize) -> Result<Self>;
}

/// So many bytes at this address.
pub(super) fn bytes(memory: &[u8], at: usize, length: usize) -> Result<&[u8]> {
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
pub(super) fn array<const N: usize>(memory: &[u8], at: usize) -> Result<[u8; N]> {
    let mut array = [0; N];
    array.copy_from_slice(bytes(memory, at, N)?);
    Ok(array)
}

/// Refuses an address that a value of this alignment cannot have.
pub(super) fn check_aligned(at: usize, align: usize) -> Result<()> {
    if at.is_multiple_of(align) {
        return Ok(());
    }
    bail!("address {at} is not aligned to {align} bytes")
}

/// The list of these elements at this address.
pub(super) fn list<T: Lift>(memory: &[u8], at: u32, length: u32) -> Result<Vec<T>> {
    let (at, length) = (at as usize, length as usize);
    check_aligned(at, T::ALIGN)?;
    // Bounded by the guest's memory before anything is allocated for it.
    bytes(memory, at, length.saturating_mul(T::SIZE))?;
    (0..length)
        .map(|index| T::lift(memory, at + index * T::SIZE))
        .collect()
}

/// The bytes of a list of bytes.
pub(super) fn list_of_bytes(memory: &[u8], at: u32, length: u32) -> Result<&[u8]> {
    bytes(memory, at as usize, length as usize)
}

/// A text.
pub(super) fn text(memory: &[u8], at: u32, length: u32) -> Result<String> {
    let bytes = list_of_bytes(memory, at, length)?;
    Ok(std::str::from_utf8(bytes)?.to_owned())
}

/// How long to wait, from the two numbers that it is passed as.
pub(super) fn patience(case: u32, time: u64) -> Result<channel::Patience> {
    Ok(match case {
        0 => channel::Patience::Forever,
        1 => channel::Patience::Until(time),
        2 => channel::Patience::Never,
        _ => return no_case("patience", case),
    })
}

/// How to choose.
pub(super) fn order(case: u32) -> Result<alternation::Order> {
    Ok(match case {
        0 => alternation::Order::Fair,
        1 => alternation::Order::Priority,
        _ => return no_case("order", case),
    })
}

pub(super) fn no_case<T>(kind: &str, case: u32) -> Result<T> {
    bail!("{case} is no case of `{kind}`")
}

impl Lift for u32 {
    const SIZE: usize = 4;
    const ALIGN: usize = 4;

    fn lift(memory: &[u8], at: usize) -> Result<Self> {
        Ok(Self::from_le_bytes(array(memory, at)?))
    }
}

impl Lift for u64 {
    const SIZE: usize = 8;
    const ALIGN: usize = 8;

    fn lift(memory: &[u8], at: usize) -> Result<Self> {
        Ok(Self::from_le_bytes(array(memory, at)?))
    }
}

impl Lift for Vec<u8> {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lift(memory: &[u8], at: usize) -> Result<Self> {
        let (address, length) = address_and_length(memory, at)?;
        Ok(list_of_bytes(memory, address, length)?.to_vec())
    }
}

impl Lift for String {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lift(memory: &[u8], at: usize) -> Result<Self> {
        let (address, length) = address_and_length(memory, at)?;
        text(memory, address, length)
    }
}

fn address_and_length(memory: &[u8], at: usize) -> Result<(u32, u32)> {
    Ok((u32::lift(memory, at)?, u32::lift(memory, at + 4)?))
}

impl<T: Kind> Lift for Resource<T> {
    const SIZE: usize = 4;
    const ALIGN: usize = 4;

    fn lift(memory: &[u8], at: usize) -> Result<Self> {
        resource(u32::lift(memory, at)?)
    }
}

impl<A: Lift, B: Lift> Lift for (A, B) {
    const SIZE: usize = (second::<A, B>() + B::SIZE).next_multiple_of(Self::ALIGN);
    const ALIGN: usize = max(A::ALIGN, B::ALIGN);

    fn lift(memory: &[u8], at: usize) -> Result<Self> {
        Ok((
            A::lift(memory, at)?,
            B::lift(memory, at + second::<A, B>())?,
        ))
    }
}

/// Where the second of a pair begins.
const fn second<A: Lift, B: Lift>() -> usize {
    A::SIZE.next_multiple_of(B::ALIGN)
}

pub(super) const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

impl Lift for channel::End {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lift(memory: &[u8], at: usize) -> Result<Self> {
        let [case] = array(memory, at)?;
        Ok(match case {
            0 => Self::Sender(Resource::lift(memory, at + 4)?),
            1 => Self::Receiver(Resource::lift(memory, at + 4)?),
            2 => Self::Barrier(Resource::lift(memory, at + 4)?),
            _ => return no_case("end", case.into()),
        })
    }
}

impl Lift for alternation::Guard {
    const SIZE: usize = 24;
    const ALIGN: usize = 8;

    fn lift(memory: &[u8], at: usize) -> Result<Self> {
        let [case] = array(memory, at)?;
        let content = at + 8;
        Ok(match case {
            0 => Self::Receive(Resource::<Receiver>::lift(memory, content)?),
            1 => Self::Send(<(Resource<Sender>, Vec<u8>)>::lift(memory, content)?),
            2 => Self::After(u64::lift(memory, content)?),
            3 => Self::Skip,
            _ => return no_case("guard", case.into()),
        })
    }
}
