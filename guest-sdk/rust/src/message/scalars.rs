//! Numbers, truth values and text.

use super::{Message, Reader, Type, Writer};
use crate::bindings::transputer::csp::channel::Small;
use crate::error::Undecodable;

/// The codec of a number as a whole message, which is its only item.
macro_rules! small {
    ($write:ident $read:ident) => {
        #[inline]
        fn to_small(&self) -> Option<Small> {
            Some(Small::$write((*self).into()))
        }

        #[inline]
        fn from_small(message: Small) -> Option<Self> {
            message.$read()?.try_into().ok()
        }
    };
}

macro_rules! integers {
    ($($rust:ident $wit:literal $write:ident $read:ident)*) => {$(
        impl Message for $rust {
            const TYPE: &'static Type = &Type::Name($wit);

            fn write(&self, writer: &mut Writer) {
                writer.$write((*self).into());
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
                let at = reader.offset();
                let wide = reader.$write(Self::TYPE)?;
                wide.try_into().map_err(|_| reader.mismatch(Self::TYPE, at))
            }

            small!($write $read);
        }
    )*};
}

integers! {
    u16 "u16" unsigned as_unsigned
    u32 "u32" unsigned as_unsigned
    i8 "s8" signed as_signed
    i16 "s16" signed as_signed
    i32 "s32" signed as_signed
}

/// Bytes in a list are special: a byte string inside a message, and no codec at all
/// where they are the message.
impl Message for u8 {
    const TYPE: &'static Type = &Type::Name("u8");

    fn write(&self, writer: &mut Writer) {
        writer.unsigned((*self).into());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let at = reader.offset();
        let wide = reader.unsigned(Self::TYPE)?;
        wide.try_into().map_err(|_| reader.mismatch(Self::TYPE, at))
    }

    small!(unsigned as_unsigned);

    fn write_list(items: &[Self], writer: &mut Writer) {
        writer.bytes(items);
    }

    fn read_list(reader: &mut Reader<'_>) -> Result<Vec<Self>, Undecodable> {
        const LIST: &Type = &Type::List(u8::TYPE);
        if reader.at_bytes() {
            return Ok(reader.bytes(LIST)?.into_owned());
        }
        let mut items = Vec::new();
        reader.list(LIST, &mut |reader, _| {
            items.push(Self::read(reader)?);
            Ok(())
        })?;
        Ok(items)
    }

    fn write_whole_list(items: &[Self], writer: &mut Writer) {
        writer.raw(items);
    }

    fn read_whole_list(reader: &mut Reader<'_>) -> Result<Vec<Self>, Undecodable> {
        Ok(reader.rest().to_vec())
    }

    fn list_as_whole(items: &[Self]) -> Option<&[u8]> {
        Some(items)
    }

    fn list_from_whole(message: Vec<u8>) -> Result<Vec<Self>, Vec<u8>> {
        Ok(message)
    }
}

impl Message for u64 {
    const TYPE: &'static Type = &Type::Name("u64");

    fn write(&self, writer: &mut Writer) {
        writer.unsigned(*self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        reader.unsigned(Self::TYPE)
    }

    small!(unsigned as_unsigned);
}

impl Message for i64 {
    const TYPE: &'static Type = &Type::Name("s64");

    fn write(&self, writer: &mut Writer) {
        writer.signed(*self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        reader.signed(Self::TYPE)
    }

    small!(signed as_signed);
}

impl Message for f32 {
    const TYPE: &'static Type = &Type::Name("f32");

    fn write(&self, writer: &mut Writer) {
        writer.f32(*self);
    }

    /// Rounds what was written with more precision.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Ok(reader.float(Self::TYPE)? as f32)
    }
}

impl Message for f64 {
    const TYPE: &'static Type = &Type::Name("f64");

    fn write(&self, writer: &mut Writer) {
        writer.f64(*self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        reader.float(Self::TYPE)
    }
}

impl Message for bool {
    const TYPE: &'static Type = &Type::Name("bool");

    fn write(&self, writer: &mut Writer) {
        writer.bool(*self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        reader.bool(Self::TYPE)
    }
}

impl Message for char {
    const TYPE: &'static Type = &Type::Name("char");

    fn write(&self, writer: &mut Writer) {
        writer.text(self.encode_utf8(&mut [0; 4]));
    }

    /// Reads a text of one character, or the number of a code point.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let at = reader.offset();
        let char = if reader.at_text() {
            let text = reader.text(Self::TYPE)?;
            let mut chars = text.chars();
            chars.next().filter(|_| chars.next().is_none())
        } else {
            let number = reader.unsigned(Self::TYPE)?;
            u32::try_from(number).ok().and_then(char::from_u32)
        };
        char.ok_or_else(|| reader.mismatch(Self::TYPE, at))
    }
}

impl Message for String {
    const TYPE: &'static Type = &Type::Name("string");

    fn write(&self, writer: &mut Writer) {
        writer.text(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Ok(reader.text(Self::TYPE)?.into_owned())
    }
}
