//! Messages that are nothing but bytes.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::{Message, Reader, Type, Writer};
use crate::error::Undecodable;

/// A message of plain bytes: it crosses a channel as it is, with no codec.
///
/// The same as `Vec<u8>` on a channel (`list<u8>`), but says what it is.
///
/// ```
/// use transputer_guest::{Bytes, message};
///
/// let line = Bytes::from("no codec");
/// assert_eq!(message::to_bytes(&line)?, b"no codec");
/// assert_eq!(line.len(), 8);
/// # Ok::<(), transputer_guest::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

impl Deref for Bytes {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Bytes {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes(bytes)
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Bytes(bytes.to_vec())
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Self {
        Bytes(text.into_bytes())
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Self {
        Bytes(text.as_bytes().to_vec())
    }
}

impl Message for Bytes {
    const TYPE: &'static Type = <Vec<u8> as Message>::TYPE;

    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Vec::read(reader).map(Bytes)
    }

    fn write_whole(&self, writer: &mut Writer) {
        self.0.write_whole(writer);
    }

    fn read_whole(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Vec::read_whole(reader).map(Bytes)
    }

    fn as_whole(&self) -> Option<&[u8]> {
        Some(&self.0)
    }

    fn from_whole(message: Vec<u8>) -> Result<Self, Vec<u8>> {
        Ok(Bytes(message))
    }
}
