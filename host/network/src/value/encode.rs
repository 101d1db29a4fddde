//! From values to CBOR, guided by a type.

use std::fmt;
use std::ops::RangeInclusive;

use minicbor::Encoder;

use super::{Value, text};
use crate::signature::{Case, Field, PayloadType, Shape};

/// A value that does not fit its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct EncodeError {
    /// Which part of the value does not fit, such as `[2].id`; empty for the whole.
    pub path: String,
    /// What was expected there.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "at `{}`: ", self.path)?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

/// A value in CBOR, as a process expects it under this type.
///
/// Integers, strings and so on stand for themselves; a `list<u8>` may be given as
/// a string; a record is a table, a tuple an array; a case without a value is its
/// name, one with a value a table of one entry; an `option` that is absent in a
/// record is null.
///
/// ```
/// use transputer_network::signature::PayloadType;
/// use transputer_network::value::{Value, encode};
///
/// let ty = PayloadType::parse("list<u16>").unwrap();
/// let value = Value::List(vec![Value::Integer(1), Value::Integer(500)]);
/// assert_eq!(encode(&ty, &value).unwrap(), [0x82, 0x01, 0x19, 0x01, 0xf4]);
///
/// let value = Value::List(vec![Value::Integer(70_000)]);
/// let error = encode(&ty, &value).unwrap_err();
/// assert_eq!(error.to_string(), "at `[0]`: expected `u16` (0 to 65535), found `70000`");
/// ```
///
/// # Errors
///
/// If the value does not fit the type; the error says which part of it.
pub fn encode(ty: &PayloadType, value: &Value) -> Result<Vec<u8>, EncodeError> {
    let mut output = Output {
        encoder: Encoder::new(Vec::new()),
        path: Vec::new(),
    };
    output.value(ty.shape(), value)?;
    Ok(output.encoder.into_writer())
}

/// Like [`encode`], for a text from the command line.
///
/// The text of a `string`, a `char`, a `list<u8>` or a case without a value stands
/// for itself, without quotes. Everything else is written as in TOML.
///
/// # Errors
///
/// If the text cannot be read as a value of the type.
pub fn encode_text(ty: &PayloadType, text: &str) -> Result<Vec<u8>, EncodeError> {
    encode(ty, &text::read(ty, text)?)
}

/// One CBOR map from the names of arguments to their values, each already in CBOR.
pub fn encode_arguments<'a>(arguments: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let mut encoder = Encoder::new(Vec::new());
    infallible(encoder.map(arguments.len() as u64));
    for (name, value) in arguments {
        infallible(encoder.str(name));
        encoder.writer_mut().extend_from_slice(value);
    }
    encoder.into_writer()
}

/// Writing to a `Vec` cannot fail.
fn infallible<T>(result: Result<T, minicbor::encode::Error<std::convert::Infallible>>) {
    debug_assert!(result.is_ok(), "a Vec takes every byte");
}

struct Output {
    encoder: Encoder<Vec<u8>>,
    /// Where in the value the work is, for errors.
    path: Vec<Step>,
}

enum Step {
    Index(usize),
    Name(String),
}

impl Output {
    fn value(&mut self, shape: &Shape, value: &Value) -> Result<(), EncodeError> {
        match (shape, value) {
            (Shape::Bool, Value::Bool(value)) => infallible(self.encoder.bool(*value)),
            (Shape::Integer { signed, bits }, Value::Integer(number))
                if range(*signed, *bits).contains(number) =>
            {
                self.integer(*number);
            }
            (Shape::F64, _) => {
                let value = self.float(shape, value)?;
                infallible(self.encoder.f64(value));
            }
            (Shape::F32, _) => self.single(shape, value)?,
            (Shape::Char, Value::String(text)) => self.char(shape, text, value)?,
            (Shape::String, Value::String(text)) => infallible(self.encoder.str(text)),
            (Shape::List(_), _) if shape.is_bytes() => self.bytes(shape, value)?,
            (Shape::List(item), Value::List(items)) => {
                infallible(self.encoder.array(items.len() as u64));
                self.items(items.iter().map(|value| (&**item, value)))?;
            }
            (Shape::Option(_), Value::Null) => infallible(self.encoder.null()),
            (Shape::Option(inner), _) => self.value(inner, value)?,
            (Shape::Tuple(shapes), Value::List(items)) => {
                if shapes.len() != items.len() {
                    let expected = format!("`{shape}` (an array of {})", shapes.len());
                    return Err(self.error(expected, value));
                }
                infallible(self.encoder.array(items.len() as u64));
                self.items(shapes.iter().zip(items))?;
            }
            (Shape::Record(fields), Value::Table(entries)) => self.record(fields, entries)?,
            (Shape::Enum(_) | Shape::Variant(_) | Shape::Result(..), _) => {
                self.case(shape, value)?;
            }
            _ => return Err(self.mismatch(shape, value)),
        }
        Ok(())
    }

