//! `transputer_native`: the calls that a Python process makes for each message, without
//! componentize-py's general way of making them.
//!
//! That way builds several objects for each call, and never frees the bytes that it passes to the host.
//! Here the host reads the memory of the `bytes` object itself, and what it returns becomes one.
//!
//! Values of the simplest types are encoded and decoded in here as well (`codec`).
//!
//! The module is a dynamic library for WebAssembly, which componentize-py links with CPython. It is made of these
//! two files alone, without even Rust's standard library (the backend in `host/python` has the commands), and it
//! uses only CPython's stable ABI. Every function returns what `transputer.backend.sandbox` expects: a result, or the number of an
//! error in the order of `wit/channel.wit`. What it is given has been checked there; of wrong types, CPython's own
//! functions make exceptions.

#![no_std]
#![no_main]
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

mod codec;

use core::ffi::{c_char, c_int, c_ulong, c_ulonglong, c_void};
use core::ptr::{null, null_mut};

#[panic_handler]
fn no_panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// An object of CPython's. Only its address matters here.
#[repr(C)]
pub struct Object([u8; 0]);

type Fast = unsafe extern "C" fn(*mut Object, *const *mut Object, isize) -> *mut Object;

/// `PyMethodDef`.
#[repr(C)]
struct Method {
    name: *const c_char,
    function: Option<Fast>,
    flags: c_int,
    doc: *const c_char,
}

/// `PyModuleDef`.
#[repr(C)]
struct Module {
    references: isize,
    kind: *mut c_void,
    init: *mut c_void,
    index: isize,
    copy: *mut c_void,
    name: *const c_char,
    doc: *const c_char,
    size: isize,
    methods: *mut Method,
    rest: [*mut c_void; 4],
}

unsafe extern "C" {
    fn PyBytes_FromStringAndSize(bytes: *const u8, length: isize) -> *mut Object;
    fn PyBytes_AsString(object: *mut Object) -> *const u8;
    fn PyBytes_Size(object: *mut Object) -> isize;
    fn PyLong_AsUnsignedLong(object: *mut Object) -> c_ulong;
    fn PyLong_AsUnsignedLongLong(object: *mut Object) -> c_ulonglong;
    fn PyLong_FromLong(value: i32) -> *mut Object;
    fn PyErr_Occurred() -> *mut Object;
    fn PyList_New(length: isize) -> *mut Object;
    fn PyList_SetItem(list: *mut Object, index: isize, item: *mut Object) -> c_int;
    fn PyTuple_New(length: isize) -> *mut Object;
    fn PyTuple_SetItem(tuple: *mut Object, index: isize, item: *mut Object) -> c_int;
    fn PyModule_Create2(definition: *mut Module, version: c_int) -> *mut Object;
    fn Py_DecRef(object: *mut Object);
    fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
}

#[link(wasm_import_module = "transputer:csp/channel@0.1.0")]
unsafe extern "C" {
    #[link_name = "[method]sender.send"]
    fn host_send(sender: u32, bytes: *const u8, length: usize, result: *mut Sent);
    #[link_name = "[method]sender.try-send"]
    fn host_try_send(sender: u32, bytes: *const u8, length: usize, result: *mut Sent);
    #[link_name = "[method]sender.send-by"]
    fn host_send_by(sender: u32, bytes: *const u8, length: usize, deadline: u64, result: *mut Sent);
    #[link_name = "[method]receiver.receive"]
    fn host_receive(receiver: u32, result: *mut ReceivedBytes);
    #[link_name = "send-small"]
    fn host_send_small(sender: u32, length: u32, low: u64, high: u64, result: *mut Sent);
    #[link_name = "send-some"]
    fn host_send_some(sender: u32, bytes: *const u8, length: usize, result: *mut SentSome);
    #[link_name = "receive-some"]
    fn host_receive_some(receiver: u32, most: u32, result: *mut ReceivedSome);
}

// The results in the layouts of the canonical ABI.

/// `result<_, error>`
#[repr(C)]
#[derive(Default)]
struct Sent {
    is_error: u8,
    error: u8,
}

/// A list that the host has had this module allocate.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct List {
    at: usize,
    length: usize,
}

/// `result<list<u8>, error>`; the number of the error is the lowest byte of the list's address.
#[repr(C)]
#[derive(Default)]
struct ReceivedBytes {
    is_error: u8,
    list: List,
}

