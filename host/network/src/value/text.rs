//! From texts on the command line to values.

use toml::de::DeValue;

use super::Value;
use super::encode::{EncodeError, cases, expectation};
use crate::signature::{PayloadType, Shape};

/// Reads a text as a value of a type; what kind of value it is may still be wrong.
pub(super) fn read(ty: &PayloadType, text: &str) -> Result<Value, EncodeError> {
    read_shape(ty.shape(), text)
}

/// The same, for a part of a type.
pub(super) fn read_shape(shape: &Shape, text: &str) -> Result<Value, EncodeError> {
    let mut shape = shape;
    while let Shape::Option(inner) = shape {
        shape = inner;
    }
    if is_plain(shape, text) {
        return Ok(Value::String(text.to_owned()));
    }
    let parsed = DeValue::parse(text.trim()).ok();
    parsed
        .and_then(|value| Value::from_toml(value.get_ref()))
        .ok_or_else(|| EncodeError {
            path: String::new(),
            expected: expectation(shape),
            found: format!("`{}`", shortened(text)),
        })
}

/// Whether the text stands for itself, without quotes.
fn is_plain(shape: &Shape, text: &str) -> bool {
    match shape {
        Shape::String | Shape::Char => true,
        Shape::List(_) => shape.is_bytes(),
        Shape::Enum(_) => true,
        Shape::Variant(_) | Shape::Result(..) => cases(shape)
            .iter()
            .any(|case| case.shape.is_none() && case.name == text),
        _ => false,
    }
}

fn shortened(text: &str) -> String {
    let shown: String = text.chars().take(40).collect();
    let cut = if shown.len() < text.len() { "..." } else { "" };
    format!("{}{cut}", shown.escape_debug())
}
