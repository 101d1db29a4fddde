//! CPython's stable ABI, as far as it is used here.

use core::ffi::{CStr, c_char, c_int, c_longlong, c_uint, c_ulong, c_ulonglong, c_void};
use core::ptr::null;

/// An object of CPython's. Only its address matters, except for the head that all have.
#[repr(C)]
pub struct Object {
    references: isize,
    kind: *mut Object,
}

impl Object {
    /// Its type.
    ///
    /// # Safety
    /// It lives.
    pub(crate) unsafe fn kind(object: *mut Object) -> *mut Object {
        // SAFETY: the caller's.
        unsafe { (*object).kind }
    }
}

/// A function whose arguments come as an array.
pub(crate) type Fast = unsafe extern "C" fn(*mut Object, *const *mut Object, isize) -> *mut Object;

/// The same with the names of those that were given by name, whose values are the last ones.
pub(crate) type Named =
    unsafe extern "C" fn(*mut Object, *const *mut Object, isize, *mut Object) -> *mut Object;

/// `PyMethodDef`.
#[repr(C)]
pub(crate) struct Method {
    name: *const c_char,
    function: *const c_void,
    flags: c_int,
    doc: *const c_char,
}

impl Method {
    const FASTCALL: c_int = 0x80;
    const KEYWORDS: c_int = 0x2;

    pub(crate) const fn new(name: &'static CStr, function: Fast) -> Self {
        Self {
            name: name.as_ptr(),
            function: function as *const c_void,
            flags: Self::FASTCALL,
            doc: null(),
        }
    }

    pub(crate) const fn named(name: &'static CStr, function: Named) -> Self {
        Self {
            name: name.as_ptr(),
            function: function as *const c_void,
            flags: Self::FASTCALL | Self::KEYWORDS,
            doc: null(),
        }
    }

    /// What ends a list of them.
    pub(crate) const END: Self = Self {
        name: null(),
        function: null(),
        flags: 0,
        doc: null(),
    };
}

/// `PyModuleDef`.
#[repr(C)]
pub(crate) struct Module {
    pub(crate) references: isize,
    pub(crate) kind: *mut c_void,
    pub(crate) init: *mut c_void,
    pub(crate) index: isize,
    pub(crate) copy: *mut c_void,
    pub(crate) name: *const c_char,
    pub(crate) doc: *const c_char,
    pub(crate) size: isize,
    pub(crate) methods: *mut Method,
    pub(crate) rest: [*mut c_void; 4],
}

/// `PyMemberDef`.
#[repr(C)]
pub(crate) struct Member {
    pub(crate) name: *const c_char,
    pub(crate) kind: c_int,
    pub(crate) offset: isize,
    pub(crate) flags: c_int,
    pub(crate) doc: *const c_char,
}

impl Member {
    /// A number of 32 bits without a sign.
    pub(crate) const NUMBER: c_int = 11;
    /// An object, or none yet.
    pub(crate) const OBJECT: c_int = 16;

    pub(crate) const fn new(name: &'static CStr, kind: c_int, offset: usize) -> Self {
        Self {
            name: name.as_ptr(),
            kind,
            offset: offset as isize,
            flags: 0,
            doc: null(),
        }
    }

    /// What ends a list of them.
    pub(crate) const END: Self = Self {
        name: null(),
        kind: 0,
        offset: 0,
        flags: 0,
        doc: null(),
    };
}

/// `PyType_Slot`.
#[repr(C)]
pub(crate) struct Slot {
    pub(crate) which: c_int,
    pub(crate) what: *mut c_void,
}

impl Slot {
    pub(crate) const DEALLOC: c_int = 52;
    pub(crate) const ITER: c_int = 62;
    pub(crate) const NEXT: c_int = 63;
    pub(crate) const METHODS: c_int = 64;
    pub(crate) const MEMBERS: c_int = 72;
    pub(crate) const FREE: c_int = 74;
}

/// `PyType_Spec`.
#[repr(C)]
pub(crate) struct TypeSpec {
    pub(crate) name: *const c_char,
    pub(crate) size: c_int,
    pub(crate) item_size: c_int,
    pub(crate) flags: c_uint,
    pub(crate) slots: *mut Slot,
}