/// `sent`
#[repr(C)]
#[derive(Default)]
struct SentSome {
    count: u32,
    has_error: u8,
    error: u8,
    waiting: u32,
}

/// `result<received, error>`; the number of the error is where the kind is.
#[repr(C)]
#[derive(Default)]
struct ReceivedSome {
    is_error: u8,
    kind: u64,
    /// The list, or the length of a small message.
    list: List,
    small: [u64; 2],
}

const SMALL: u8 = 0;
const LARGE: u8 = 1;

/// The longest message that crosses as two numbers.
const SMALL_BYTES: usize = 16;

/// What this module imports, for the linker; `cargo run -p transputer-guest-generator` renews it.
#[used]
#[unsafe(link_section = "component-type:transputer-python-extension")]
static COMPONENT_TYPE: [u8; include_bytes!("component-type.bin").len()] =
    *include_bytes!("component-type.bin");

/// What stands for no error.
const NONE: i32 = -1;

/// Allocates for the host, which puts results there.
///
/// # Safety
/// As the canonical ABI has it: `block` came from here, or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cabi_realloc(
    block: *mut c_void,
    _old: usize,
    align: usize,
    size: usize,
) -> *mut c_void {
    if size == 0 {
        return align as *mut c_void;
    }
    // SAFETY: `block` came from here, and `malloc` aligns to 16 bytes, more than any list wants.
    let block = unsafe { realloc(block, size) };
    if block.is_null() {
        core::arch::wasm32::unreachable()
    }
    block
}

/// An argument as a number; `None` with an exception if it is none.
///
/// # Safety
/// `arguments` has one more than `index`.
unsafe fn number(arguments: *const *mut Object, index: usize) -> Option<u32> {
    // SAFETY: the caller's.
    let value = unsafe { PyLong_AsUnsignedLong(*arguments.add(index)) };
    // SAFETY: CPython's, always.
    match value == c_ulong::MAX && !unsafe { PyErr_Occurred() }.is_null() {
        true => None,
        false => Some(value as u32),
    }
}

/// The memory of an argument that is a `bytes`; `None` with an exception if it is none.
///
/// # Safety
/// As `number`. The memory lives as long as the argument.
unsafe fn bytes(arguments: *const *mut Object, index: usize) -> Option<(*const u8, usize)> {
    // SAFETY: the caller's.
    let (at, length) = unsafe {
        let object = *arguments.add(index);
        (PyBytes_AsString(object), PyBytes_Size(object))
    };
    match at.is_null() || length < 0 {
        true => None,
        false => Some((at, length as usize)),
    }
}

/// Sends the `bytes` of the second argument by the sender of the first: the number of an error, or -1.
///
/// # Safety
/// There are so many arguments, which outlive the call.
unsafe fn send_with(
    arguments: *const *mut Object,
    host: impl FnOnce(u32, *const u8, usize, &mut Sent),
) -> *mut Object {
    // SAFETY: the caller's.
    unsafe {
        let (Some(sender), Some((at, length))) = (number(arguments, 0), bytes(arguments, 1)) else {
            return null_mut();
        };
        let mut sent = Sent::default();
        host(sender, at, length, &mut sent);
        PyLong_FromLong(if sent.is_error == 0 {
            NONE
        } else {
            sent.error.into()
        })
    }
}

/// `send(handle, bytes)`: the number of an error, or -1; likewise below.
unsafe extern "C" fn send(_: *mut Object, arguments: *const *mut Object, _: isize) -> *mut Object {
    // SAFETY: `transputer.backend.sandbox` passes two arguments, which outlive the call.
    unsafe {
        send_with(arguments, |sender, at, length, sent| {
            host_send(sender, at, length, sent)
        })
    }
}

/// `try_send(handle, bytes)`
unsafe extern "C" fn try_send(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `send`.
    unsafe {
        send_with(arguments, |sender, at, length, sent| {
            host_try_send(sender, at, length, sent);
        })
    }
}

/// `send_by(handle, bytes, deadline)`
unsafe extern "C" fn send_by(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `send`, with one argument more.
    unsafe {
        let deadline = PyLong_AsUnsignedLongLong(*arguments.add(2));
        if deadline == c_ulonglong::MAX && !PyErr_Occurred().is_null() {
            return null_mut();
        }
        send_with(arguments, |sender, at, length, sent| {
            host_send_by(sender, at, length, deadline, sent);
        })
    }
}

