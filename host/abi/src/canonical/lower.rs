//! Values into a guest's memory, as the canonical ABI lays them out.
//!
//! A value has a fixed part, which goes where the guest wants it, and lists, for which the guest
//! allocates memory. It does that in its own code, between two calls of the host, so the lists wait here
//! until each has its address (see `trampolines`).

use smallvec::{SmallVec, smallvec};
use wasmtime::component::Resource;
use wasmtime::{Result, bail};

use super::lift::{check_aligned, max};
use crate::code::Ports;
use crate::handles::{Kind, ReceiverHandle, SenderHandle, handle};

/// A part's bytes; those of the largest fixed part need no allocation.
type Bytes = SmallVec<[u8; 40]>;

/// A type that can be written to a guest's memory.
pub(crate) trait Lower: Sized {
    /// Bytes, and their alignment.
    const SIZE: usize;
    const ALIGN: usize;

    /// Writes the value into the part's bytes; what is not written stays zero.
    fn lower(self, out: &mut Lowering, at: Position) -> Result<()>;

    /// The value's bytes, if it is small and nothing has to be allocated for it: a short cut for the most
    /// frequent answers.
    #[inline]
    fn flat(&self) -> Option<Flat> {
        None
    }
}

/// Bytes of a small value without lists.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Flat {
    bytes: [u8; FLAT],
    length: usize,
}

/// The largest such value, in bytes.
const FLAT: usize = 40;

impl Flat {
    /// This many bytes, all zero.
    #[inline]
    pub(crate) fn zeros(length: usize) -> Self {
        Self {
            bytes: [0; FLAT],
            length: length.min(FLAT),
        }
    }

    /// Writes bytes at an offset, as far as there is room.
    #[inline]
    pub(crate) fn with<const N: usize>(mut self, offset: usize, bytes: [u8; N]) -> Self {
        if let Some(target) = self.bytes.get_mut(offset..offset + N) {
            target.copy_from_slice(&bytes);
        }
        self
    }

    /// The same value as the content of a case.
    #[inline]
    pub(crate) fn in_case(self, case: u8, content_at: usize, length: usize) -> Option<Self> {
        if length > FLAT || content_at + self.length > length {
            return None;
        }
        let mut flat = Self::zeros(length);
        flat.bytes[0] = case;
        flat.bytes[content_at..content_at + self.length]
            .copy_from_slice(&self.bytes[..self.length]);
        Some(flat)
    }

    #[inline]
    pub(crate) fn write(&self, memory: &mut [u8], at: usize, align: usize) -> Result<()> {
        check_aligned(at, align)?;
        write(memory, at, &self.bytes[..self.length])
    }
}

/// Where in a value something goes.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Position {
    part: usize,
    offset: usize,
}

impl Position {
    pub(crate) fn plus(self, bytes: usize) -> Self {
        Self {
            offset: self.offset + bytes,
            ..self
        }
    }
}

/// A value on its way to the guest: its fixed part first, then its lists, each after what refers to it.
#[derive(Debug, Default)]
pub(crate) struct Lowering {
    parts: SmallVec<[Part; 1]>,
    /// The first part without an address.
    next: usize,
}

#[derive(Debug)]
struct Part {
    bytes: Bytes,
    align: usize,
    /// Where its address is to be written, if it is a list.
    referred_at: Option<Position>,
    /// Where it is, once that is known.
    address: Option<usize>,
}

/// Nothing is left to allocate: the host goes on.
pub(crate) const DONE: u64 = 0;

impl Lowering {
    /// Lays out a value.
    pub(crate) fn of<T: Lower>(value: T) -> Result<Self> {
        let mut lowering = Self {
            parts: smallvec![Part {
                bytes: smallvec![0; T::SIZE],
                align: T::ALIGN,
                referred_at: None,
                address: None,
            }],
            next: 1,
        };
        value.lower(&mut lowering, Position { part: 0, offset: 0 })?;
        Ok(lowering)
    }

