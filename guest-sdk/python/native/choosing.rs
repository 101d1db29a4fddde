//! Functions for choices, and for messages with ends of channels: what passes lists of the host's own types.

use core::mem::MaybeUninit;
use core::ptr::null_mut;

use crate::host::{
    self, AFTER, Chosen, End, EndGuard, FAILED, Guard, GuardOf, List, RECEIVE, RECEIVED, Refused,
    SEND,
};
use crate::python::{
    Object, Py_DecRef, PyErr_NoMemory, PyErr_SetString, PyExc_TypeError, PyList_GetItem,
    PyList_New, PyList_SetItem, PyList_Size, PyLong_FromLong, PyObject_IsTrue, PyTuple_GetItem,
    as_bytes, as_long_number, as_number, bytes, free, integer, is, none, number, realloc, tuple,
};
use crate::receiving::taken;

/// As many of something as a call passes: a few are kept on the stack.
struct Passed<T> {
    few: [MaybeUninit<T>; 8],
    many: *mut T,
    length: usize,
}

impl<T> Passed<T> {
    /// What `each` makes of the items of a list; `None` with an exception if that fails for one.
    ///
    /// # Safety
    /// The list is one of Python's, which lives.
    unsafe fn of(list: *mut Object, each: unsafe fn(*mut Object) -> Option<T>) -> Option<Self> {
        // SAFETY: the caller's; there is room for each.
        unsafe {
            let length = PyList_Size(list);
            if length < 0 {
                return None;
            }
            let mut all = Self {
                few: [const { MaybeUninit::uninit() }; 8],
                many: null_mut(),
                length: length as usize,
            };
            if all.length > all.few.len() {
                all.many = realloc(null_mut(), all.length * size_of::<T>()).cast();
                if all.many.is_null() {
                    PyErr_NoMemory();
                    return None;
                }
            }
            for index in 0..all.length {
                let item = each(PyList_GetItem(list, index as isize))?;
                let at = all.as_ptr().cast_mut().add(index);
                at.write(item);
            }
            Some(all)
        }
    }

    fn as_ptr(&self) -> *const T {
        match self.many.is_null() {
            true => self.few.as_ptr().cast(),
            false => self.many,
        }
    }
}

impl<T> Drop for Passed<T> {
    fn drop(&mut self) {
        if !self.many.is_null() {
            // SAFETY: `of` has allocated it.
            unsafe { free(self.many.cast()) }
        }
    }
}

/// A guard, of a tuple: its kind, its handle or time, and its message.
///
/// # Safety
/// The tuple lives.
unsafe fn guard(given: *mut Object) -> Option<Guard> {
    // SAFETY: the caller's; what is no tuple of three gives null with an exception.
    unsafe {
        let kind = as_number(PyTuple_GetItem(given, 0))? as u8;
        let what = match kind {
            RECEIVE | SEND => {
                let handle = as_number(PyTuple_GetItem(given, 1))?;
                let (at, length) = as_bytes(PyTuple_GetItem(given, 2))?;
                let message = List {
                    at: at as usize,
                    length,
                };
                GuardOf {
                    end: EndGuard { handle, message },
                }
            }
            AFTER => GuardOf {
                time: as_long_number(PyTuple_GetItem(given, 1))?,
            },
            _ => GuardOf { time: 0 },
        };
        Some(Guard { kind, what })
    }
}

/// `select(guards, is_priority)`: the place of the guard that won, and what came of it: a `bytes` and its ends, the
/// number of an error, or `None`; or the number of an error of the whole.
pub(crate) unsafe extern "C" fn select(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: `transputer.backend.sandbox` passes two arguments, which outlive the call, and with them the messages.
    unsafe {
        let Some(guards) = Passed::of(*arguments, guard) else {
            return null_mut();
        };
        let order = PyObject_IsTrue(*arguments.add(1)) as u32;
        let mut chosen = Chosen::default();
        host::select(guards.as_ptr(), guards.length, order, &mut chosen);
        told(&chosen)
    }
}

