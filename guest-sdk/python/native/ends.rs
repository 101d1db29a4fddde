//! The class that all ends of channels derive from, with their commonest operations, and what a `for` loop over a receiver
//! takes its messages from.
//!
//! An end whose messages are of a simple type has a *kind*; then `send` and `receive`, and loops, run in here from
//! beginning to end. Everything else they leave to the methods of the same class that are written in Python.

use core::ptr::null_mut;

use crate::codec::BYTES;
use crate::host::{self, CLOSED, NONE, ReceivedBytes, WOULD_BLOCK};
use crate::python::{
    Member, Method, Object, Py_DecRef, PyBytes_Type, PyErr_NoMemory, PyErr_SetString,
    PyExc_TypeError, PyObject_GetAttr, PyObject_Size, PyObject_Vectorcall,
    PyObject_VectorcallMethod, PyType_FromSpec, PyType_GenericAlloc, PyType_GetSlot,
    PyUnicode_InternFromString, Slot, TypeSpec, integer, is, none, shared,
};
use crate::receiving::{Received, as_value, received};
use crate::sending::{Outcome, send_value};

/// Messages that a loop takes from its channel at a time.
const AHEAD: u32 = 4096;

/// An end of a channel.
#[repr(C)]
pub(crate) struct End {
    head: [usize; 2],
    /// The host's handle.
    pub(crate) key: u32,
    /// The number by which the quick functions of the host know it, and one more; 0 if it has not been asked for.
    number: u32,
    /// How `codec` knows its type; 0 if it does not, or if the end is closed or has moved.
    pub(crate) kind: u32,
    /// Messages that a loop took in advance: a deque, of a receiver.
    ahead: *mut Object,
}

impl End {
    pub(crate) fn number_of_sender(&mut self) -> u32 {
        if self.number == 0 {
            // SAFETY: the host checks the handle.
            self.number = unsafe { host::number_of_sender(self.key) } + 1;
        }
        self.number - 1
    }

    fn number_of_receiver(&mut self) -> u32 {
        if self.number == 0 {
            // SAFETY: the host checks the handle.
            self.number = unsafe { host::number_of_receiver(self.key) } + 1;
        }
        self.number - 1
    }

    /// Whether a loop has left messages.
    unsafe fn has_ahead(&self) -> bool {
        // SAFETY: it is a deque, whose length is a number.
        !self.ahead.is_null() && unsafe { PyObject_Size(self.ahead) } != 0
    }
}

/// Names of methods, as Python keeps them.
struct Names {
    send: *mut Object,
    receive: *mut Object,
    next: *mut Object,
    fail: *mut Object,
    decode: *mut Object,
    popleft: *mut Object,
    extend: *mut Object,
}

static mut NAMES: Names = Names {
    send: null_mut(),
    receive: null_mut(),
    next: null_mut(),
    fail: null_mut(),
    decode: null_mut(),
    popleft: null_mut(),
    extend: null_mut(),
};

/// Calls a method with at most one argument.
///
/// # Safety
/// The objects live; the argument may be null.
unsafe fn call(object: *mut Object, name: *mut Object, argument: *mut Object) -> *mut Object {
    let count = 1 + usize::from(!argument.is_null());
    // SAFETY: the caller's.
    unsafe { PyObject_VectorcallMethod(name, [object, argument].as_ptr(), count, null_mut()) }
}

/// Raises what the number of an error stands for.
unsafe fn fail(end: *mut Object, error: u32) -> *mut Object {
    // SAFETY: the end lives, and the number is dropped after the call.
    unsafe {
        let number = integer(error);
        if number.is_null() {
            return null_mut();
        }
        let failed = call(end, NAMES.fail, number);
        Py_DecRef(number);
        failed
    }
}

/// Calls the method in Python that does the same with all arguments.
///
/// # Safety
/// Python calls it with these arguments.
unsafe fn leave_to(
    name: *mut Object,
    end: *mut Object,
    arguments: *const *mut Object,
    count: isize,
    names: *mut Object,
) -> *mut Object {
    // SAFETY: the caller's.
    unsafe {
        let method = PyObject_GetAttr(end, name);
        if method.is_null() {
            return null_mut();
        }
        let result = PyObject_Vectorcall(method, arguments, count as usize, names);
        Py_DecRef(method);
        result
    }
}