    /// The arguments of `run`.
    pub(crate) fn of_ports(ports: &Ports<'_>) -> Result<Self> {
        let inputs = ports.inputs.iter();
        let inputs = inputs.map(|(name, end)| (name.clone(), ReceiverHandle::new_own(end.rep())));
        let outputs = ports.outputs.iter();
        let outputs = outputs.map(|(name, end)| (name.clone(), SenderHandle::new_own(end.rep())));
        let ends = (List(inputs.collect()), List(outputs.collect()));
        Self::of((ports.arguments.to_vec(), ends))
    }

    /// Writes the fixed part where the guest wants it, and says what to allocate first.
    pub(crate) fn begin(&mut self, memory: &mut [u8], address: u32) -> Result<u64> {
        self.parts[0].write(memory, address as usize)?;
        Ok(self.wanted())
    }

    /// Takes the address of the part that was asked for, and says what to allocate next.
    pub(crate) fn allocated(&mut self, memory: &mut [u8], address: u32) -> Result<u64> {
        let Some(part) = self.parts.get_mut(self.next) else {
            bail!("memory at {address} that nobody asked for");
        };
        part.write(memory, address as usize)?;
        if let Some(position) = part.referred_at {
            self.refer(memory, position, address)?;
        }
        self.next += 1;
        Ok(self.wanted())
    }

    /// Writes an address into a part that has its own already.
    fn refer(&mut self, memory: &mut [u8], position: Position, address: u32) -> Result<()> {
        let part = &mut self.parts[position.part];
        let bytes = address.to_le_bytes();
        part.bytes[position.offset..position.offset + bytes.len()].copy_from_slice(&bytes);
        match part.address {
            Some(address) => write(memory, address + position.offset, &bytes),
            // The fixed part of what is passed as numbers, not in memory.
            None => Ok(()),
        }
    }

    /// The alignment and the size of what is to be allocated next, in the two halves.
    pub(crate) fn wanted(&self) -> u64 {
        match self.parts.get(self.next) {
            Some(part) => (part.align as u64) << 32 | part.bytes.len() as u64,
            None => DONE,
        }
    }

    /// Whether the fixed part is passed as numbers, not in memory.
    pub(crate) fn is_numbers(&self) -> bool {
        self.parts
            .first()
            .is_some_and(|part| part.address.is_none())
    }

    /// The fixed part.
    pub(crate) fn fixed(&self) -> &[u8] {
        self.parts.first().map_or(&[], |part| &part.bytes)
    }

    /// A list of this many bytes, to be referred to at a position.
    fn list(&mut self, at: Position, length: usize, align: usize, bytes: Bytes) -> Result<usize> {
        if u32::try_from(bytes.len()).is_err() {
            bail!("a list of {} bytes, over 4 GiB", bytes.len());
        }
        (length as u32).lower(self, at.plus(4))?;
        // The guest is asked for an empty list, too, as wasmtime's component model asks.
        self.parts.push(Part {
            bytes,
            align,
            referred_at: Some(at),
            address: None,
        });
        Ok(self.parts.len() - 1)
    }

    pub(crate) fn put<const N: usize>(&mut self, at: Position, bytes: [u8; N]) {
        self.parts[at.part].bytes[at.offset..at.offset + N].copy_from_slice(&bytes);
    }
}

impl Part {
    fn write(&mut self, memory: &mut [u8], address: usize) -> Result<()> {
        check_aligned(address, self.align)?;
        self.address = Some(address);
        write(memory, address, &self.bytes)
    }
}

/// Writes bytes to a guest's memory.
pub(crate) fn write(memory: &mut [u8], at: usize, bytes: &[u8]) -> Result<()> {
    bytes_mut(memory, at, bytes.len())?.copy_from_slice(bytes);
    Ok(())
}

