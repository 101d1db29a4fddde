//! What can cross a channel: types, writing and reading.
//!
//! A message is one CBOR item (RFC 8949), except that a message which is nothing
//! but bytes ([`Bytes`], `Vec<u8>`) crosses as it is. Every language can read it:
//!
//! | Rust | WIT | CBOR |
//! |---|---|---|
//! | `u8` ... `u64`, `i8` ... `i64` | `u8` ... `s64` | integer |
//! | `usize`, `isize` | `u64`, `s64` | integer; what a receiver has no room for is an error |
//! | `f32`, `f64` | same | float; an integer is read too |
//! | `bool` | `bool` | true, false |
//! | `char`, `String` | `char`, `string` | text |
//! | `Vec<T>`, `VecDeque<T>`, sets | `list<T>` | array |
//! | `[T; N]` | `list<T>` | array of `N` items |
//! | `HashMap<K, V>`, `BTreeMap<K, V>` | `list<tuple<K, V>>` | array of pairs |
//! | `Duration` | `record { seconds: u64, nanoseconds: u32 }` | map |
//! | with the feature `chrono`: `DateTime<Utc>`, `NaiveDate`, ...; with `time`: `OffsetDateTime`, `Date` | `string` | text of ISO 8601 |
//! | `Box<T>` | as `T` | as `T` |
//! | [`Bytes`], `Vec<u8>` | `list<u8>` | byte string inside a message |
//! | `Option<T>` | `option<T>` | the value, or null |
//! | `Result<T, E>` | `result<T, E>` | map of one entry, `Ok` or `Err` |
//! | `()`, tuples | `tuple<...>` | array |
//! | a struct | `record { ... }` | map from field names to values |
//! | an enum | `enum { ... }`, `variant { ... }` | the variant's name, or a map from it to its payload |
//! | [`Sender<T>`](crate::Sender), [`Receiver<T>`](crate::Receiver) | `sender<T>`, `receiver<T>` | its index among the attached ends |
//!
//! Names are those of the Rust source. Records may have their fields in any order;
//! fields that the type doesn't know are skipped, and a field that is missing is
//! an error unless it is an option.

mod bytes;
mod collections;
mod containers;
#[cfg(any(feature = "chrono", feature = "time"))]
mod dates;
mod reader;
mod scalars;
mod small;
mod types;
mod writer;

pub use bytes::Bytes;
pub use reader::{Case, Reader};
pub use types::Type;
pub use writer::Writer;

pub(crate) use small::ROOM;
pub(crate) use types::Printer;
pub(crate) use writer::AttachedEnd;

use crate::bindings::transputer::csp::channel::Small;
use crate::error::{Error, Undecodable};

/// A type whose values can cross a channel.
///
/// Derive it:
///
/// ```
/// use transputer_guest::{Message, message};
///
/// #[derive(Message, Debug, PartialEq)]
/// struct Reading {
///     station: String,
///     celsius: Option<f32>,
/// }
///
/// assert_eq!(Reading::TYPE.to_string(), "record { station: string, celsius: option<f32> }");
///
/// let reading = Reading { station: "north".into(), celsius: Some(-3.5) };
/// let bytes = message::to_bytes(&reading)?;
/// assert_eq!(message::from_bytes::<Reading>(&bytes)?, reading);
/// # Ok::<(), transputer_guest::Error>(())
/// ```
///
/// A struct with named fields is a record, an enum a variant; a struct with one
/// unnamed field is that field. A type cannot hold itself, as in WIT.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent through a channel",
    label = "not a message",
    note = "derive it with `#[derive(transputer_guest::Message)]`",
    note = "borrowed types such as `&str` cannot cross: use `String`, `Vec<T>` or `Bytes`"
)]
pub trait Message: Sized {
    /// The type in WIT syntax.
    const TYPE: &'static Type;

    /// Writes the value as one CBOR item.
    fn write(&self, writer: &mut Writer);

    /// Reads one CBOR item.
    ///
    /// # Errors
    ///
    /// It is not a value of this type, or it is cut off.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable>;

    /// What an absent record field or argument stands for.
    #[doc(hidden)]
    fn absent() -> Option<Self> {
        None
    }

    /// Writes the whole message, for types that need no codec.
    #[doc(hidden)]
    fn write_whole(&self, writer: &mut Writer) {
        self.write(writer);
    }

    /// Reads what `write_whole` wrote.
    #[doc(hidden)]
    fn read_whole(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Self::read(reader)
    }

