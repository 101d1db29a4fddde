//! The host's functions that are called from here, and their results in the layouts of the canonical ABI.

use core::ffi::c_void;

use crate::python::{free, realloc};

#[link(wasm_import_module = "transputer:csp/channel@0.1.0")]
unsafe extern "C" {
    #[link_name = "[method]sender.send"]
    pub(crate) fn send(sender: u32, bytes: *const u8, length: usize, result: *mut Sent);
    #[link_name = "[method]sender.try-send"]
    pub(crate) fn try_send(sender: u32, bytes: *const u8, length: usize, result: *mut Sent);
    #[link_name = "[method]sender.send-by"]
    pub(crate) fn send_by(
        sender: u32,
        bytes: *const u8,
        length: usize,
        deadline: u64,
        result: *mut Sent,
    );
    #[link_name = "[method]sender.send-ends"]
    pub(crate) fn send_ends(
        sender: u32,
        bytes: *const u8,
        length: usize,
        ends: *const End,
        count: usize,
        patience: u32,
        deadline: u64,
        result: *mut Refused,
    );
    #[link_name = "[method]sender.number"]
    pub(crate) fn number_of_sender(sender: u32) -> u32;
    #[link_name = "[method]receiver.number"]
    pub(crate) fn number_of_receiver(receiver: u32) -> u32;
    #[link_name = "[method]receiver.receive"]
    pub(crate) fn receive(receiver: u32, result: *mut ReceivedBytes);
    #[link_name = "[method]receiver.try-receive"]
    pub(crate) fn try_receive(receiver: u32, result: *mut ReceivedBytes);
    #[link_name = "[method]receiver.receive-batch"]
    pub(crate) fn receive_batch(
        receiver: u32,
        most: u32,
        patience: u32,
        deadline: u64,
        result: *mut ReceivedBytes,
    );
    #[link_name = "send-small"]
    pub(crate) fn send_small(sender: u32, length: u32, low: u64, high: u64, result: *mut Sent);
    #[link_name = "send-some"]
    pub(crate) fn send_some(sender: u32, bytes: *const u8, length: usize, result: *mut SentSome);
    #[link_name = "receive-some"]
    pub(crate) fn receive_some(receiver: u32, most: u32, result: *mut ReceivedSome);
    #[link_name = "[resource-drop]sender"]
    pub(crate) fn drop_sender(sender: u32);
    #[link_name = "[resource-drop]receiver"]
    pub(crate) fn drop_receiver(receiver: u32);
    #[link_name = "[resource-drop]barrier"]
    pub(crate) fn drop_barrier(barrier: u32);
}

#[link(wasm_import_module = "transputer:csp/alternation@0.1.0")]
unsafe extern "C" {
    #[link_name = "select"]
    pub(crate) fn select(guards: *const Guard, count: usize, order: u32, result: *mut Chosen);
    #[link_name = "[method]prepared.wait"]
    pub(crate) fn wait(
        prepared: u32,
        are_named: u32,
        enabled: *const u32,
        count: usize,
        offers: *const Offer,
        offered: usize,
        patience: u32,
        deadline: u64,
        result: *mut Chosen,
    );
}

// The numbers of errors, in the order of `wit/channel.wit`.
pub(crate) const CLOSED: u8 = 0;
pub(crate) const WOULD_BLOCK: u8 = 7;

/// The form of `patience` that does not wait.
pub(crate) const NEVER: u32 = 2;

/// `result<_, error>`
#[repr(C)]
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) is_error: u8,
    pub(crate) error: u8,
}

/// What stands for no error.
pub(crate) const NONE: i32 = -1;

impl Sent {
    /// The number of the error, or -1.
    pub(crate) fn number(&self) -> i32 {
        match self.is_error {
            0 => NONE,
            _ => self.error.into(),
        }
    }
}

/// A list that the host has had this module allocate.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct List {
    pub(crate) at: usize,
    pub(crate) length: usize,
}

impl List {
    /// Frees it. `length` is what it has, of whatever.
    ///
    /// # Safety
    /// It came from the host, and is used nowhere else.
    pub(crate) unsafe fn free(self) {
        if self.length > 0 {
            // SAFETY: `cabi_realloc` has allocated it, unless it is empty.
            unsafe { free(self.at as *mut c_void) }
        }
    }
}

/// `result<list<u8>, error>`; the number of the error is the lowest byte of the list's address.
#[repr(C)]
#[derive(Default)]
pub(crate) struct ReceivedBytes {
    pub(crate) is_error: u8,
    pub(crate) list: List,
}

impl ReceivedBytes {
    /// The list, or the number of the error.
    pub(crate) fn list(&self) -> Result<List, u8> {
        match self.is_error {
            0 => Ok(self.list),
            _ => Err(self.list.at as u8),
        }
    }
}

/// `sent`
#[repr(C)]
#[derive(Default)]
pub(crate) struct SentSome {
    pub(crate) count: u32,
    pub(crate) has_error: u8,
    pub(crate) error: u8,
    pub(crate) waiting: u32,
}

/// `result<received, error>`; the number of the error is where the kind is.
#[repr(C)]
#[derive(Default)]
pub(crate) struct ReceivedSome {
    pub(crate) is_error: u8,
    pub(crate) kind: u64,
    /// The list, or the length of a small message.
    pub(crate) list: List,
    pub(crate) small: [u64; 2],
}

pub(crate) const SMALL: u8 = 0;
pub(crate) const LARGE: u8 = 1;

/// The longest message that crosses as two numbers.
pub(crate) const SMALL_BYTES: usize = 16;

/// `end`: which kind, and its handle.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct End {
    pub(crate) kind: u8,
    pub(crate) handle: u32,
}

/// `result<_, refused>`
#[repr(C)]
#[derive(Default)]
pub(crate) struct Refused {
    pub(crate) is_error: u8,
    pub(crate) error: u32,
    pub(crate) ends: List,
}

/// `guard`: which kind, and its handle and message, or the time.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(crate) struct Guard {
    pub(crate) kind: u8,
    pub(crate) what: GuardOf,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) union GuardOf {
    pub(crate) end: EndGuard,
    pub(crate) time: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct EndGuard {
    pub(crate) handle: u32,
    pub(crate) message: List,
}

pub(crate) const RECEIVE: u8 = 0;
pub(crate) const SEND: u8 = 1;
pub(crate) const AFTER: u8 = 2;

/// `tuple<u32, list<u8>>`
#[repr(C)]
pub(crate) struct Offer {
    guard: u32,
    message: List,
}

/// `result<chosen, error>`; the number of the error is the lowest byte of the guard.
#[repr(C)]
#[derive(Default)]
pub(crate) struct Chosen {
    pub(crate) is_error: u8,
    pub(crate) guard: u32,
    pub(crate) outcome: u32,
    /// The message, whose place has the number of the error if the channel has ended.
    pub(crate) bytes: List,
    pub(crate) ends: List,
}

pub(crate) const RECEIVED: u8 = 0;
pub(crate) const FAILED: u8 = 4;

const _: () = {
    assert!(size_of::<ReceivedSome>() == 40);
    assert!(size_of::<End>() == 8);
    assert!(size_of::<Refused>() == 16);
    assert!(size_of::<Guard>() == 24);
    assert!(size_of::<Chosen>() == 28);
};

/// What this module imports, for the linker; `cargo run --locked -p transputer-guest-generator` renews it.
#[used]
#[unsafe(link_section = "component-type:transputer-python-extension")]
static COMPONENT_TYPE: [u8; include_bytes!("component-type.bin").len()] =
    *include_bytes!("component-type.bin");

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