/// So many bytes at this address, to be written.
pub(crate) fn bytes_mut(memory: &mut [u8], at: usize, length: usize) -> Result<&mut [u8]> {
    let size = memory.len();
    let end = at.checked_add(length);
    match end.and_then(|end| memory.get_mut(at..end)) {
        Some(target) => Ok(target),
        None => {
            bail!("{length} bytes at address {at} are out of bounds of the {size} bytes of memory")
        }
    }
}

impl Lower for u32 {
    const SIZE: usize = 4;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        out.put(at, self.to_le_bytes());
        Ok(())
    }
}

impl Lower for u64 {
    const SIZE: usize = 8;
    const ALIGN: usize = 8;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        out.put(at, self.to_le_bytes());
        Ok(())
    }
}

impl Lower for () {
    const SIZE: usize = 0;
    const ALIGN: usize = 1;

    fn lower(self, _: &mut Lowering, _: Position) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn flat(&self) -> Option<Flat> {
        Some(Flat::zeros(0))
    }
}

impl Lower for Vec<u8> {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        let length = self.len();
        out.list(at, length, 1, SmallVec::from_vec(self)).map(drop)
    }
}

impl Lower for String {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        self.into_bytes().lower(out, at)
    }
}

/// A list of anything but bytes.
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T: Lower> Lower for List<T> {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        let Self(elements) = self;
        let bytes = smallvec![0; elements.len().saturating_mul(T::SIZE)];
        let part = out.list(at, elements.len(), T::ALIGN, bytes)?;
        let mut position = Position { part, offset: 0 };
        for element in elements {
            element.lower(out, position)?;
            position = position.plus(T::SIZE);
        }
        Ok(())
    }
}

impl<T: Kind> Lower for Resource<T> {
    const SIZE: usize = 4;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        handle(&self)?.lower(out, at)
    }
}

/// Pairs; records, too, as pairs within pairs, as long as no field is aligned less than those
/// behind it by more than it is large.
impl<A: Lower, B: Lower> Lower for (A, B) {
    const SIZE: usize = (second::<A, B>() + B::SIZE).next_multiple_of(Self::ALIGN);
    const ALIGN: usize = max(A::ALIGN, B::ALIGN);

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        self.0.lower(out, at)?;
        self.1.lower(out, at.plus(second::<A, B>()))
    }
}

/// Where the second of a pair begins.
const fn second<A: Lower, B: Lower>() -> usize {
    A::SIZE.next_multiple_of(B::ALIGN)
}

/// Where the content of a variant begins that has this alignment, and fewer than 256 cases.
const fn content(align: usize) -> usize {
    align
}

impl Lowering {
    /// Writes a case of a variant with its content, if it has any.
    pub(crate) fn case<T: Lower>(
        &mut self,
        at: Position,
        case: u8,
        content_at: usize,
        value: T,
    ) -> Result<()> {
        self.put(at, [case]);
        value.lower(self, at.plus(content_at))
    }
}

impl<T: Lower> Lower for Option<T> {
    const SIZE: usize = (content(T::ALIGN) + T::SIZE).next_multiple_of(T::ALIGN);
    const ALIGN: usize = T::ALIGN;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        match self {
            None => Ok(()),
            Some(value) => out.case(at, 1, content(T::ALIGN), value),
        }
    }
}

impl<T: Lower, E: Lower> Lower for Result<T, E> {
    const SIZE: usize =
        (content(Self::ALIGN) + max(T::SIZE, E::SIZE)).next_multiple_of(Self::ALIGN);
    const ALIGN: usize = max(T::ALIGN, E::ALIGN);

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        match self {
            Ok(value) => out.case(at, 0, content(Self::ALIGN), value),
            Err(error) => out.case(at, 1, content(Self::ALIGN), error),
        }
    }

    #[inline]
    fn flat(&self) -> Option<Flat> {
        match self {
            Ok(value) => value.flat()?.in_case(0, content(Self::ALIGN), Self::SIZE),
            Err(error) => error.flat()?.in_case(1, content(Self::ALIGN), Self::SIZE),
        }
    }
}
