//! Arguments as Python has them.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use transputer::Value;

/// How deep a value may nest; the host's types nest no deeper than 32.
const MAX_DEPTH: usize = 64;

/// A value for an argument. The host checks it against the argument's type.
pub(crate) fn value(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    at_depth(object, 0)
}

fn at_depth(object: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    let inner = |item: Bound<'_, PyAny>| at_depth(&item, depth + 1);
    if depth > MAX_DEPTH {
        return Err(PyTypeError::new_err(format!(
            "an argument that nests deeper than {MAX_DEPTH}"
        )));
    }
    if object.is_instance_of::<PyBool>() {
        Ok(Value::Bool(object.extract()?))
    } else if object.is_instance_of::<PyInt>() {
        let number = object.extract::<i128>();
        number.map(Value::Integer).map_err(|_| {
            PyTypeError::new_err(format!("the integer {object} fits no type of an argument"))
        })
    } else if object.is_instance_of::<PyFloat>() {
        Ok(Value::Float(object.extract()?))
    } else if object.is_instance_of::<PyString>() {
        Ok(Value::String(object.extract()?))
    } else if let Ok(bytes) = object.cast::<PyBytes>() {
        let octets = bytes.as_bytes().iter();
        Ok(Value::List(
            octets.map(|&octet| Value::Integer(octet.into())).collect(),
        ))
    } else if let Ok(items) = object.cast::<PyList>() {
        Ok(Value::List(
            items.iter().map(inner).collect::<PyResult<_>>()?,
        ))
    } else if let Ok(items) = object.cast::<PyTuple>() {
        Ok(Value::List(
            items.iter().map(inner).collect::<PyResult<_>>()?,
        ))
    } else if let Ok(pairs) = object.cast::<PyDict>() {
        let pairs = pairs
            .iter()
            .map(|(name, item)| Ok((name.extract()?, inner(item)?)));
        Ok(Value::Table(pairs.collect::<PyResult<_>>()?))
    } else {
        let kind = object.get_type().name()?.to_string();
        Err(PyTypeError::new_err(format!(
            "a {kind} cannot be an argument"
        )))
    }
}
