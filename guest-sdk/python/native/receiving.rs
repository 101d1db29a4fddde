//! Functions that receive.

use core::ptr::null_mut;

use crate::codec;
use crate::host::{self, LARGE, List, NEVER, ReceivedBytes, ReceivedSome, SMALL, SMALL_BYTES};
use crate::python::{
    Object, Py_DecRef, PyBytes_FromStringAndSize, PyList_New, PyList_SetItem, PyLong_FromLong,
    number,
};

/// A `bytes` of a list, which is freed.
///
/// # Safety
/// The list came from the host, and is used nowhere else.
pub(crate) unsafe fn taken(list: List) -> *mut Object {
    // SAFETY: the caller's.
    unsafe {
        let object = PyBytes_FromStringAndSize(list.at as *const u8, list.length as isize);
        list.free();
        object
    }
}

/// `receive(handle)`: a `bytes`, or the number of an error.
pub(crate) unsafe extern "C" fn receive(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: `transputer.backend.sandbox` passes one argument, which outlives the call.
    unsafe {
        let Some(receiver) = number(arguments, 0) else {
            return null_mut();
        };
        let mut received = ReceivedBytes::default();
        host::receive(receiver, &mut received);
        match received.list() {
            Ok(list) => taken(list),
            Err(error) => PyLong_FromLong(error.into()),
        }
    }
}

/// What makes an object of a message.
///
/// # Safety
/// It is given memory of so many bytes.
pub(crate) type Make = unsafe fn(u32, *const u8, usize) -> *mut Object;

/// A `bytes`, whatever the kind.
///
/// # Safety
/// As [`Make`].
unsafe fn as_bytes(_: u32, at: *const u8, length: usize) -> *mut Object {
    // SAFETY: the caller's.
    unsafe { PyBytes_FromStringAndSize(at, length as isize) }
}

/// A value of this kind, or a `bytes` if the message is not one.
///
/// # Safety
/// As [`Make`].
pub(crate) unsafe fn as_value(kind: u32, at: *const u8, length: usize) -> *mut Object {
    // SAFETY: the caller's.
    unsafe {
        match codec::decoded(kind, at, length) {
            Some(value) => value,
            None => as_bytes(kind, at, length),
        }
    }
}

/// A list of one object, or null if it could not be made.
///
/// # Safety
/// The object belongs to nobody, or is null with an exception.
unsafe fn alone(object: *mut Object) -> *mut Object {
    // SAFETY: the list has room for one.
    unsafe { fill(PyList_New(1), 0, object) }
}

/// The list with this item, or null if one of them could not be made.
///
/// # Safety
/// `list` is null, or one of Python's with room there; `item` belongs to nobody.
unsafe fn fill(list: *mut Object, index: isize, item: *mut Object) -> *mut Object {
    // SAFETY: the caller's.
    unsafe {
        if !list.is_null() && !item.is_null() {
            PyList_SetItem(list, index, item);
            return list;
        }
        for object in [list, item] {
            if !object.is_null() {
                Py_DecRef(object);
            }
        }
        null_mut()
    }
}

/// The messages of a batch, each of which lies behind its length.
///
/// # Safety
/// `batch` came from the host.
unsafe fn unpacked(make: Make, kind: u32, batch: List) -> *mut Object {
    // SAFETY: the batch is as the host packs it; lengths are checked all the same.
    unsafe {
        let mut count = 0;
        walk(batch, |_, _| {
            count += 1;
            true
        });
        let mut list = PyList_New(count);
        let mut index = 0;
        walk(batch, |at, length| {
            list = fill(list, index, make(kind, at, length));
            index += 1;
            !list.is_null()
        });
        list
    }
}

/// Calls `each` with every message of a batch while it says so.
///
/// # Safety
/// As `unpacked`.
unsafe fn walk(batch: List, mut each: impl FnMut(*const u8, usize) -> bool) {
    let (mut at, mut left) = (batch.at as *const u8, batch.length);
    while left >= 4 {
        // SAFETY: four bytes are left; they need not be aligned.
        let length = unsafe { at.cast::<u32>().read_unaligned() } as usize;
        // SAFETY: so many bytes follow.
        if length > left - 4 || !each(unsafe { at.add(4) }, length) {
            return;
        }
        // SAFETY: likewise.
        at = unsafe { at.add(4 + length) };
        left -= 4 + length;
    }
}

/// What was received.
pub(crate) enum Received {
    /// A message; null with an exception if it could not be made.
    One(*mut Object),
    /// A list of messages; likewise.
    Many(*mut Object),
    /// The number of an error.
    Error(u8),
}

impl Received {
    /// All of it as a list, or the number of the error as an object.
    unsafe fn list(self) -> *mut Object {
        // SAFETY: what it has belongs to nobody.
        unsafe {
            match self {
                Self::One(message) => alone(message),
                Self::Many(messages) => messages,
                Self::Error(error) => PyLong_FromLong(error.into()),
            }
        }
    }
}

/// Waits for a message, and takes up to `most` in all. One alone comes by itself.
///
/// # Safety
/// Python calls it.
pub(crate) unsafe fn received(receiver: u32, most: u32, kind: u32, make: Make) -> Received {
    // SAFETY: the host has filled the result, and what lists it has are freed here.
    unsafe {
        let mut received = ReceivedSome::default();
        host::receive_some(receiver, most, &mut received);
        let form = received.kind as u8;
        if received.is_error != 0 {
            return Received::Error(form);
        }
        let list = received.list;
        if form == SMALL {
            let length = list.length_of_small();
            return Received::One(make(kind, received.small.as_ptr().cast(), length));
        }
        let object = match form {
            LARGE => Received::One(make(kind, list.at as *const u8, list.length)),
            _ => Received::Many(unpacked(make, kind, list)),
        };
        list.free();
        object
    }
}

impl List {
    /// How long a small message is that came in the place of a list.
    fn length_of_small(self) -> usize {
        self.at.min(SMALL_BYTES)
    }
}

/// `receive_some(number, most)`: a list of `bytes`, or the number of an error.
pub(crate) unsafe extern "C" fn receive_some(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `receive`, with two arguments.
    unsafe {
        let (Some(receiver), Some(most)) = (number(arguments, 0), number(arguments, 1)) else {
            return null_mut();
        };
        received(receiver, most, 0, as_bytes).list()
    }
}

/// `try_receive_some(handle, most, kind)`: a list of what is there already, of values of this kind, or of `bytes` if
/// the kind is 0 or a message is not of it; or the number of an error.
pub(crate) unsafe extern "C" fn try_receive_some(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `receive`, with three arguments.
    unsafe {
        let (Some(receiver), Some(most), Some(kind)) = (
            number(arguments, 0),
            number(arguments, 1),
            number(arguments, 2),
        ) else {
            return null_mut();
        };
        let make = if kind == 0 { as_bytes } else { as_value };
        let mut received = ReceivedBytes::default();
        host::receive_batch(receiver, most, NEVER, 0, &mut received);
        match received.list() {
            Ok(batch) => {
                let list = unpacked(make, kind, batch);
                batch.free();
                list
            }
            Err(error) => PyLong_FromLong(error.into()),
        }
    }
}