/// `send(message, ...)`
unsafe extern "C" fn send(
    this: *mut Object,
    arguments: *const *mut Object,
    count: isize,
    names: *mut Object,
) -> *mut Object {
    // SAFETY: Python calls it as a method of an end.
    unsafe {
        let end = &mut *this.cast::<End>();
        if count == 1 && names.is_null() && end.kind != 0 {
            match send_value(end, *arguments, true) {
                Outcome::Told(NONE) => return none(),
                Outcome::Told(error) => return fail(this, error as u32),
                Outcome::Unfit => {}
            }
        }
        leave_to(NAMES.send, this, arguments, count, names)
    }
}

/// `try_quickly(message)`: the number of an error, -1 if the message was sent, -2 if it is not one that is sent from here.
unsafe extern "C" fn try_quickly(
    this: *mut Object,
    arguments: *const *mut Object,
    count: isize,
) -> *mut Object {
    const UNFIT: i32 = -2;
    // SAFETY: as in `send`.
    unsafe {
        let end = &mut *this.cast::<End>();
        if count != 1 {
            PyErr_SetString(PyExc_TypeError, c"expected a message".as_ptr());
            return null_mut();
        }
        let number = match end.kind {
            0 => UNFIT,
            _ => match send_value(end, *arguments, false) {
                Outcome::Told(number) => number,
                Outcome::Unfit => UNFIT,
            },
        };
        crate::python::PyLong_FromLong(number)
    }
}

/// `receive(...)`
unsafe extern "C" fn receive(
    this: *mut Object,
    arguments: *const *mut Object,
    count: isize,
    names: *mut Object,
) -> *mut Object {
    // SAFETY: Python calls it as a method of an end.
    unsafe {
        let end = &mut *this.cast::<End>();
        if count == 0 && names.is_null() && end.kind != 0 && !end.has_ahead() {
            let number = end.number_of_receiver();
            return match received(number, 1, end.kind, as_value) {
                Received::One(value) | Received::Many(value) => checked(this, value),
                Received::Error(error) => fail(this, error.into()),
            };
        }
        leave_to(NAMES.receive, this, arguments, count, names)
    }
}

/// `receive_now()`: a message that is there; `None` if there is none, or if it is not received from here.
unsafe extern "C" fn receive_now(
    this: *mut Object,
    _: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `receive`; the host has filled the result, whose list is freed here.
    unsafe {
        let end = &mut *this.cast::<End>();
        if end.kind == 0 || end.has_ahead() {
            return none();
        }
        let mut received = ReceivedBytes::default();
        host::try_receive(end.key, &mut received);
        match received.list() {
            Ok(list) => {
                let value = as_value(end.kind, list.at as *const u8, list.length);
                list.free();
                checked(this, value)
            }
            Err(WOULD_BLOCK) => none(),
            Err(error) => fail(this, error.into()),
        }
    }
}

/// The value, unless it is a `bytes` because it could not be decoded: then Python's decoder says what it is, or
/// what is wrong with it.
unsafe fn checked(end: *mut Object, value: *mut Object) -> *mut Object {
    // SAFETY: the end lives, and the value belongs to nobody.
    unsafe {
        let kind = (*end.cast::<End>()).kind;
        if value.is_null() || kind == BYTES || !is(value, &raw mut PyBytes_Type) {
            return value;
        }
        let decoded = call(end, NAMES.decode, value);
        Py_DecRef(value);
        decoded
    }
}

unsafe extern "C" fn drop_end(this: *mut Object) {
    // SAFETY: Python calls it once, when nobody has the end any more.
    unsafe {
        let ahead = core::mem::replace(&mut (*this.cast::<End>()).ahead, null_mut());
        drop_object(this, ahead);
    }
}

/// Frees an object and what it holds.
unsafe fn drop_object(this: *mut Object, held: *mut Object) {
    // SAFETY: the caller's: nobody has the object. Its class has a function that frees it, as all have.
    unsafe {
        if !held.is_null() {
            Py_DecRef(held);
        }
        let kind = Object::kind(this);
        let free = PyType_GetSlot(kind, Slot::FREE);
        if !free.is_null() {
            core::mem::transmute::<_, unsafe extern "C" fn(*mut Object)>(free)(this);
        }
        Py_DecRef(kind);
    }
}

/// A `for` loop over a receiver.
#[repr(C)]
struct Loop {
    head: [usize; 2],
    receiver: *mut Object,
}

static mut LOOP: *mut Object = null_mut();

/// `loop(receiver)`: what yields its messages, whose kind is known here.
pub(crate) unsafe extern "C" fn new_loop(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: `transputer.channel` passes a receiver.
    unsafe {
        let made = PyType_GenericAlloc(LOOP, 0);
        if made.is_null() {
            return PyErr_NoMemory();
        }
        (*made.cast::<Loop>()).receiver = shared(*arguments);
        made
    }
}