impl TypeSpec {
    /// Classes may be derived from it.
    pub(crate) const BASE: c_uint = 1 << 10;
}

unsafe extern "C" {
    pub(crate) static mut PyLong_Type: Object;
    pub(crate) static mut PyFloat_Type: Object;
    pub(crate) static mut PyUnicode_Type: Object;
    pub(crate) static mut PyBytes_Type: Object;
    static mut _Py_NoneStruct: Object;
    pub(crate) static mut PyExc_TypeError: *mut Object;

    pub(crate) fn PyBytes_FromStringAndSize(bytes: *const u8, length: isize) -> *mut Object;
    pub(crate) fn PyBytes_AsString(object: *mut Object) -> *const u8;
    pub(crate) fn PyBytes_Size(object: *mut Object) -> isize;
    pub(crate) fn PyLong_AsLongLong(object: *mut Object) -> c_longlong;
    pub(crate) fn PyLong_AsUnsignedLong(object: *mut Object) -> c_ulong;
    pub(crate) fn PyLong_AsUnsignedLongLong(object: *mut Object) -> c_ulonglong;
    pub(crate) fn PyLong_FromLong(value: i32) -> *mut Object;
    pub(crate) fn PyLong_FromLongLong(value: c_longlong) -> *mut Object;
    pub(crate) fn PyLong_FromUnsignedLongLong(value: c_ulonglong) -> *mut Object;
    pub(crate) fn PyFloat_AsDouble(object: *mut Object) -> f64;
    pub(crate) fn PyFloat_FromDouble(value: f64) -> *mut Object;
    pub(crate) fn PyUnicode_AsUTF8AndSize(object: *mut Object, size: *mut isize) -> *const u8;
    pub(crate) fn PyUnicode_FromStringAndSize(text: *const u8, size: isize) -> *mut Object;
    pub(crate) fn PyUnicode_InternFromString(text: *const c_char) -> *mut Object;
    pub(crate) fn PyErr_Occurred() -> *mut Object;
    pub(crate) fn PyErr_Clear();
    pub(crate) fn PyErr_SetString(kind: *mut Object, text: *const c_char);
    pub(crate) fn PyErr_NoMemory() -> *mut Object;
    pub(crate) fn PyList_New(length: isize) -> *mut Object;
    pub(crate) fn PyList_Size(list: *mut Object) -> isize;
    pub(crate) fn PyList_GetItem(list: *mut Object, index: isize) -> *mut Object;
    pub(crate) fn PyList_SetItem(list: *mut Object, index: isize, item: *mut Object) -> c_int;
    pub(crate) fn PyTuple_New(length: isize) -> *mut Object;
    pub(crate) fn PyTuple_GetItem(tuple: *mut Object, index: isize) -> *mut Object;
    pub(crate) fn PyTuple_SetItem(tuple: *mut Object, index: isize, item: *mut Object) -> c_int;
    pub(crate) fn PyObject_Size(object: *mut Object) -> isize;
    pub(crate) fn PyObject_IsTrue(object: *mut Object) -> c_int;
    pub(crate) fn PyObject_GetAttr(object: *mut Object, name: *mut Object) -> *mut Object;
    pub(crate) fn PyObject_Vectorcall(
        function: *mut Object,
        arguments: *const *mut Object,
        count: usize,
        names: *mut Object,
    ) -> *mut Object;
    pub(crate) fn PyObject_VectorcallMethod(
        name: *mut Object,
        arguments: *const *mut Object,
        count: usize,
        names: *mut Object,
    ) -> *mut Object;
    pub(crate) fn PyModule_Create2(definition: *mut Module, version: c_int) -> *mut Object;
    pub(crate) fn PyModule_AddObjectRef(
        module: *mut Object,
        name: *const c_char,
        object: *mut Object,
    ) -> c_int;
    pub(crate) fn PyType_FromSpec(spec: *mut TypeSpec) -> *mut Object;
    pub(crate) fn PyType_GetSlot(kind: *mut Object, which: c_int) -> *mut c_void;
    pub(crate) fn PyType_GenericAlloc(kind: *mut Object, items: isize) -> *mut Object;
    pub(crate) fn Py_IncRef(object: *mut Object);
    pub(crate) fn Py_DecRef(object: *mut Object);

    pub(crate) fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
    pub(crate) fn free(block: *mut c_void);
}

