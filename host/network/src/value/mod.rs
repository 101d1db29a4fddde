//! Values as users write and read them.
//!
//! Arguments come from the network's file or from the command line and become
//! CBOR; so do lines of JSON and rows of CSV that enter a network. Messages that leave it become lines of text.

use std::fmt;

use toml::de::{DeFloat, DeInteger, DeValue};

mod encode;
mod fits;
mod from;
mod json;
mod print;
mod text;

pub use encode::{EncodeError, encode, encode_arguments, encode_text};
pub use fits::{Misfit, fits};
pub use json::{columns, encode_json, encode_row, print_row};
pub use print::{PrintError, print, print_json};

/// A value as written in TOML or in JSON, not yet checked against a type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// An integer of any width that a payload can have.
    Integer(i128),
    /// A number with a fraction, or `inf` or `nan`.
    Float(f64),
    /// A string.
    String(String),
    /// An array.
    List(Vec<Value>),
    /// A table, in the order it was written.
    Table(Vec<(String, Value)>),
    /// A date or a time, which no payload type has; kept as text.
    Datetime(String),
    /// None of an `option`, in JSON.
    Null,
}

impl Value {
    /// What kind of value it is, with its article: `an integer`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Bool(_) => "a boolean",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::String(_) => "a string",
            Value::List(_) => "an array",
            Value::Table(_) => "a table",
            Value::Datetime(_) => "a date or time",
            Value::Null => "null",
        }
    }

    /// The value of a parsed piece of TOML; `None` for an integer or a float that
    /// is out of all bounds.
    pub(crate) fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        Some(match value {
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Integer(value) => Value::Integer(integer(value)?),
            DeValue::Float(value) => Value::Float(float(value)?),
            DeValue::String(value) => Value::String(value.to_string()),
            DeValue::Datetime(value) => Value::Datetime(value.to_string()),
            DeValue::Array(items) => {
                let items = items.iter().map(|item| Self::from_toml(item.get_ref()));
                Value::List(items.collect::<Option<_>>()?)
            }
            DeValue::Table(entries) => {
                // The table itself is sorted by name.
                let mut entries: Vec<_> = entries.iter().collect();
                entries.sort_by_key(|(name, _)| name.span().start);
                let entries = entries.into_iter().map(|(name, value)| {
                    let value = Self::from_toml(value.get_ref())?;
                    Some((name.get_ref().to_string(), value))
                });
                Value::Table(entries.collect::<Option<_>>()?)
            }
        })
    }
}

fn integer(value: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(value.as_str(), value.radix()).ok()
}

/// `1e999` would become infinite, which is not what was written.
fn float(value: &DeFloat<'_>) -> Option<f64> {
    let number: f64 = value.as_str().parse().ok()?;
    let written = !number.is_infinite() || value.as_str().contains("inf");
    written.then_some(number)
}

/// Prints the value as TOML would, for messages; long ones are cut.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(value) => write!(f, "{value}"),
            Value::Integer(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value:?}"),
            Value::Datetime(value) => f.write_str(value),
            Value::Null => f.write_str("null"),
            Value::String(value) => {
                let shown: String = value.chars().take(40).collect();
                let cut = if shown.len() < value.len() { "..." } else { "" };
                write!(f, "{:?}", format!("{shown}{cut}"))
            }
            Value::List(items) => write!(f, "an array of {}", items.len()),
            Value::Table(entries) => write!(f, "a table of {}", entries.len()),
        }
    }
}
