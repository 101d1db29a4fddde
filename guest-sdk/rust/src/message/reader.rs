//! Reading messages.

use std::borrow::Cow;

use minicbor::Decoder;
use minicbor::data::Type as Kind;

use super::{Message, Type};
use crate::bindings::transputer::csp::channel::End;
use crate::error::Undecodable;

/// Where a message is read from: one CBOR item after the other, and the ends that
/// came with them.
///
/// Only implementations of [`Message`] by hand need it. Nothing is allocated before
/// the bytes that need it have been seen, and nothing recurses deeper than the type
/// that is read, whatever the sender wrote.
#[derive(Debug)]
pub struct Reader<'b> {
    decoder: Decoder<'b>,
    ends: Vec<Option<End>>,
}

/// The variant that a [`Reader`] has come to.
#[derive(Debug)]
pub struct Case<'b> {
    name: Cow<'b, str>,
    payload: bool,
    indefinite: bool,
    offset: usize,
}

impl Case<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8], ends: Vec<End>) -> Self {
        Reader {
            decoder: Decoder::new(bytes),
            ends: ends.into_iter().map(Some).collect(),
        }
    }

    /// Everything that has not been read yet, as it is.
    pub(crate) fn rest(&mut self) -> &'b [u8] {
        let at = self.decoder.position();
        let input = self.decoder.input();
        self.decoder.set_position(input.len());
        input.get(at..).unwrap_or_default()
    }

    /// Fails if anything is left over: bytes behind the message, or an end that
    /// the type has no room for.
    pub(crate) fn finish(self) -> Result<(), Undecodable> {
        let at = self.decoder.position();
        let left = self.decoder.input().len().saturating_sub(at);
        if left > 0 {
            let found = format!("{left} bytes more");
            return Err(Undecodable::new("the end of the message", found, at));
        }
        let unused = self.ends.iter().flatten().count();
        if unused > 0 {
            let found = format!("{unused} more attached");
            return Err(Undecodable::new("no further ends of channels", found, at));
        }
        Ok(())
    }

    /// The attached end whose index is written here.
    pub(crate) fn end(&mut self, expected: &Type) -> Result<End, Undecodable> {
        let offset = self.offset();
        let index = self.unsigned(expected)?;
        let slot = usize::try_from(index)
            .ok()
            .and_then(|index| self.ends.get_mut(index));
        match (slot.as_ref().and_then(|slot| slot.as_ref()), expected) {
            (Some(End::Sender(_)), Type::Sender(_))
            | (Some(End::Receiver(_)), Type::Receiver(_))
            | (Some(End::Barrier(_)), Type::Barrier) => {}
            (Some(End::Barrier(_)), _) => {
                return Err(Undecodable::new(expected, "a barrier", offset));
            }
            (Some(End::Sender(_)), _) => {
                return Err(Undecodable::new(expected, "a sender", offset));
            }
            (Some(End::Receiver(_)), _) => {
                return Err(Undecodable::new(expected, "a receiver", offset));
            }
            (None, _) => {
                let found = format!("no attached end number {index}");
                return Err(Undecodable::new(expected, found, offset));
            }
        }
        slot.and_then(Option::take)
            .ok_or_else(|| Undecodable::new(expected, "nothing", offset))
    }

    /// How many bytes have been read.
    pub fn offset(&self) -> usize {
        self.decoder.position()
    }

    /// How many bytes are left: more items than this cannot follow.
    pub fn left(&self) -> usize {
        self.decoder.input().len().saturating_sub(self.offset())
    }

    /// An integer that is not negative. `expected` is the type that an error names.
    ///
    /// # Errors
    ///
    /// Here and in every method below: the next item is something else, or cut off.
    pub fn unsigned(&mut self, expected: &Type) -> Result<u64, Undecodable> {
        let at = self.offset();
        self.decoder.u64().map_err(|_| self.mismatch(expected, at))
    }

    /// Any integer that 64 bits with a sign can hold.
    pub fn signed(&mut self, expected: &Type) -> Result<i64, Undecodable> {
        let at = self.offset();
        self.decoder.i64().map_err(|_| self.mismatch(expected, at))
    }

    /// A number, as a float: of any precision, or an integer, since languages that
    /// have one kind of number write `1.0` as `1`.
    pub fn float(&mut self, expected: &Type) -> Result<f64, Undecodable> {
        let at = self.offset();
        let number = match self.decoder.datatype() {
            Ok(Kind::F16) => {
                return self.half().ok_or_else(|| self.mismatch(expected, at));
            }
            Ok(Kind::F32) => self.decoder.f32().map(f64::from),
            Ok(Kind::F64) => self.decoder.f64(),
            _ => self.decoder.int().map(|int| i128::from(int) as f64),
        };
        number.map_err(|_| self.mismatch(expected, at))
    }

    /// A float of half precision: its head and two bytes.
    fn half(&mut self) -> Option<f64> {
        let bytes = self.decoder.input().get(self.offset() + 1..)?;
        let bits = u16::from_be_bytes(*bytes.first_chunk()?);
        self.decoder.set_position(self.offset() + 3);
        Some(from_half(bits))
    }

    /// A truth value.
    pub fn bool(&mut self, expected: &Type) -> Result<bool, Undecodable> {
        let at = self.offset();
        self.decoder.bool().map_err(|_| self.mismatch(expected, at))
    }

    /// Reads a null if the next item is one.
    pub fn null(&mut self) -> bool {
        let absent = matches!(self.decoder.datatype(), Ok(Kind::Null | Kind::Undefined));
        absent && self.decoder.skip().is_ok()
    }

    /// Text.
    pub fn text(&mut self, expected: &Type) -> Result<Cow<'b, str>, Undecodable> {
        let at = self.offset();
        let text = match self.decoder.datatype() {
            Ok(Kind::StringIndef) => self
                .decoder
                .str_iter()
                .and_then(|parts| parts.collect::<Result<String, _>>())
                .map(Cow::Owned),
            _ => self.decoder.str().map(Cow::Borrowed),
        };
        text.map_err(|_| self.mismatch(expected, at))
    }

    /// A byte string.
    pub fn bytes(&mut self, expected: &Type) -> Result<Cow<'b, [u8]>, Undecodable> {
        let at = self.offset();
        let bytes = match self.decoder.datatype() {
            Ok(Kind::BytesIndef) => self
                .decoder
                .bytes_iter()
                .and_then(|parts| parts.collect::<Result<Vec<&[u8]>, _>>())
                .map(|parts| Cow::Owned(parts.concat())),
            _ => self.decoder.bytes().map(Cow::Borrowed),
        };
        bytes.map_err(|_| self.mismatch(expected, at))
    }

    /// Whether a byte string comes next.
    pub(crate) fn at_bytes(&self) -> bool {
        matches!(self.decoder.datatype(), Ok(Kind::Bytes | Kind::BytesIndef))
    }

    /// Whether text comes next.
    pub(crate) fn at_text(&self) -> bool {
        matches!(
            self.decoder.datatype(),
            Ok(Kind::String | Kind::StringIndef)
        )
    }

    /// A list: calls `item` with the index of every item, which it must read.
    pub fn list(
        &mut self,
        expected: &Type,
        item: &mut dyn FnMut(&mut Self, usize) -> Result<(), Undecodable>,
    ) -> Result<(), Undecodable> {
        let at = self.offset();
        let length = self.decoder.array();
        let length = length.map_err(|_| self.mismatch(expected, at))?;
        let mut index = 0;
        while self.another(length, index) {
            item(self, index).map_err(|error| error.at_index(index))?;
            index += 1;
        }
        self.close(length.is_none(), expected)
    }

    /// A tuple of `length` items, which must then be read with [`item`](Self::item),
    /// and closed with [`close`](Self::close), given what this returns.
    pub fn tuple(&mut self, expected: &Type, length: usize) -> Result<bool, Undecodable> {
        let at = self.offset();
        let found = self.decoder.array();
        let found = found.map_err(|_| self.mismatch(expected, at))?;
        match found {
            None => Ok(true),
            Some(found) if found == length as u64 => Ok(false),
            Some(found) => Err(Undecodable::new(
                expected,
                format!("{found} items instead of {length}"),
                at,
            )),
        }
    }

    /// One item of a tuple.
    pub fn item<T: Message>(&mut self, index: usize) -> Result<T, Undecodable> {
        T::read(self).map_err(|error| error.at_index(index))
    }

    /// Closes a list, tuple or record; those of indefinite length have a mark there.
    pub fn close(&mut self, indefinite: bool, expected: &Type) -> Result<(), Undecodable> {
        if !indefinite {
            return Ok(());
        }
        match self.decoder.datatype() {
            Ok(Kind::Break) => {
                let past = self.offset() + 1;
                self.decoder.set_position(past);
                Ok(())
            }
            _ => Err(self.mismatch(expected, self.offset())),
        }
    }

    /// A record: calls `field` for every pair with its name; it must read the value,
    /// or [`skip`](Self::skip) it.
    pub fn record(
        &mut self,
        expected: &Type,
        field: &mut dyn FnMut(&mut Self, &str) -> Result<(), Undecodable>,
    ) -> Result<(), Undecodable> {
        let at = self.offset();
        let length = self.decoder.map();
        let length = length.map_err(|_| self.mismatch(expected, at))?;
        let mut index = 0;
        while self.another(length, index) {
            let name = self.text(&Type::Name("a field's name"))?;
            field(self, &name)?;
            index += 1;
        }
        self.close(length.is_none(), expected)
    }

    /// The value of a record's field, into `slot`.
    pub fn field<T: Message>(
        &mut self,
        name: &str,
        slot: &mut Option<T>,
    ) -> Result<(), Undecodable> {
        if slot.is_some() {
            let error = Undecodable::new(T::TYPE, "the field a second time", self.offset());
            return Err(error.in_field(name));
        }
        *slot = Some(T::read(self).map_err(|error| error.in_field(name))?);
        Ok(())
    }

    /// What a field came to. One that was not there is an error, or `None` for an
    /// [`Option`].
    pub fn required<T: Message>(&mut self, name: &str, slot: Option<T>) -> Result<T, Undecodable> {
        match slot {
            Some(value) => Ok(value),
            None => T::absent()
                .ok_or_else(|| Undecodable::new(T::TYPE, "no such field", self.offset()))
                .map_err(|error| error.in_field(name)),
        }
    }

    /// Reads past one item of any kind.
    pub fn skip(&mut self) -> Result<(), Undecodable> {
        let at = self.offset();
        let skipped = self.decoder.skip();
        skipped.map_err(|_| self.mismatch(&Type::Name("a value"), at))
    }

    /// The variant that comes next. Its payload, if any, must then be read with
    /// [`payload`](Self::payload), or after [`check_payload`](Self::check_payload).
    pub fn case(&mut self, expected: &Type) -> Result<Case<'b>, Undecodable> {
        let offset = self.offset();
        if self.at_text() {
            let name = self.text(expected)?;
            return Ok(Case {
                name,
                payload: false,
                indefinite: false,
                offset,
            });
        }
        let length = self.decoder.map();
        let length = length.map_err(|_| self.mismatch(expected, offset))?;
        if length.is_some_and(|length| length != 1) {
            return Err(Undecodable::new(
                expected,
                "a map of other than one entry",
                offset,
            ));
        }
        let name = self.text(expected)?;
        Ok(Case {
            name,
            payload: true,
            indefinite: length.is_none(),
            offset,
        })
    }

    /// Fails unless the variant has a payload exactly when `wanted`.
    pub fn check_payload(&self, case: &Case<'_>, wanted: bool) -> Result<(), Undecodable> {
        if case.payload == wanted {
            return Ok(());
        }
        let (expected, found) = if wanted {
            ("a payload", "none")
        } else {
            ("no payload", "one")
        };
        Err(Undecodable::new(expected, found, case.offset).in_field(&case.name))
    }

    /// The payload of a variant.
    pub fn payload<T: Message>(&mut self, case: &Case<'_>) -> Result<T, Undecodable> {
        self.check_payload(case, true)?;
        T::read(self).map_err(|error| error.in_field(&case.name))
    }

    /// Closes a variant whose payload has been read.
    pub fn close_case(&mut self, case: &Case<'_>, expected: &Type) -> Result<(), Undecodable> {
        self.close(case.indefinite, expected)
    }

    /// The error for a variant that the type doesn't have.
    pub fn unknown_case(&self, case: &Case<'_>, expected: &Type) -> Undecodable {
        Undecodable::new(expected, format!("`{}`", case.name), case.offset)
    }

    /// The error for what is at `at`, where `expected` should be.
    pub fn mismatch(&self, expected: &Type, at: usize) -> Undecodable {
        let mut decoder = Decoder::new(self.decoder.input());
        decoder.set_position(at);
        Undecodable::new(expected, describe(&mut decoder), at)
    }

    fn another(&self, length: Option<u64>, index: usize) -> bool {
        match length {
            Some(length) => (index as u64) < length,
            None => !matches!(self.decoder.datatype(), Ok(Kind::Break)),
        }
    }
}

