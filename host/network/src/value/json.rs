//! Values in JSON, and in rows of CSV.

use super::{EncodeError, PrintError, Value, encode, text};
use crate::signature::{PayloadType, Shape};

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => Value::Integer(number.into()),
                (None, Some(number)) => Value::Integer(number.into()),
                // What is neither fits no payload's integer.
                (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Value::String(text),
            serde_json::Value::Array(items) => {
                Value::List(items.into_iter().map(Value::from).collect())
            }
            serde_json::Value::Object(entries) => {
                let entries = entries.into_iter();
                Value::Table(entries.map(|(name, value)| (name, value.into())).collect())
            }
        }
    }
}

/// A line of JSON as a message of this type. The message of a raw `list<u8>` is the bytes themselves, which are
/// written as a string or as an array of numbers.
///
/// ```
/// use transputer_network::signature::PayloadType;
/// use transputer_network::value::encode_json;
///
/// let ty = PayloadType::parse("record { id: u8, tags: list<string> }")?;
/// assert!(encode_json(&ty, br#"{"id": 7, "tags": []}"#).is_ok());
/// let error = encode_json(&ty, br#"{"id": 7, "tags": ["a", 1]}"#).unwrap_err();
/// assert_eq!(error, "at `tags[1]`: expected `string` (a string), found `1`");
/// # Ok::<(), transputer_network::signature::TypeError>(())
/// ```
///
/// # Errors
///
/// If it is not JSON, or does not fit the type: where, what was expected, and what was found.
pub fn encode_json(ty: &PayloadType, line: &[u8]) -> Result<Vec<u8>, String> {
    let value: serde_json::Value =
        serde_json::from_slice(line).map_err(|error| format!("this is not JSON: {error}"))?;
    let value = Value::from(value);
    if ty.is_bytes() {
        return raw(ty, &value).map_err(|error| error.to_string());
    }
    encode(ty, &value).map_err(|error| error.to_string())
}

/// The bytes that a value of `list<u8>` stands for.
fn raw(ty: &PayloadType, value: &Value) -> Result<Vec<u8>, EncodeError> {
    if let Value::String(text) = value {
        return Ok(text.clone().into_bytes());
    }
    let encoded = encode(ty, value)?;
    let bytes = minicbor::Decoder::new(&encoded).bytes().map(<[u8]>::to_vec);
    Ok(bytes.unwrap_or_default())
}

/// The columns of a type that is a record of scalars, each with whether it may be empty; `None` for any
/// other type, which no row of CSV can hold.
pub fn columns(ty: &PayloadType) -> Option<Vec<(String, bool)>> {
    let Shape::Record(fields) = ty.shape() else {
        return None;
    };
    let column = |shape: &Shape| match shape {
        Shape::Option(inner) if is_scalar(inner) => Some(true),
        shape if is_scalar(shape) => Some(false),
        _ => None,
    };
    let columns = fields
        .iter()
        .map(|field| Some((field.name.clone(), column(&field.shape)?)));
    columns.collect()
}

fn is_scalar(shape: &Shape) -> bool {
    matches!(
        shape,
        Shape::Bool
            | Shape::Integer { .. }
            | Shape::F32
            | Shape::F64
            | Shape::Char
            | Shape::String
            | Shape::Enum(_)
    )
}

/// A row of CSV as a message: the names of its columns, and a text for each. An empty text of an `option` is
/// none.
///
/// # Errors
///
/// If the type is no record of scalars, or a text does not fit: which column, what was expected, and what
/// was found.
pub fn encode_row<'r>(
    ty: &PayloadType,
    row: impl IntoIterator<Item = (&'r str, &'r str)>,
) -> Result<Vec<u8>, EncodeError> {
    let mut entries = Vec::new();
    for (name, text) in row {
        let value = match field(ty, name) {
            Some(Shape::Option(_)) if text.is_empty() => continue,
            Some(shape) => cell(shape, text).map_err(|error| EncodeError {
                path: name.to_owned(),
                ..error
            })?,
            // Encoding says which fields there are.
            None => Value::String(text.to_owned()),
        };
        entries.push((name.to_owned(), value));
    }
    encode(ty, &Value::Table(entries))
}

fn field<'t>(ty: &'t PayloadType, name: &str) -> Option<&'t Shape> {
    let Shape::Record(fields) = ty.shape() else {
        return None;
    };
    let field = fields.iter().find(|field| field.name == name)?;
    Some(&field.shape)
}

fn cell(shape: &Shape, text: &str) -> Result<Value, EncodeError> {
    let inner = match shape {
        Shape::Option(inner) => inner,
        shape => shape,
    };
    text::read_shape(inner, text)
}

/// The texts of a message's fields, in the order of its type: a row of CSV.
///
/// # Errors
///
/// If the message is not a record of scalars of this type.
pub fn print_row(ty: &PayloadType, message: &[u8]) -> Result<Vec<String>, PrintError> {
    let fail = |reason: String| PrintError {
        ty: ty.to_string(),
        reason,
    };
    let line = super::print_json(ty, message)?;
    let value: serde_json::Value =
        serde_json::from_slice(&line).map_err(|error| fail(error.to_string()))?;
    let columns = columns(ty).ok_or_else(|| fail("it is no record of scalars".to_owned()))?;
    let cells = columns.into_iter().map(|(name, _)| match value.get(&name) {
        None | Some(serde_json::Value::Null) => Ok(String::new()),
        Some(serde_json::Value::String(text)) => Ok(text.clone()),
        Some(scalar @ (serde_json::Value::Bool(_) | serde_json::Value::Number(_))) => {
            Ok(scalar.to_string())
        }
        Some(_) => Err(fail(format!("its field `{name}` is no scalar"))),
    });
    cells.collect()
}
