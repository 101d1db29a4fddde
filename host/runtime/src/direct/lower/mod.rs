//! Values into a guest's memory, as the canonical ABI lays them out.
//!
//! A value has a fixed part, which goes where the guest said, and lists, for which the guest
//! allocates. It allocates in its own code, between two calls of the host: so the lists wait here
//! until each has its address (see `gates`).

#[cfg(test)]
mod tests;
mod values;

use smallvec::{SmallVec, smallvec};
use wasmtime::component::Resource;
use wasmtime::{Result, bail};

use crate::direct::handle::{Kind, handle};
use crate::direct::lift::{check_aligned, max};

/// A part's bytes; those of the largest fixed part need no memory of their own.
type Bytes = SmallVec<[u8; 40]>;

/// A type that can be written to a guest's memory.
pub(super) trait Lower: Sized {
    /// Bytes, and their alignment.
    const SIZE: usize;
    const ALIGN: usize;

    /// Writes the value into the part's bytes; what is not written stays zero.
    fn lower(self, out: &mut Lowering, at: Place) -> Result<()>;
}

/// Where in a value something goes.
#[derive(Copy, Clone, Debug)]
pub(super) struct Place {
    part: usize,
    offset: usize,
}

impl Place {
    fn plus(self, bytes: usize) -> Self {
        Self {
            offset: self.offset + bytes,
            ..self
        }
    }
}

/// A value on its way: its fixed part first, then its lists, each after what refers to it.
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
    referred_at: Option<Place>,
    /// Where it is, once that is known.
    address: Option<usize>,
}

/// The host is to go on: nothing is left to allocate.
pub(super) const DONE: u64 = 0;

impl Lowering {
    /// Lays out a value.
    pub(super) fn of<T: Lower>(value: T) -> Result<Self> {
        let mut lowering = Self {
            parts: smallvec![Part {
                bytes: smallvec![0; T::SIZE],
                align: T::ALIGN,
                referred_at: None,
                address: None,
            }],
            next: 1,
        };
        value.lower(&mut lowering, Place { part: 0, offset: 0 })?;
        Ok(lowering)
    }

    /// Writes the fixed part where the guest wants it, and says what to allocate first.
    pub(super) fn begin(&mut self, memory: &mut [u8], address: u32) -> Result<u64> {
        self.parts[0].write(memory, address as usize)?;
        Ok(self.wanted())
    }

    /// Takes the address of the part that was asked for, and says what to allocate next.
    pub(super) fn place(&mut self, memory: &mut [u8], address: u32) -> Result<u64> {
        let Some(part) = self.parts.get_mut(self.next) else {
            bail!("memory at {address} that nobody asked for");
        };
        part.write(memory, address as usize)?;
        if let Some(place) = part.referred_at {
            self.refer(memory, place, address)?;
        }
        self.next += 1;
        Ok(self.wanted())
    }

    /// Writes an address into a part that has its own already.
    fn refer(&mut self, memory: &mut [u8], place: Place, address: u32) -> Result<()> {
        let part = &mut self.parts[place.part];
        let bytes = address.to_le_bytes();
        part.bytes[place.offset..place.offset + bytes.len()].copy_from_slice(&bytes);
        match part.address {
            Some(address) => write(memory, address + place.offset, &bytes),
            // The fixed part of what is passed as numbers, not in memory.
            None => Ok(()),
        }
    }

    /// The alignment and the size of what is to be allocated next, in the two halves.
    pub(super) fn wanted(&self) -> u64 {
        match self.parts.get(self.next) {
            Some(part) => (part.align as u64) << 32 | part.bytes.len() as u64,
            None => DONE,
        }
    }

    /// Whether the fixed part is passed as numbers, not in memory.
    pub(super) fn is_numbers(&self) -> bool {
        self.parts
            .first()
            .is_some_and(|part| part.address.is_none())
    }

    /// The fixed part.
    pub(super) fn fixed(&self) -> &[u8] {
        self.parts.first().map_or(&[], |part| &part.bytes)
    }

    /// A list of this many bytes, to be referred to at a place.
    fn list(&mut self, at: Place, length: usize, align: usize, bytes: Bytes) -> Result<usize> {
        if u32::try_from(bytes.len()).is_err() {
            bail!("a list of {} bytes, over 4 GiB", bytes.len());
        }
        (length as u32).lower(self, at.plus(4))?;
        if bytes.is_empty() {
            // Nothing to allocate: any address that is aligned will do.
            (align as u32).lower(self, at)?;
        } else {
            self.parts.push(Part {
                bytes,
                align,
                referred_at: Some(at),
                address: None,
            });
        }
        Ok(self.parts.len() - 1)
    }

    fn put<const N: usize>(&mut self, at: Place, bytes: [u8; N]) {
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
pub(super) fn write(memory: &mut [u8], at: usize, bytes: &[u8]) -> Result<()> {
    let size = memory.len();
    let end = at.checked_add(bytes.len());
    match end.and_then(|end| memory.get_mut(at..end)) {
        Some(place) => {
            place.copy_from_slice(bytes);
            Ok(())
        }
        None => bail!(
            "{} bytes at address {at} are out of bounds of the {size} bytes of memory",
            bytes.len()
        ),
    }
}

impl Lower for u32 {
    const SIZE: usize = 4;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        out.put(at, self.to_le_bytes());
        Ok(())
    }
}

impl Lower for u64 {
    const SIZE: usize = 8;
    const ALIGN: usize = 8;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        out.put(at, self.to_le_bytes());
        Ok(())
    }
}

impl Lower for () {
    const SIZE: usize = 0;
    const ALIGN: usize = 1;

    fn lower(self, _: &mut Lowering, _: Place) -> Result<()> {
        Ok(())
    }
}

impl Lower for Vec<u8> {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        let length = self.len();
        out.list(at, length, 1, SmallVec::from_vec(self)).map(drop)
    }
}

impl Lower for String {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        self.into_bytes().lower(out, at)
    }
}

/// A list of anything but bytes.
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T: Lower> Lower for List<T> {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        let Self(elements) = self;
        let bytes = smallvec![0; elements.len().saturating_mul(T::SIZE)];
        let part = out.list(at, elements.len(), T::ALIGN, bytes)?;
        let mut place = Place { part, offset: 0 };
        for element in elements {
            element.lower(out, place)?;
            place = place.plus(T::SIZE);
        }
        Ok(())
    }
}

impl<T: Kind> Lower for Resource<T> {
    const SIZE: usize = 4;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        handle(&self)?.lower(out, at)
    }
}

/// Pairs; records, too, as pairs within pairs, as long as no field is aligned less than those
/// behind it by more than it is large.
impl<A: Lower, B: Lower> Lower for (A, B) {
    const SIZE: usize = (second::<A, B>() + B::SIZE).next_multiple_of(Self::ALIGN);
    const ALIGN: usize = max(A::ALIGN, B::ALIGN);

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
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
    fn case<T: Lower>(&mut self, at: Place, case: u8, content_at: usize, value: T) -> Result<()> {
        self.put(at, [case]);
        value.lower(self, at.plus(content_at))
    }
}

impl<T: Lower> Lower for Option<T> {
    const SIZE: usize = (content(T::ALIGN) + T::SIZE).next_multiple_of(T::ALIGN);
    const ALIGN: usize = T::ALIGN;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
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

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        match self {
            Ok(value) => out.case(at, 0, content(Self::ALIGN), value),
            Err(error) => out.case(at, 1, content(Self::ALIGN), error),
        }
    }
}
