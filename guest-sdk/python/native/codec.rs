//! CBOR for the values that are sent most: numbers, texts, and bytes, as whole messages.
//!
//! Whatever is not quite what its type says is left to the codec in Python, which says what is wrong with it.

use core::ffi::c_longlong;
use core::ptr::null_mut;

use crate::python::{
    Object, PyBytes_AsString, PyBytes_FromStringAndSize, PyBytes_Size, PyBytes_Type, PyErr_Clear,
    PyErr_Occurred, PyFloat_AsDouble, PyFloat_FromDouble, PyFloat_Type, PyLong_AsLongLong,
    PyLong_FromLongLong, PyLong_FromUnsignedLongLong, PyLong_Type, PyUnicode_AsUTF8AndSize,
    PyUnicode_FromStringAndSize, PyUnicode_Type, free, is, realloc,
};

// The kinds, in the numbers that `transputer.payload` gives them.
const INTEGERS: [(i128, i128); 8] = [
    (i8::MIN as i128, i8::MAX as i128),
    (i16::MIN as i128, i16::MAX as i128),
    (i32::MIN as i128, i32::MAX as i128),
    (i64::MIN as i128, i64::MAX as i128),
    (0, u8::MAX as i128),
    (0, u16::MAX as i128),
    (0, u32::MAX as i128),
    (0, u64::MAX as i128),
];
const FIRST_INTEGER: u32 = 1;
const FLOAT: u32 = 9;
const TEXT: u32 = 10;
pub(crate) const BYTES: u32 = 11;

/// The major type of texts, in CBOR.
const MAJOR_TEXT: u8 = 3;

/// The first byte of a float of 64 bits.
const DOUBLE: u8 = 0xfb;

/// The longest head of an item, and the longest whole number.
const HEAD: usize = 9;

fn integers(kind: u32) -> Option<(i128, i128)> {
    let index = kind.checked_sub(FIRST_INTEGER)?;
    INTEGERS.get(index as usize).copied()
}

/// A head in its shortest form; how long it is.
fn head(major: u8, argument: u64, out: &mut [u8; HEAD]) -> usize {
    let (low, length) = match argument {
        0..24 => (argument as u8, 0),
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    out[0] = major << 5 | low;
    let bytes = argument.to_be_bytes();
    let mut at = 0;
    while at < length {
        out[1 + at] = bytes[8 - length + at];
        at += 1;
    }
    1 + length
}

/// Calls `send` with the message that a value is, if it is one of this kind.
///
/// # Safety
/// `value` is an object of Python's.
pub(crate) unsafe fn encoded(
    kind: u32,
    value: *mut Object,
    send: impl FnOnce(*const u8, usize),
) -> bool {
    // SAFETY: the types have been checked before their functions are called.
    unsafe {
        if let Some((low, high)) = integers(kind) {
            return is(value, &raw mut PyLong_Type) && encoded_integer(value, low, high, send);
        }
        match kind {
            FLOAT if is(value, &raw mut PyFloat_Type) => {
                let mut out = [DOUBLE; HEAD];
                out[1..].copy_from_slice(&PyFloat_AsDouble(value).to_be_bytes());
                send(out.as_ptr(), HEAD);
                true
            }
            TEXT if is(value, &raw mut PyUnicode_Type) => encoded_text(value, send),
            BYTES if is(value, &raw mut PyBytes_Type) => {
                send(PyBytes_AsString(value), PyBytes_Size(value) as usize);
                true
            }
            _ => false,
        }
    }
}

/// # Safety
/// `value` is an `int`.
unsafe fn encoded_integer(
    value: *mut Object,
    low: i128,
    high: i128,
    send: impl FnOnce(*const u8, usize),
) -> bool {
    // SAFETY: the caller's.
    let number = unsafe { PyLong_AsLongLong(value) };
    // SAFETY: Python's, always.
    if number == -1 && !unsafe { PyErr_Occurred() }.is_null() {
        // It has more than 63 bits.
        // SAFETY: likewise.
        unsafe { PyErr_Clear() };
        return false;
    }
    if i128::from(number) < low || i128::from(number) > high {
        return false;
    }
    let mut out = [0; HEAD];
    let length = match number < 0 {
        false => head(0, number as u64, &mut out),
        true => head(1, !number as u64, &mut out),
    };
    send(out.as_ptr(), length);
    true
}

/// # Safety
/// `value` is a `str`.
unsafe fn encoded_text(value: *mut Object, send: impl FnOnce(*const u8, usize)) -> bool {
    const SHORT: usize = 256;
    let mut size = 0;
    // SAFETY: the text lives as long as the object, and the copy has room for the head and all of it.
    unsafe {
        let text = PyUnicode_AsUTF8AndSize(value, &mut size);
        if text.is_null() {
            // Halves of surrogate pairs are no text.
            PyErr_Clear();
            return false;
        }
        let size = size as usize;
        let mut begin = [0; HEAD];
        let length = head(MAJOR_TEXT, size as u64, &mut begin);
        let mut short = [0_u8; SHORT + HEAD];
        let is_short = size <= SHORT;
        let out = match is_short {
            true => short.as_mut_ptr(),
            false => realloc(null_mut(), length + size).cast(),
        };
        if out.is_null() {
            return false;
        }
        out.copy_from(begin.as_ptr(), length);
        out.add(length).copy_from(text, size);
        send(out, length + size);
        if !is_short {
            free(out.cast());
        }
        true
    }
}

/// The value of a message, if it is one of this kind; null with an exception if there is no memory.
///
/// # Safety
/// There are so many bytes.
pub(crate) unsafe fn decoded(kind: u32, at: *const u8, length: usize) -> Option<*mut Object> {
    // SAFETY: the caller's; `rest` and `argument` look no further.
    unsafe {
        if kind == BYTES {
            return Some(PyBytes_FromStringAndSize(at, length as isize));
        }
        let first = (length > 0).then(|| at.read())?;
        if kind == FLOAT {
            let is_double = first == DOUBLE && length == HEAD;
            let value = is_double.then(|| f64::from_bits(big_endian(at.add(1), 8)))?;
            return Some(PyFloat_FromDouble(value));
        }
        let (argument, width) = match first & 31 {
            low @ 0..24 => (u64::from(low), 0),
            low @ 24..28 => {
                let width = 1 << (low - 24);
                (length > width).then(|| (big_endian(at.add(1), width), width))?
            }
            _ => return None,
        };
        let (major, rest) = (first >> 5, length - 1 - width);
        if kind == TEXT {
            if major != MAJOR_TEXT || rest as u64 != argument {
                return None;
            }
            let text = PyUnicode_FromStringAndSize(at.add(1 + width), rest as isize);
            if text.is_null() {
                PyErr_Clear();
                return None;
            }
            return Some(text);
        }
        let (low, high) = integers(kind)?;
        let value = match major {
            0 => i128::from(argument),
            1 => -1 - i128::from(argument),
            _ => return None,
        };
        if rest != 0 || value < low || value > high {
            return None;
        }
        Some(match c_longlong::try_from(value) {
            Ok(value) => PyLong_FromLongLong(value),
            Err(_) => PyLong_FromUnsignedLongLong(argument),
        })
    }
}

/// # Safety
/// There are so many bytes, at most eight.
unsafe fn big_endian(at: *const u8, width: usize) -> u64 {
    let mut value = 0;
    for index in 0..width {
        // SAFETY: the caller's.
        value = value << 8 | u64::from(unsafe { at.add(index).read() });
    }
    value
}
