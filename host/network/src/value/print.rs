//! From messages to lines of text.

use std::borrow::Cow;
use std::cell::RefCell;

use minicbor::Decoder;
use minicbor::data::Type;
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::signature::{PayloadType, Shape};

/// How deep a message may nest to be printed.
const MAX_DEPTH: usize = 64;

/// A message that cannot be printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of type `{ty}` is not CBOR that can be printed: {reason}")]
#[non_exhaustive]
pub struct PrintError {
    /// The type that the message should have.
    pub ty: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A message as a line, without its newline.
///
/// Raw bytes (`list<u8>`) stand for themselves. Strings, characters, numbers and
/// booleans are printed plainly, everything else as JSON on one line. In JSON,
/// byte strings are arrays of numbers, `NaN` and the infinities are strings, and
/// so are keys of maps. A string that contains newlines makes several lines.
///
/// ```
/// use transputer_network::signature::PayloadType;
/// use transputer_network::value::print;
///
/// let ty = PayloadType::parse("u64").unwrap();
/// assert_eq!(print(&ty, &[0x18, 0x64]).unwrap(), b"100".as_slice());
/// ```
///
/// # Errors
///
/// If the message is not exactly one CBOR item, nests deeper than 64, or has a key
/// that is neither a string nor a scalar.
pub fn print<'m>(ty: &PayloadType, message: &'m [u8]) -> Result<Cow<'m, [u8]>, PrintError> {
    if ty.is_bytes() {
        return Ok(Cow::Borrowed(message));
    }
    let fail = |reason: String| PrintError {
        ty: ty.to_string(),
        reason,
    };
    let mut decoder = Decoder::new(message);
    let line = plainly(ty.shape(), &mut decoder).map_err(fail)?;
    let rest = message.len() - decoder.position();
    if rest > 0 {
        return Err(fail(format!("{rest} bytes follow after its end")));
    }
    Ok(Cow::Owned(line.into_bytes()))
}

/// A message as JSON on one line, without its newline. Raw bytes are an array of numbers, as byte strings
/// are; for the rest see [`print`](fn@print).
///
/// # Errors
///
/// As [`print`](fn@print).
pub fn print_json(ty: &PayloadType, message: &[u8]) -> Result<Vec<u8>, PrintError> {
    let fail = |reason: String| PrintError {
        ty: ty.to_string(),
        reason,
    };
    if ty.is_bytes() {
        return serde_json::to_vec(message).map_err(|error| fail(error.to_string()));
    }
    let mut decoder = Decoder::new(message);
    let line = json(&mut decoder).map_err(fail)?;
    match message.len() - decoder.position() {
        0 => Ok(line.into_bytes()),
        rest => Err(fail(format!("{rest} bytes follow after its end"))),
    }
}

fn plainly(shape: &Shape, decoder: &mut Decoder<'_>) -> Result<String, String> {
    let text = |error: minicbor::decode::Error| error.to_string();
    let mut shape = shape;
    while let Shape::Option(inner) = shape {
        shape = inner;
    }
    // Some serializers write a character as its number, though a string is usual.
    let is_number = matches!(
        decoder.datatype().map_err(text)?,
        Type::U8 | Type::U16 | Type::U32
    );
    if *shape == Shape::Char && is_number {
        return decoder.char().map(String::from).map_err(text);
    }
    match decoder.datatype().map_err(text)? {
        Type::String => decoder.str().map(str::to_owned).map_err(text),
        Type::StringIndef => joined(decoder).map_err(text),
        Type::F16 | Type::F32 => decoder.f32().map(|n| format!("{n:?}")).map_err(text),
        Type::F64 => decoder.f64().map(|n| format!("{n:?}")).map_err(text),
        _ => json(decoder),
    }
}

fn json(decoder: &mut Decoder<'_>) -> Result<String, String> {
    let next = Next {
        decoder: &RefCell::new(decoder),
        depth: 0,
    };
    serde_json::to_string(&next).map_err(|error| error.to_string())
}

/// A string in pieces.
fn joined(decoder: &mut Decoder<'_>) -> Result<String, minicbor::decode::Error> {
    decoder.str_iter()?.collect()
}