/// Python's `None`, for who takes it.
///
/// # Safety
/// Python runs.
pub(crate) unsafe fn none() -> *mut Object {
    // SAFETY: it exists as long as Python does.
    unsafe { shared(&raw mut _Py_NoneStruct) }
}

/// An object, for who takes it.
///
/// # Safety
/// It lives.
pub(crate) unsafe fn shared(object: *mut Object) -> *mut Object {
    // SAFETY: the caller's.
    unsafe { Py_IncRef(object) };
    object
}

/// Whether an object is of exactly this type, whose values nothing redefines.
///
/// # Safety
/// Both live.
pub(crate) unsafe fn is(object: *mut Object, kind: *mut Object) -> bool {
    // SAFETY: the caller's.
    unsafe { Object::kind(object) == kind }
}

/// A number as an object.
///
/// # Safety
/// Python runs.
pub(crate) unsafe fn integer(number: u32) -> *mut Object {
    // SAFETY: Python's, always.
    unsafe { PyLong_FromLongLong(number.into()) }
}

/// An object as a number; `None` with an exception if it is not one.
///
/// # Safety
/// It lives, or is null with an exception.
pub(crate) unsafe fn as_number(object: *mut Object) -> Option<u32> {
    if object.is_null() {
        return None;
    }
    // SAFETY: the caller's.
    let value = unsafe { PyLong_AsUnsignedLong(object) };
    // SAFETY: CPython's, always.
    match value == c_ulong::MAX && !unsafe { PyErr_Occurred() }.is_null() {
        true => None,
        false => Some(value as u32),
    }
}

/// An object as a number of 64 bits; likewise.
///
/// # Safety
/// As [`as_number`].
pub(crate) unsafe fn as_long_number(object: *mut Object) -> Option<u64> {
    if object.is_null() {
        return None;
    }
    // SAFETY: as in `as_number`.
    unsafe {
        let value = PyLong_AsUnsignedLongLong(object);
        match value == c_ulonglong::MAX && !PyErr_Occurred().is_null() {
            true => None,
            false => Some(value),
        }
    }
}

/// The memory of a `bytes`; `None` with an exception if it is not one. It lives as long as the object.
///
/// # Safety
/// As [`as_number`].
pub(crate) unsafe fn as_bytes(object: *mut Object) -> Option<(*const u8, usize)> {
    if object.is_null() {
        return None;
    }
    // SAFETY: the caller's.
    let (at, length) = unsafe { (PyBytes_AsString(object), PyBytes_Size(object)) };
    match at.is_null() || length < 0 {
        true => None,
        false => Some((at, length as usize)),
    }
}

/// An argument as a number; `None` with an exception if it is not one.
///
/// # Safety
/// `arguments` has one more than `index`.
pub(crate) unsafe fn number(arguments: *const *mut Object, index: usize) -> Option<u32> {
    // SAFETY: the caller's.
    unsafe { as_number(*arguments.add(index)) }
}

/// The memory of an argument that is a `bytes`; likewise.
///
/// # Safety
/// As [`number`].
pub(crate) unsafe fn bytes(
    arguments: *const *mut Object,
    index: usize,
) -> Option<(*const u8, usize)> {
    // SAFETY: the caller's.
    unsafe { as_bytes(*arguments.add(index)) }
}

/// A tuple of these, or null if one could not be made.
///
/// # Safety
/// They belong to nobody, or are null with an exception.
pub(crate) unsafe fn tuple<const N: usize>(items: [*mut Object; N]) -> *mut Object {
    // SAFETY: the caller's; there is room for each.
    unsafe {
        let made = PyTuple_New(N as isize);
        let whole = !made.is_null() && items.iter().all(|item| !item.is_null());
        for (index, item) in items.into_iter().enumerate() {
            if whole {
                PyTuple_SetItem(made, index as isize, item);
            } else if !item.is_null() {
                Py_DecRef(item);
            }
        }
        if !whole && !made.is_null() {
            Py_DecRef(made);
            return core::ptr::null_mut();
        }
        made
    }
}
