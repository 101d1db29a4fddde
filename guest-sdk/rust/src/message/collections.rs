//! std's collections, arrays, boxes and times.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::time::Duration;

use super::{Message, Reader, Type, Writer};
use crate::error::Undecodable;

/// Collections that cross as lists: their items in order of iteration.
macro_rules! lists {
    ($($(#[$doc:meta])* <$($parameter:ident: $bound:path $(, $hasher:ident)?)?> $collection:ty, $item:ty;)*) => {$(
        $(#[$doc])*
        impl<$($parameter: Message + $bound $(, $hasher: BuildHasher + Default)?)?> Message for $collection {
            const TYPE: &'static Type = &Type::List(<$item>::TYPE);

            fn write(&self, writer: &mut Writer) {
                writer.array(self.len());
                for item in self {
                    item.write(writer);
                }
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
                let mut items = Self::default();
                reader.list(Self::TYPE, &mut |reader, _| {
                    items.extend([<$item>::read(reader)?]);
                    Ok(())
                })?;
                Ok(items)
            }
        }
    )*};
}

lists! {
    <T: Ord> BTreeSet<T>, T;
    <T: HashKey, S> HashSet<T, S>, T;
}

/// What hash maps and hash sets want of a key, as one bound.
#[doc(hidden)]
pub trait HashKey: Eq + Hash {}

impl<T: Eq + Hash> HashKey for T {}

impl<T: Message> Message for VecDeque<T> {
    const TYPE: &'static Type = Vec::<T>::TYPE;

    fn write(&self, writer: &mut Writer) {
        match self.as_slices() {
            (items, []) => T::write_list(items, writer),
            _ => {
                writer.array(self.len());
                for item in self {
                    item.write(writer);
                }
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        T::read_list(reader).map(Into::into)
    }
}

/// Maps cross as lists of pairs; of two pairs with the same key, the later counts.
macro_rules! maps {
    ($(<K: $bound:path $(, $hasher:ident)?> $map:ty;)*) => {$(
        impl<K: Message + $bound, V: Message $(, $hasher: BuildHasher + Default)?> Message for $map {
            const TYPE: &'static Type = &Type::List(<(K, V)>::TYPE);

            fn write(&self, writer: &mut Writer) {
                writer.array(self.len());
                for (key, value) in self {
                    writer.array(2);
                    key.write(writer);
                    value.write(writer);
                }
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
                let mut map = Self::default();
                reader.list(Self::TYPE, &mut |reader, _| {
                    let (key, value) = <(K, V)>::read(reader)?;
                    map.insert(key, value);
                    Ok(())
                })?;
                Ok(map)
            }
        }
    )*};
}

maps! {
    <K: Ord> BTreeMap<K, V>;
    <K: HashKey, S> HashMap<K, V, S>;
}

/// An array crosses as a list; a list of another length is an error where it is read.
impl<T: Message, const N: usize> Message for [T; N] {
    const TYPE: &'static Type = Vec::<T>::TYPE;

    fn write(&self, writer: &mut Writer) {
        T::write_list(self, writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let at = reader.offset();
        array(T::read_list(reader)?, at)
    }

    fn write_whole(&self, writer: &mut Writer) {
        T::write_whole_list(self, writer);
    }

    fn read_whole(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let at = reader.offset();
        array(T::read_whole_list(reader)?, at)
    }

    fn as_whole(&self) -> Option<&[u8]> {
        T::list_as_whole(self)
    }
}

fn array<T: Message, const N: usize>(items: Vec<T>, at: usize) -> Result<[T; N], Undecodable> {
    items.try_into().map_err(|items: Vec<T>| {
        let expected = format!("{} of {N} items", <[T; N]>::TYPE);
        Undecodable::new(expected, format!("{} items", items.len()), at)
    })
}

/// A box crosses as its content.
impl<T: Message> Message for Box<T> {
    const TYPE: &'static Type = T::TYPE;

    fn write(&self, writer: &mut Writer) {
        T::write(self, writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        T::read(reader).map(Box::new)
    }

    fn absent() -> Option<Self> {
        T::absent().map(Box::new)
    }

    fn write_whole(&self, writer: &mut Writer) {
        T::write_whole(self, writer);
    }

    fn read_whole(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        T::read_whole(reader).map(Box::new)
    }
}

/// Seconds and nanoseconds, as in WASI's `datetime`.
impl Message for Duration {
    const TYPE: &'static Type =
        &Type::Record(&[("seconds", u64::TYPE), ("nanoseconds", u32::TYPE)]);

    fn write(&self, writer: &mut Writer) {
        writer.map(2);
        writer.text("seconds");
        self.as_secs().write(writer);
        writer.text("nanoseconds");
        self.subsec_nanos().write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let at = reader.offset();
        let (mut seconds, mut nanoseconds) = (None, None);
        reader.record(Self::TYPE, &mut |reader, name| match name {
            "seconds" => reader.field(name, &mut seconds),
            "nanoseconds" => reader.field(name, &mut nanoseconds),
            _ => reader.skip(),
        })?;
        let seconds: u64 = reader.required("seconds", seconds)?;
        let nanoseconds: u32 = reader.required("nanoseconds", nanoseconds)?;
        match nanoseconds {
            0..1_000_000_000 => Ok(Duration::new(seconds, nanoseconds)),
            _ => Err(Undecodable::new(
                "fewer than 1,000,000,000 nanoseconds",
                nanoseconds.to_string(),
                at,
            )),
        }
    }
}

/// Numbers of the machine's width cross as 64 bits, since the receiver's machine may have another width.
macro_rules! machine_numbers {
    ($($rust:ident as $wide:ident)*) => {$(
        impl Message for $rust {
            const TYPE: &'static Type = $wide::TYPE;

            fn write(&self, writer: &mut Writer) {
                (*self as $wide).write(writer);
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
                let at = reader.offset();
                let wide = $wide::read(reader)?;
                $rust::try_from(wide).map_err(|_| {
                    let expected = format!("a number of {} bits", $rust::BITS);
                    Undecodable::new(expected, wide.to_string(), at)
                })
            }
        }
    )*};
}

machine_numbers! {
    usize as u64
    isize as i64
}