/// The decoder's next item, which serializing it consumes: a message of any size
/// is printed without a tree of it in memory.
struct Next<'a, 'd, 'm> {
    decoder: &'a RefCell<&'d mut Decoder<'m>>,
    depth: usize,
}

impl Serialize for Next<'_, '_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.depth > MAX_DEPTH {
            return Err(S::Error::custom(format!(
                "it nests deeper than {MAX_DEPTH}"
            )));
        }
        let kind = self.read(|decoder| decoder.datatype())?;
        match kind {
            Type::Array | Type::ArrayIndef => {
                let length = self.read(Decoder::array)?;
                self.sequence(length, serializer)
            }
            Type::Map | Type::MapIndef => {
                let length = self.read(Decoder::map)?;
                self.map(length, serializer)
            }
            Type::Tag => {
                self.read(Decoder::tag)?;
                self.inner().serialize(serializer)
            }
            _ => self.scalar(kind, serializer),
        }
    }
}

impl<'m> Next<'_, '_, 'm> {
    fn read<T, E: serde::ser::Error>(
        &self,
        read: impl FnOnce(&mut Decoder<'m>) -> Result<T, minicbor::decode::Error>,
    ) -> Result<T, E> {
        read(&mut self.decoder.borrow_mut()).map_err(E::custom)
    }

    fn inner(&self) -> Self {
        Next {
            decoder: self.decoder,
            depth: self.depth + 1,
        }
    }

    /// Whether another item follows in an array or a map.
    fn more<E: serde::ser::Error>(&self, length: Option<u64>, seen: u64) -> Result<bool, E> {
        match length {
            Some(length) => Ok(seen < length),
            None if self.read(|decoder| decoder.datatype())? == Type::Break => {
                self.read(|decoder| {
                    decoder.set_position(decoder.position() + 1);
                    Ok(false)
                })
            }
            None => Ok(true),
        }
    }

    fn sequence<S: Serializer>(
        &self,
        length: Option<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        let mut seen = 0;
        while self.more(length, seen)? {
            sequence.serialize_element(&self.inner())?;
            seen += 1;
        }
        sequence.end()
    }

    fn map<S: Serializer>(&self, length: Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut seen = 0;
        while self.more(length, seen)? {
            map.serialize_key(&self.inner())?;
            map.serialize_value(&self.inner())?;
            seen += 1;
        }
        map.end()
    }

    fn scalar<S: Serializer>(&self, kind: Type, serializer: S) -> Result<S::Ok, S::Error> {
        match kind {
            Type::Bool => serializer.serialize_bool(self.read(Decoder::bool)?),
            Type::String => serializer.serialize_str(self.read(Decoder::str)?),
            Type::StringIndef => serializer.serialize_str(&self.read(joined)?),
            Type::Bytes | Type::BytesIndef => {
                let pieces: Vec<&[u8]> = self.read(|d| d.bytes_iter()?.collect())?;
                serializer.collect_seq(pieces.concat())
            }
            Type::Null | Type::Undefined => {
                self.read(Decoder::skip)?;
                serializer.serialize_unit()
            }
            // Widened to 64 bits, a number would print with digits that it never had.
            Type::F16 | Type::F32 => match self.read(Decoder::f32)? {
                number if number.is_finite() => serializer.serialize_f32(number),
                number => serializer.serialize_str(&format!("{number:?}")),
            },
            Type::F64 => match self.read(Decoder::f64)? {
                number if number.is_finite() => serializer.serialize_f64(number),
                number => serializer.serialize_str(&format!("{number:?}")),
            },
            _ if is_integer(kind) => {
                let number = i128::from(self.read(Decoder::int)?);
                match u64::try_from(number) {
                    Ok(number) => serializer.serialize_u64(number),
                    Err(_) => serializer.serialize_i128(number),
                }
            }
            other => Err(S::Error::custom(format!("it contains {other}"))),
        }
    }
}

fn is_integer(kind: Type) -> bool {
    use Type::{I8, I16, I32, I64, Int, U8, U16, U32, U64};
    matches!(kind, U8 | U16 | U32 | U64 | I8 | I16 | I32 | I64 | Int)
}