/// `send_some(number, packed)`: how many were sent, and the number of an error, or -1.
unsafe extern "C" fn send_some(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `send`.
    unsafe {
        let (Some(sender), Some((at, length))) = (number(arguments, 0), bytes(arguments, 1)) else {
            return null_mut();
        };
        let mut sent = SentSome::default();
        host_send_some(sender, at, length, &mut sent);
        let error = if sent.has_error == 0 {
            NONE
        } else {
            sent.error.into()
        };
        let pair = PyTuple_New(2);
        if !pair.is_null() {
            PyTuple_SetItem(pair, 0, PyLong_FromLong(sent.count as i32));
            PyTuple_SetItem(pair, 1, PyLong_FromLong(error));
        }
        pair
    }
}

/// A `bytes` of a list, which is freed.
///
/// # Safety
/// The list came from the host, and is used nowhere else.
unsafe fn taken(list: List) -> *mut Object {
    // SAFETY: the caller's.
    unsafe {
        let object = PyBytes_FromStringAndSize(list.at as *const u8, list.length as isize);
        free_list(list);
        object
    }
}

/// # Safety
/// As `taken`.
unsafe fn free_list(list: List) {
    if list.length > 0 {
        // SAFETY: `cabi_realloc` has allocated it, unless it is empty.
        unsafe { free(list.at as *mut c_void) }
    }
}

/// `receive(handle)`: a `bytes`, or the number of an error.
unsafe extern "C" fn receive(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `send`.
    unsafe {
        let Some(receiver) = number(arguments, 0) else {
            return null_mut();
        };
        let mut received = ReceivedBytes::default();
        host_receive(receiver, &mut received);
        match received.is_error {
            0 => taken(received.list),
            _ => PyLong_FromLong((received.list.at & 0xff) as i32),
        }
    }
}

/// What makes an object of a message.
///
/// # Safety
/// It is given memory of so many bytes.
type Make = unsafe fn(u32, *const u8, usize) -> *mut Object;

/// A `bytes`, whatever the kind.
///
/// # Safety
/// As [`Make`].
unsafe fn as_bytes(_: u32, at: *const u8, length: usize) -> *mut Object {
    // SAFETY: the caller's.
    unsafe { PyBytes_FromStringAndSize(at, length as isize) }
}

/// A value of this kind, or a `bytes` if the message is none.
///
/// # Safety
/// As [`Make`].
unsafe fn as_value(kind: u32, at: *const u8, length: usize) -> *mut Object {
    // SAFETY: the caller's.
    unsafe {
        match codec::decoded(kind, at, length) {
            Some(value) => value,
            None => as_bytes(kind, at, length),
        }
    }
}