/// `wait(prepared, enabled, patience, deadline)`: what `select` returns, of an alternation that is prepared. `enabled`
/// is a list of numbers of guards, or `None` for all; `patience` is a form of WIT's.
pub(crate) unsafe extern "C" fn wait(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `select`, with four arguments.
    unsafe {
        let all = is(*arguments.add(1), Object::kind(none()));
        let (Some(prepared), Some(patience), Some(deadline)) = (
            number(arguments, 0),
            number(arguments, 2),
            as_long_number(*arguments.add(3)),
        ) else {
            return null_mut();
        };
        let mut chosen = Chosen::default();
        let mut ask = |enabled: *const u32, count: usize| {
            host::wait(
                prepared,
                u32::from(!all),
                enabled,
                count,
                core::ptr::dangling(),
                0,
                patience,
                deadline,
                &mut chosen,
            );
        };
        if all {
            ask(core::ptr::dangling(), 0);
        } else {
            let Some(enabled) = Passed::of(*arguments.add(1), |item| as_number(item)) else {
                return null_mut();
            };
            ask(enabled.as_ptr(), enabled.length);
        }
        told(&chosen)
    }
}

/// What a choice has come to, for Python.
unsafe fn told(chosen: &Chosen) -> *mut Object {
    // SAFETY: the host has filled it.
    unsafe {
        if chosen.is_error != 0 {
            return PyLong_FromLong((chosen.guard as u8).into());
        }
        let (what, ends) = match chosen.outcome as u8 {
            RECEIVED => {
                let ends = match chosen.ends.length {
                    0 => none(),
                    _ => pairs(chosen.ends),
                };
                (taken(chosen.bytes), ends)
            }
            FAILED => (PyLong_FromLong((chosen.bytes.at as u8).into()), none()),
            _ => (none(), none()),
        };
        tuple([integer(chosen.guard), what, ends])
    }
}

/// An end, of a tuple: its kind, and its handle.
///
/// # Safety
/// The tuple lives.
unsafe fn end(given: *mut Object) -> Option<End> {
    // SAFETY: the caller's.
    unsafe {
        let kind = as_number(PyTuple_GetItem(given, 0))? as u8;
        let handle = as_number(PyTuple_GetItem(given, 1))?;
        Some(End { kind, handle })
    }
}

/// A list of pairs of a kind and a handle, of a list of ends, which is freed.
unsafe fn pairs(ends: List) -> *mut Object {
    // SAFETY: the host has made so many, and the list has room for each.
    unsafe {
        let mut list = PyList_New(ends.length as isize);
        for index in 0..ends.length {
            if list.is_null() {
                break;
            }
            let End { kind, handle } = (ends.at as *const End).add(index).read();
            let pair = tuple([integer(kind.into()), integer(handle)]);
            if pair.is_null() {
                Py_DecRef(list);
                list = null_mut();
            } else {
                PyList_SetItem(list, index as isize, pair);
            }
        }
        ends.free();
        list
    }
}

/// `send_ends(handle, bytes, ends, patience, deadline)`, with pairs of a kind and a handle: `None`; or the number of an
/// error and the ends, which are the caller's again, by other handles.
pub(crate) unsafe extern "C" fn send_ends(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `select`, with five arguments.
    unsafe {
        let (Some(sender), Some((at, length)), Some(ends), Some(patience), Some(deadline)) = (
            number(arguments, 0),
            bytes(arguments, 1),
            Passed::of(*arguments.add(2), end),
            number(arguments, 3),
            as_long_number(*arguments.add(4)),
        ) else {
            return null_mut();
        };
        let mut refused = Refused::default();
        host::send_ends(
            sender,
            at,
            length,
            ends.as_ptr(),
            ends.length,
            patience,
            deadline,
            &mut refused,
        );
        match refused.is_error {
            0 => none(),
            _ => tuple([
                PyLong_FromLong((refused.error as u8).into()),
                pairs(refused.ends),
            ]),
        }
    }
}

/// `drop_end(kind, handle)`: closes an end that nobody has any more.
pub(crate) unsafe extern "C" fn drop_end(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `select`, with two arguments; the host checks the handle.
    unsafe {
        let (Some(kind), Some(handle)) = (number(arguments, 0), number(arguments, 1)) else {
            return null_mut();
        };
        match kind {
            0 => host::drop_sender(handle),
            1 => host::drop_receiver(handle),
            2 => host::drop_barrier(handle),
            _ => {
                PyErr_SetString(PyExc_TypeError, c"not a kind of end".as_ptr());
                return null_mut();
            }
        }
        none()
    }
}