/// What the next item is, for an error.
fn describe(decoder: &mut Decoder<'_>) -> String {
    let Ok(kind) = decoder.datatype() else {
        return "the end of the message".into();
    };
    let text = match kind {
        Kind::Bool => "bool",
        Kind::Null | Kind::Undefined => "null",
        Kind::F16 | Kind::F32 | Kind::F64 => "a float",
        Kind::Bytes | Kind::BytesIndef => "bytes",
        Kind::String | Kind::StringIndef => match decoder.str() {
            Ok(text) if text.len() <= 40 => return format!("the text `{text}`"),
            _ => "a text",
        },
        Kind::Array | Kind::ArrayIndef => "a list",
        Kind::Map | Kind::MapIndef => "a map",
        Kind::Tag => "a tag",
        Kind::Break => "the end of a list",
        _ => match decoder.int() {
            Ok(int) => return format!("the integer {}", i128::from(int)),
            Err(_) => "something that is not CBOR",
        },
    };
    text.into()
}

/// The number that a float of half precision stands for (IEEE 754: 5 bits of exponent, 10 of
/// mantissa).
fn from_half(bits: u16) -> f64 {
    let mantissa = f64::from(bits & 0x3ff);
    let number = match i32::from(bits >> 10 & 0x1f) {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1024.0 + mantissa) * 2f64.powi(exponent - 25),
    };
    match bits >> 15 {
        0 => number,
        _ => -number,
    }
}
