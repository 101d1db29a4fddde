//! `transputer_native`: the calls that a Python process makes for each message, without
//! componentize-py's general way of making them.
//!
//! That way builds several objects for each call, and never frees the bytes that it passes to the host.
//! Here the host reads the memory of the `bytes` object itself, and what it returns becomes one.
//!
//! | File | What is in it |
//! |---|---|
//! | `ends.rs` | the class of ends: sending, receiving and loops for the simplest types of messages |
//! | `codec.rs` | CBOR for these types |
//! | `sending.rs`, `receiving.rs` | functions for any message |
//! | `choosing.rs` | functions for choices, and for messages with ends of channels |
//! | `host.rs` | the host's functions, in the canonical ABI |
//! | `python.rs` | CPython's functions, in its stable ABI |
//!
//! The module is a dynamic library for WebAssembly, which componentize-py links with CPython. It is made of these
//! files alone, without even Rust's standard library (the backend in `host/python` has the commands). Functions return
//! what `transputer.backend.sandbox` expects: a result, or the number of an error in the order of `wit/channel.wit`. What
//! they are given has been checked there; of wrong types, CPython's own functions make exceptions.

#![no_std]
#![no_main]
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

mod choosing;
mod codec;
mod ends;
mod host;
mod python;
mod receiving;
mod sending;

use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

pub use host::cabi_realloc;
use python::{Method, Module, Object, Py_DecRef, PyModule_AddObjectRef, PyModule_Create2};

#[panic_handler]
fn no_panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

static mut METHODS: [Method; 13] = [
    Method::new(c"send", sending::send),
    Method::new(c"try_send", sending::try_send),
    Method::new(c"send_by", sending::send_by),
    Method::new(c"send_some", sending::send_some),
    Method::new(c"receive", receiving::receive),
    Method::new(c"receive_some", receiving::receive_some),
    Method::new(c"try_receive_some", receiving::try_receive_some),
    Method::new(c"loop", ends::new_loop),
    Method::new(c"select", choosing::select),
    Method::new(c"wait", choosing::wait),
    Method::new(c"send_ends", choosing::send_ends),
    Method::new(c"drop_end", choosing::drop_end),
    Method::END,
];

static mut MODULE: Module = Module {
    references: 1,
    kind: null_mut(),
    init: null_mut(),
    index: 0,
    copy: null_mut(),
    name: c"transputer_native".as_ptr(),
    doc: core::ptr::null(),
    size: -1,
    methods: null_mut(),
    rest: [null_mut::<c_void>(); 4],
};

/// What Python calls to import the module. The last argument of `PyModule_Create2` is the version of the stable ABI.
#[allow(non_snake_case)]
#[unsafe(no_mangle)]
pub extern "C" fn PyInit_transputer_native() -> *mut Object {
    const ABI_VERSION: c_int = 3;
    // SAFETY: Python imports a module once, and nobody else uses these.
    unsafe {
        (*(&raw mut MODULE)).methods = (&raw mut METHODS).cast();
        let module = PyModule_Create2(&raw mut MODULE, ABI_VERSION);
        if module.is_null() {
            return module;
        }
        let end = ends::make_classes();
        if end.is_null() || PyModule_AddObjectRef(module, c"End".as_ptr(), end) < 0 {
            Py_DecRef(module);
            return null_mut();
        }
        module
    }
}