    fn items<'a>(
        &mut self,
        items: impl Iterator<Item = (&'a Shape, &'a Value)>,
    ) -> Result<(), EncodeError> {
        for (index, (shape, value)) in items.enumerate() {
            self.within(Step::Index(index), shape, value)?;
        }
        Ok(())
    }

    fn within(&mut self, step: Step, shape: &Shape, value: &Value) -> Result<(), EncodeError> {
        self.path.push(step);
        self.value(shape, value)?;
        self.path.pop();
        Ok(())
    }

    /// Writes an integer that fits 64 bits.
    fn integer(&mut self, number: i128) {
        match u64::try_from(number) {
            Ok(number) => infallible(self.encoder.u64(number)),
            Err(_) => infallible(self.encoder.i64(number as i64)),
        }
    }

    fn float(&self, shape: &Shape, value: &Value) -> Result<f64, EncodeError> {
        match value {
            Value::Float(number) => Ok(*number),
            Value::Integer(number) if *number as f64 as i128 == *number => Ok(*number as f64),
            _ => Err(self.mismatch(shape, value)),
        }
    }

    fn single(&mut self, shape: &Shape, value: &Value) -> Result<(), EncodeError> {
        let number = self.float(shape, value)?;
        let single = number as f32;
        if single.is_infinite() && number.is_finite() {
            let expected = format!("`f32` (at most {:e} either way)", f32::MAX);
            return Err(self.error(expected, value));
        }
        infallible(self.encoder.f32(single));
        Ok(())
    }

    fn char(&mut self, shape: &Shape, text: &str, value: &Value) -> Result<(), EncodeError> {
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(_), None) => {
                infallible(self.encoder.str(text));
                Ok(())
            }
            _ => Err(self.mismatch(shape, value)),
        }
    }

    fn bytes(&mut self, shape: &Shape, value: &Value) -> Result<(), EncodeError> {
        let items = match value {
            Value::String(text) => {
                infallible(self.encoder.bytes(text.as_bytes()));
                return Ok(());
            }
            Value::List(items) => items,
            _ => return Err(self.mismatch(shape, value)),
        };
        let mut bytes = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match item {
                Value::Integer(number @ 0..=255) => bytes.push(*number as u8),
                _ => {
                    self.path.push(Step::Index(index));
                    return Err(self.mismatch(&Shape::BYTE, item));
                }
            }
        }
        infallible(self.encoder.bytes(&bytes));
        Ok(())
    }

    fn record(&mut self, fields: &[Field], entries: &[(String, Value)]) -> Result<(), EncodeError> {
        if let Some((name, value)) = entries
            .iter()
            .find(|(name, _)| fields.iter().all(|field| field.name != *name))
        {
            let names = crate::diagnostics::one_of(fields.iter().map(|field| &*field.name));
            self.path.push(Step::Name(name.clone()));
            return Err(self.error(format!("one of the fields {names}"), value));
        }
        infallible(self.encoder.map(fields.len() as u64));
        for field in fields {
            infallible(self.encoder.str(&field.name));
            let entry = entries.iter().find(|(name, _)| *name == field.name);
            match (entry, &field.shape) {
                (Some((_, value)), shape) => {
                    self.within(Step::Name(field.name.clone()), shape, value)?;
                }
                (None, Shape::Option(_)) => infallible(self.encoder.null()),
                (None, _) => {
                    return Err(EncodeError {
                        path: self.path_text(),
                        expected: format!("a field `{field}`"),
                        found: "none".to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    /// A case of an enum, a variant or a result: its name, or a table of one entry.
    fn case(&mut self, shape: &Shape, value: &Value) -> Result<(), EncodeError> {
        let (name, inner) = match value {
            Value::String(name) => (name, None),
            Value::Table(entries) => match &**entries {
                [(name, inner)] => (name, Some(inner)),
                _ => return Err(self.mismatch(shape, value)),
            },
            _ => return Err(self.mismatch(shape, value)),
        };
        let found = cases(shape).into_iter().find(|case| case.name == *name);
        match (found, inner) {
            (Some(Case { name, shape: None }), None) if !matches!(shape, Shape::Result(..)) => {
                infallible(self.encoder.str(&name));
                Ok(())
            }
            // The value of such a case is `()`, which is an empty array in CBOR.
            (Some(Case { name, shape: None }), None) => {
                infallible(self.encoder.map(1));
                infallible(self.encoder.str(serde_name(&name)));
                infallible(self.encoder.array(0));
                Ok(())
            }
            (
                Some(Case {
                    name,
                    shape: Some(inner_shape),
                }),
                Some(inner),
            ) => {
                infallible(self.encoder.map(1));
                let tag = match shape {
                    Shape::Result(..) => serde_name(&name),
                    _ => &name,
                };
                infallible(self.encoder.str(tag));
                self.within(Step::Name(name), &inner_shape, inner)
            }
            _ => Err(self.mismatch(shape, value)),
        }
    }

    fn mismatch(&self, shape: &Shape, value: &Value) -> EncodeError {
        self.error(expectation(shape), value)
    }

    fn error(&self, expected: String, value: &Value) -> EncodeError {
        let found = match value {
            Value::List(_) | Value::Table(_) => value.to_string(),
            _ => format!("`{value}`"),
        };
        EncodeError {
            path: self.path_text(),
            expected,
            found,
        }
    }

    fn path_text(&self) -> String {
        let mut text = String::new();
        for step in &self.path {
            match step {
                Step::Index(index) => text.push_str(&format!("[{index}]")),
                Step::Name(name) if text.is_empty() => text.push_str(name),
                Step::Name(name) => text.push_str(&format!(".{name}")),
            }
        }
        text
    }
}

/// The cases of an enum, a variant or a result.
pub(super) fn cases(shape: &Shape) -> Vec<Case> {
    let bare = |name: &String| Case {
        name: name.clone(),
        shape: None,
    };
    let side = |name: &str, shape: &Option<Box<Shape>>| Case {
        name: name.to_owned(),
        shape: shape.as_deref().cloned(),
    };
    match shape {
        Shape::Enum(names) => names.iter().map(bare).collect(),
        Shape::Variant(cases) => cases.clone(),
        Shape::Result(ok, err) => vec![side("ok", ok), side("err", err)],
        _ => Vec::new(),
    }
}

/// What serde calls a case of a result.
fn serde_name(name: &str) -> &'static str {
    match name {
        "ok" => "Ok",
        _ => "Err",
    }
}

/// The integers that an integer type holds.
fn range(signed: bool, bits: u32) -> RangeInclusive<i128> {
    match signed {
        true => -(1 << (bits - 1))..=(1 << (bits - 1)) - 1,
        false => 0..=(1 << bits) - 1,
    }
}

/// How a value of this type is written, for errors.
pub(super) fn expectation(shape: &Shape) -> String {
    let how = match shape {
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::Integer { signed, bits } => {
            let range = range(*signed, *bits);
            format!("{} to {}", range.start(), range.end())
        }
        Shape::F32 | Shape::F64 => "a number".to_owned(),
        Shape::Char => "a string of one character".to_owned(),
        Shape::String => "a string".to_owned(),
        Shape::List(_) if shape.is_bytes() => "a string, or an array of bytes".to_owned(),
        Shape::List(_) => "an array".to_owned(),
        Shape::Option(inner) => return expectation(inner),
        Shape::Tuple(items) => format!("an array of {}", items.len()),
        Shape::Record(_) => "a table".to_owned(),
        Shape::Enum(_) | Shape::Variant(_) | Shape::Result(..) => cases_expectation(shape),
        Shape::Sender(_) | Shape::Receiver(_) => {
            "an end of a channel, which only a process can give".to_owned()
        }
        Shape::Barrier => "a barrier, which only a process can give".to_owned(),
    };
    format!("`{shape}` ({how})")
}

fn cases_expectation(shape: &Shape) -> String {
    let write = |case: Case| match case.shape {
        Some(inner) => format!("{{ {} = {inner} }}", case.name),
        None => format!("\"{}\"", case.name),
    };
    let cases: Vec<String> = cases(shape).into_iter().map(write).collect();
    cases.join(" or ")
}
