//! The functions of `wit/async/` as a guest imports them, lowered asynchronously, and the built-in
//! functions of the canonical ABI that a task needs.
//!
//! wit-bindgen's own runtime for async functions keeps maps and boxes for each call, which costs more than
//! the call; what is here does neither.

#![allow(unsafe_code)]

use crate::bindings::transputer::csp::channel::{Patience, Small};

/// What a call says that is done.
pub(super) const RETURNED: u32 = 2;

/// The states of calls, and what `run` returns, lie below the number of a subtask or of a set.
pub(super) const BITS: u32 = 4;

/// Declares functions, which do not exist natively.
macro_rules! imports {
    ($($module:literal {
        $($(#[$doc:meta])* fn $name:ident = $import:literal ($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*
    })*) => {
        $(
            #[cfg(target_family = "wasm")]
            #[link(wasm_import_module = $module)]
            unsafe extern "C" {
                $(
                    $(#[$doc])*
                    #[link_name = $import]
                    pub(super) fn $name($($argument: $type),*) $(-> $result)?;
                )*
            }
            $(
                #[cfg(not(target_family = "wasm"))]
                pub(super) unsafe fn $name($(_: $type),*) $(-> $result)? {
                    unreachable!("there is no host")
                }
            )*
        )*
    };
}

imports! {
    "transputer:csp/tasks@0.2.0" {
        fn own_set = "own-set" () -> u32;
        fn send_small = "[async-lower]send-small" (sender: u32, length: u32, low: u64, high: u64, to: *mut u8) -> u32;
        fn receive_some = "[async-lower]receive-some" (receiver: u32, most: u32, to: *mut u8) -> u32;
        fn send = "[async-lower]send" (sender: u32, message: *const u8, length: usize, to: *mut u8) -> u32;
        fn send_ends = "[async-lower]send-ends" (arguments: *const u8, to: *mut u8) -> u32;
        fn receive_ends = "[async-lower]receive-ends" (receiver: u32, patience: u32, deadline: u64, to: *mut u8) -> u32;
        fn select = "[async-lower]select" (guards: *const u8, length: usize, order: u32, to: *mut u8) -> u32;
        fn spawn = "[async-lower]spawn" (arguments: *const u8, to: *mut u8) -> u32;
        fn spawn_patiently = "[async-lower]spawn-patiently" (arguments: *const u8, to: *mut u8) -> u32;
        fn wait_child = "[async-lower]wait" (child: u32, patience: u32, deadline: u64, to: *mut u8) -> u32;
        fn kill = "[async-lower]kill" (child: u32, reason: *const u8, length: usize) -> u32;
        fn sync = "[async-lower]sync" (barrier: u32, patience: u32, deadline: u64, to: *mut u8) -> u32;
        fn sleep_until = "[async-lower]sleep-until" (deadline: u64) -> u32;
        fn yield_now = "[async-lower]yield-now" () -> u32;
    }
    "[export]$root" {
        fn task_return = "[task-return]run" (case: u32, text: *const u8, length: usize);
    }
    "$root" {
        fn set_new = "[waitable-set-new]" () -> u32;
        fn join = "[waitable-join]" (waitable: u32, set: u32);
        fn subtask_drop = "[subtask-drop]" (subtask: u32);
        fn subtask_cancel = "[subtask-cancel]" (subtask: u32) -> u32;
    }
}

/// Begins a send of a small message.
#[inline]
pub(super) fn send_small_to(sender: u32, message: Small, to: *mut u8) -> u32 {
    // SAFETY: the caller has room for the result there as long as the call waits.
    unsafe { send_small(sender, message.length, message.low, message.high, to) }
}

/// Begins a send.
pub(super) fn send_to(sender: u32, message: &[u8], to: *mut u8) -> u32 {
    // SAFETY: as above; the host has copied the message when this returns.
    unsafe { send(sender, message.as_ptr(), message.len(), to) }
}

/// Begins a send with ends, each by its kind and its handle.
pub(super) fn send_ends_to(sender: u32, message: &[u8], ends: &[[u32; 2]], to: *mut u8) -> u32 {
    #[repr(C, align(8))]
    struct Arguments {
        sender: u32,
        message: *const u8,
        length: usize,
        ends: *const [u32; 2],
        count: usize,
        _unused: u32,
        /// Without end.
        patience: u64,
        deadline: u64,
    }
    let arguments = Arguments {
        sender,
        message: message.as_ptr(),
        length: message.len(),
        ends: ends.as_ptr(),
        count: ends.len(),
        _unused: 0,
        patience: 0,
        deadline: 0,
    };
    // SAFETY: as above.
    unsafe { send_ends((&raw const arguments).cast(), to) }
}

/// Begins a receive of at most so many messages.
#[inline]
pub(super) fn receive_some_to(receiver: u32, most: u32, to: *mut u8) -> u32 {
    // SAFETY: as above.
    unsafe { receive_some(receiver, most, to) }
}

/// Begins a receive of a message that may carry ends.
pub(super) fn receive_ends_to(receiver: u32, to: *mut u8) -> u32 {
    // SAFETY: as above. It waits without end.
    unsafe { receive_ends(receiver, 0, 0, to) }
}

/// Begins an alternation.
pub(super) fn select_to(guards: *const u8, length: usize, order: u32, to: *mut u8) -> u32 {
    // SAFETY: as above; the guards are there until this returns.
    unsafe { select(guards, length, order, to) }
}

/// What is to be spawned: ports by the addresses and lengths of their names, and their handles.
pub(super) struct Spawned<'a> {
    pub(super) component: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) arguments: &'a [u8],
    pub(super) inputs: &'a [[u32; 3]],
    pub(super) outputs: &'a [[u32; 3]],
}

/// Begins to spawn a process.
pub(super) fn spawn_to(spawned: Spawned<'_>, patience: Option<Patience>, to: *mut u8) -> u32 {
    #[repr(C)]
    struct List(*const u8, usize);
    fn listed<T>(all: &[T]) -> List {
        List(all.as_ptr().cast(), all.len())
    }
    #[repr(C, align(8))]
    struct Arguments {
        component: List,
        is_named: u32,
        name: List,
        arguments: List,
        inputs: List,
        outputs: List,
        _unused: u32,
        patience: u64,
        deadline: u64,
    }
    let (case, deadline) = match patience {
        None | Some(Patience::Forever) => (0, 0),
        Some(Patience::Until(deadline)) => (1, deadline),
        Some(Patience::Never) => (2, 0),
    };
    let arguments = Arguments {
        component: listed(spawned.component.as_bytes()),
        is_named: spawned.name.is_some().into(),
        name: listed(spawned.name.unwrap_or_default().as_bytes()),
        arguments: listed(spawned.arguments),
        inputs: listed(spawned.inputs),
        outputs: listed(spawned.outputs),
        _unused: 0,
        patience: case,
        deadline,
    };
    let arguments = (&raw const arguments).cast();
    // SAFETY: as above; all of it is there until this returns.
    unsafe {
        match patience {
            None => spawn(arguments, to),
            Some(_) => spawn_patiently(arguments, to),
        }
    }
}

/// Begins to wait for a child's end, without end.
pub(super) fn wait_for_child(child: u32, to: *mut u8) -> u32 {
    // SAFETY: as above.
    unsafe { wait_child(child, 0, 0, to) }
}

/// Begins to stop a child.
pub(super) fn kill_child(child: u32, reason: &str) -> u32 {
    // SAFETY: the host has copied the text when this returns.
    unsafe { kill(child, reason.as_ptr(), reason.len()) }
}

/// Begins to wait at a barrier, without end.
pub(super) fn sync_to(barrier: u32, to: *mut u8) -> u32 {
    // SAFETY: as above.
    unsafe { sync(barrier, 0, 0, to) }
}

/// Begins to sleep.
pub(super) fn sleep(deadline: u64) -> u32 {
    // SAFETY: it takes a number.
    unsafe { sleep_until(deadline) }
}

/// Begins to let others run.
pub(super) fn let_others_run() -> u32 {
    // SAFETY: it takes nothing.
    unsafe { yield_now() }
}