    /// What `write_whole` writes, for numbers, which need no writer for it.
    #[doc(hidden)]
    fn to_small(&self) -> Option<Small> {
        None
    }

    /// What `read_whole` reads, for numbers, which need no reader for it. `None` where it
    /// is not one: the reader says why.
    #[doc(hidden)]
    fn from_small(_message: Small) -> Option<Self> {
        None
    }

    /// The whole message as it crosses, where the value holds it in that form.
    #[doc(hidden)]
    fn as_whole(&self) -> Option<&[u8]> {
        None
    }

    /// The value of a whole message, made from the memory that it came in; gives the message back
    /// where the value cannot use that memory.
    #[doc(hidden)]
    fn from_whole(message: Vec<u8>) -> Result<Self, Vec<u8>> {
        Err(message)
    }

    /// Writes many values, so that `u8` can turn them into a byte string.
    #[doc(hidden)]
    fn write_list(items: &[Self], writer: &mut Writer) {
        writer.array(items.len());
        for item in items {
            item.write(writer);
        }
    }

    /// Reads what `write_list` wrote.
    #[doc(hidden)]
    fn read_list(reader: &mut Reader<'_>) -> Result<Vec<Self>, Undecodable> {
        let mut items = Vec::new();
        reader.list(&Type::List(Self::TYPE), &mut |reader, _| {
            items.push(Self::read(reader)?);
            Ok(())
        })?;
        Ok(items)
    }

    /// Writes many values as a whole message, so that `u8` can do without a codec.
    #[doc(hidden)]
    fn write_whole_list(items: &[Self], writer: &mut Writer) {
        Self::write_list(items, writer);
    }

    /// What `as_whole` is for a list.
    #[doc(hidden)]
    fn list_as_whole(_items: &[Self]) -> Option<&[u8]> {
        None
    }

    /// What `from_whole` is for a list.
    #[doc(hidden)]
    fn list_from_whole(message: Vec<u8>) -> Result<Vec<Self>, Vec<u8>> {
        Err(message)
    }

    /// Reads what `write_whole_list` wrote.
    #[doc(hidden)]
    fn read_whole_list(reader: &mut Reader<'_>) -> Result<Vec<Self>, Undecodable> {
        Self::read_list(reader)
    }
}

/// A message of type `T`, or a reference to one: what a `send` takes.
///
/// A reference leaves the message with the caller, whatever becomes of the operation. Given by value,
/// it is dropped with the operation, also when that fails.
///
/// ```no_run
/// # use transputer_guest::{Error, Sender};
/// # fn process(names: Sender<String>) -> Result<(), Error> {
/// let name = String::from("Tony");
/// names.send(&name)?;
/// names.send(name)?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message of type `{T}`, nor a reference to one",
    label = "expected `{T}` or `&{T}`",
    note = "borrowed types such as `&str` cannot cross: use `String`, `Vec<T>` or `Bytes`"
)]
pub trait AsMessage<T> {
    /// The message.
    fn as_message(&self) -> &T;
}

impl<T: Message> AsMessage<T> for T {
    #[inline]
    fn as_message(&self) -> &T {
        self
    }
}

impl<T: Message> AsMessage<T> for &T {
    #[inline]
    fn as_message(&self) -> &T {
        self
    }
}

impl<T: Message> AsMessage<T> for &mut T {
    #[inline]
    fn as_message(&self) -> &T {
        self
    }
}

/// The bytes in which a message crosses a channel, for tests and for storing it.
///
/// # Errors
///
/// [`Error::CarriesEnds`] if the message holds ends of channels, which bytes cannot.
pub fn to_bytes<T: Message>(message: &T) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::new(Vec::new());
    message.write_whole(&mut writer);
    let (bytes, ends) = writer.finish();
    if ends.is_empty() {
        Ok(bytes)
    } else {
        Err(Error::CarriesEnds)
    }
}

/// The message that crosses a channel as these bytes.
///
/// # Errors
///
/// [`Error::Undecodable`] if they are not a whole message of this type.
pub fn from_bytes<T: Message>(bytes: &[u8]) -> Result<T, Error> {
    Ok(decode(Reader::new(bytes, Vec::new()))?)
}

/// A whole message from a reader.
pub(crate) fn decode<T: Message>(mut reader: Reader<'_>) -> Result<T, Undecodable> {
    let value = T::read_whole(&mut reader)?;
    reader.finish()?;
    Ok(value)
}