/// A list of one message.
///
/// # Safety
/// As [`Make`].
unsafe fn alone(make: Make, kind: u32, at: *const u8, length: usize) -> *mut Object {
    // SAFETY: the caller's; the list has room for one.
    unsafe {
        let list = PyList_New(1);
        fill(list, 0, make(kind, at, length))
    }
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

/// Receives some messages, as a list; or the error's number.
///
/// # Safety
/// Python calls it.
unsafe fn received(
    receiver: u32,
    most: u32,
    kind: u32,
    make: Make,
    list: unsafe fn(Make, u32, *const u8, usize) -> *mut Object,
) -> Result<*mut Object, u8> {
    // SAFETY: the host has filled the result, and what lists it has are freed here.
    unsafe {
        let mut received = ReceivedSome::default();
        host_receive_some(receiver, most, &mut received);
        let form = received.kind as u8;
        if received.is_error != 0 {
            return Err(form);
        }
        let object = match form {
            SMALL => {
                let length = received.list.at.min(SMALL_BYTES);
                list(make, kind, received.small.as_ptr().cast(), length)
            }
            LARGE => list(
                make,
                kind,
                received.list.at as *const u8,
                received.list.length,
            ),
            _ => unpacked(make, kind, received.list),
        };
        if form != SMALL {
            free_list(received.list);
        }
        Ok(object)
    }
}

/// `receive_some(number, most)`: a list of `bytes`, or the number of an error.
unsafe extern "C" fn receive_some(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `send`.
    unsafe {
        let (Some(receiver), Some(most)) = (number(arguments, 0), number(arguments, 1)) else {
            return null_mut();
        };
        let received = received(receiver, most, 0, as_bytes, alone);
        received.unwrap_or_else(|error| PyLong_FromLong(error.into()))
    }
}

/// `receive_values(number, most, kind)`: a list of values of this kind, with a `bytes` in the place of a message
/// that is none; or the number of an error.
unsafe extern "C" fn receive_values(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `send`.
    unsafe {
        let (Some(receiver), Some(most), Some(kind)) = (
            number(arguments, 0),
            number(arguments, 1),
            number(arguments, 2),
        ) else {
            return null_mut();
        };
        let received = received(receiver, most, kind, as_value, alone);
        received.unwrap_or_else(|error| PyLong_FromLong(error.into()))
    }
}

/// What `receive_value` could not return, for `last_error`.
static mut LAST_ERROR: u8 = 0;

/// `receive_value(number, kind)`: a value of this kind, or a `bytes` in the place of a message that is none; `None`
/// if there is an error, which `last_error` returns.
unsafe extern "C" fn receive_value(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    unsafe fn itself(make: Make, kind: u32, at: *const u8, length: usize) -> *mut Object {
        // SAFETY: the caller's.
        unsafe { make(kind, at, length) }
    }
    // SAFETY: as in `send`; there is one thread.
    unsafe {
        let (Some(receiver), Some(kind)) = (number(arguments, 0), number(arguments, 1)) else {
            return null_mut();
        };
        match received(receiver, 1, kind, as_value, itself) {
            Ok(value) => value,
            Err(error) => {
                LAST_ERROR = error;
                codec::none()
            }
        }
    }
}

/// `last_error()`: the number of the error for which `receive_value` has returned `None`.
unsafe extern "C" fn last_error(_: *mut Object, _: *const *mut Object, _: isize) -> *mut Object {
    // SAFETY: there is one thread.
    unsafe { PyLong_FromLong(LAST_ERROR.into()) }
}

/// What `send_value` returns for a value that it does not know how to send.
const NOT_SENT: i32 = -2;

/// `send_value(handle, number, kind, value)`: the number of an error, -1 if it was sent, or -2 if it is no
/// value of this kind, or none that is sent from here.
unsafe extern "C" fn send_value(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: `transputer.channel` passes four arguments, which outlive the call.
    unsafe {
        let (Some(sender), Some(short), Some(kind)) = (
            number(arguments, 0),
            number(arguments, 1),
            number(arguments, 2),
        ) else {
            return null_mut();
        };
        let mut sent = Sent::default();
        let encoded = codec::encoded(kind, *arguments.add(3), |at, length| {
            if length <= SMALL_BYTES {
                let mut words = [0_u64; 2];
                words.as_mut_ptr().cast::<u8>().copy_from(at, length);
                host_send_small(short, length as u32, words[0], words[1], &mut sent);
            } else {
                host_send(sender, at, length, &mut sent);
            }
        });
        PyLong_FromLong(match (encoded, sent.is_error) {
            (false, _) => NOT_SENT,
            (true, 0) => NONE,
            (true, _) => sent.error.into(),
        })
    }
}

const FASTCALL: c_int = 0x80;

const fn method(name: &'static core::ffi::CStr, function: Fast) -> Method {
    Method {
        name: name.as_ptr(),
        function: Some(function),
        flags: FASTCALL,
        doc: null(),
    }
}

static mut METHODS: [Method; 11] = [
    method(c"send", send),
    method(c"try_send", try_send),
    method(c"send_by", send_by),
    method(c"send_some", send_some),
    method(c"receive", receive),
    method(c"receive_some", receive_some),
    method(c"send_value", send_value),
    method(c"receive_value", receive_value),
    method(c"receive_values", receive_values),
    method(c"last_error", last_error),
    Method {
        name: null(),
        function: None,
        flags: 0,
        doc: null(),
    },
];

static mut MODULE: Module = Module {
    references: 1,
    kind: null_mut(),
    init: null_mut(),
    index: 0,
    copy: null_mut(),
    name: c"transputer_native".as_ptr(),
    doc: null(),
    size: -1,
    methods: null_mut(),
    rest: [null_mut(); 4],
};

/// What Python calls to import the module. The last argument is the version of the stable ABI.
#[allow(non_snake_case)]
#[unsafe(no_mangle)]
pub extern "C" fn PyInit_transputer_native() -> *mut Object {
    const ABI_VERSION: c_int = 3;
    // SAFETY: Python imports a module once, and nobody else uses these.
    unsafe {
        (*(&raw mut MODULE)).methods = (&raw mut METHODS).cast();
        PyModule_Create2(&raw mut MODULE, ABI_VERSION)
    }
}