unsafe extern "C" fn itself(this: *mut Object) -> *mut Object {
    // SAFETY: Python calls it with an object that lives.
    unsafe { shared(this) }
}

/// The next message; null without an exception if the channel is closed.
unsafe extern "C" fn next(this: *mut Object) -> *mut Object {
    // SAFETY: the receiver lives as long as the loop.
    unsafe {
        let receiver = (*this.cast::<Loop>()).receiver;
        let end = &mut *receiver.cast::<End>();
        if end.has_ahead() {
            return checked(receiver, call(end.ahead, NAMES.popleft, null_mut()));
        }
        if end.kind == 0 {
            // It was closed, or has moved: Python says which.
            return call(receiver, NAMES.next, null_mut());
        }
        let number = end.number_of_receiver();
        match received(number, AHEAD, end.kind, as_value) {
            Received::One(value) => checked(receiver, value),
            Received::Many(values) if values.is_null() => null_mut(),
            Received::Many(values) => {
                let extended = call(end.ahead, NAMES.extend, values);
                Py_DecRef(values);
                if extended.is_null() {
                    return null_mut();
                }
                Py_DecRef(extended);
                checked(receiver, call(end.ahead, NAMES.popleft, null_mut()))
            }
            Received::Error(CLOSED) => null_mut(),
            Received::Error(error) => fail(receiver, error.into()),
        }
    }
}

unsafe extern "C" fn drop_loop(this: *mut Object) {
    // SAFETY: Python calls it once, when nobody has the loop any more.
    unsafe { drop_object(this, (*this.cast::<Loop>()).receiver) }
}

static mut METHODS: [Method; 5] = [
    Method::named(c"send_quickly", send),
    Method::named(c"receive_quickly", receive),
    Method::new(c"try_quickly", try_quickly),
    Method::new(c"receive_now", receive_now),
    Method::END,
];

static mut MEMBERS: [Member; 5] = [
    Member::new(c"_key", Member::NUMBER, core::mem::offset_of!(End, key)),
    Member::new(
        c"_number",
        Member::NUMBER,
        core::mem::offset_of!(End, number),
    ),
    Member::new(c"_kind", Member::NUMBER, core::mem::offset_of!(End, kind)),
    Member::new(c"_ahead", Member::OBJECT, core::mem::offset_of!(End, ahead)),
    Member::END,
];

/// Makes the class of ends, and what else this module needs; null with an exception.
///
/// # Safety
/// Python calls it once.
pub(crate) unsafe fn make_classes() -> *mut Object {
    const NOTHING: Slot = Slot {
        which: 0,
        what: null_mut(),
    };
    // SAFETY: nobody else uses these before Python has imported the module.
    unsafe {
        NAMES = Names {
            send: PyUnicode_InternFromString(c"_send_any".as_ptr()),
            receive: PyUnicode_InternFromString(c"_receive_any".as_ptr()),
            next: PyUnicode_InternFromString(c"_next".as_ptr()),
            fail: PyUnicode_InternFromString(c"_fail".as_ptr()),
            decode: PyUnicode_InternFromString(c"_decode".as_ptr()),
            popleft: PyUnicode_InternFromString(c"popleft".as_ptr()),
            extend: PyUnicode_InternFromString(c"extend".as_ptr()),
        };
        let mut slots = [
            Slot {
                which: Slot::DEALLOC,
                what: drop_loop as *mut _,
            },
            Slot {
                which: Slot::ITER,
                what: itself as *mut _,
            },
            Slot {
                which: Slot::NEXT,
                what: next as *mut _,
            },
            NOTHING,
        ];
        LOOP = PyType_FromSpec(&mut TypeSpec {
            name: c"transputer_native.Loop".as_ptr(),
            size: size_of::<Loop>() as i32,
            item_size: 0,
            flags: 0,
            slots: slots.as_mut_ptr(),
        });
        if LOOP.is_null() {
            return null_mut();
        }
        let mut slots = [
            Slot {
                which: Slot::DEALLOC,
                what: drop_end as *mut _,
            },
            Slot {
                which: Slot::METHODS,
                what: (&raw mut METHODS).cast(),
            },
            Slot {
                which: Slot::MEMBERS,
                what: (&raw mut MEMBERS).cast(),
            },
            NOTHING,
        ];
        PyType_FromSpec(&mut TypeSpec {
            name: c"transputer_native.End".as_ptr(),
            size: size_of::<End>() as i32,
            item_size: 0,
            flags: TypeSpec::BASE,
            slots: slots.as_mut_ptr(),
        })
    }
}
