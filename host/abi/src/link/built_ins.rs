//! The built-in functions of the canonical ABI that an asynchronous task imports.
//!
//! What they stand for is kept in `stackless::Tasks`: everything that a guest names by a number is
//! checked there.

use wasmtime::{Result, bail};

use super::{Imports, TASKS, plain};
use crate::HostCalls;
use crate::canonical::{Lift, Source, check_aligned, no_case, write};
use crate::stackless::{self, RETURNED, SUBTASK};
use crate::trampolines::Trampoline;

/// The module from which a guest imports them.
const ROOT: &str = "$root";

/// The module of what concerns its exports.
const EXPORT: &str = "[export]$root";

pub(crate) const TASK_RETURN: &str = "[task-return]run";
pub(crate) const TASK_CANCEL: &str = "[task-cancel]";
pub(crate) const SET_NEW: &str = "[waitable-set-new]";
pub(crate) const SET_POLL: &str = "[waitable-set-poll]";
pub(crate) const SET_DROP: &str = "[waitable-set-drop]";
pub(crate) const JOIN: &str = "[waitable-join]";
pub(crate) const SUBTASK_DROP: &str = "[subtask-drop]";
pub(crate) const SUBTASK_CANCEL: &str = "[subtask-cancel]";
pub(crate) const SUBTASK_CANCEL_ASYNC: &str = "[async-lower][subtask-cancel]";
pub(crate) const BACKPRESSURE_INC: &str = "[backpressure-inc]";
pub(crate) const BACKPRESSURE_DEC: &str = "[backpressure-dec]";
pub(crate) const YIELD: &str = "[thread-yield]";
pub(crate) const CONTEXT_GET: [&str; 2] = ["[context-get-0]", "[context-get-1]"];
pub(crate) const CONTEXT_SET: [&str; 2] = ["[context-set-0]", "[context-set-1]"];

const OF_ROOT: [&str; 14] = [
    SET_NEW,
    SET_POLL,
    SET_DROP,
    JOIN,
    SUBTASK_DROP,
    SUBTASK_CANCEL,
    SUBTASK_CANCEL_ASYNC,
    BACKPRESSURE_INC,
    BACKPRESSURE_DEC,
    YIELD,
    CONTEXT_GET[0],
    CONTEXT_GET[1],
    CONTEXT_SET[0],
    CONTEXT_SET[1],
];

const OF_EXPORT: [&str; 2] = [TASK_RETURN, TASK_CANCEL];

/// Whether a module may import this.
pub(super) fn has(from: &str, name: &str) -> bool {
    from == ROOT && OF_ROOT.contains(&name) || from == EXPORT && OF_EXPORT.contains(&name)
}

/// Whether a module that imports this means that built-in function.
pub(crate) fn is_called(from: &str, name: &str, built_in: &str) -> bool {
    has(from, name) && name == built_in
}

pub(super) fn link<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    link_task(imports)?;
    link_waitables(imports)
}

fn link_task<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    plain!(
        imports,
        EXPORT,
        "[task-return]run",
        |memory, host, case: u32, text: u32, length: u32| {
            let source = Source::new(memory, host.call_bytes());
            let result = match case {
                0 => Ok(()),
                1 => Err(source.text(text, length)?),
                _ => return no_case("result", case),
            };
            let state = host.abi_mut();
            if state.result.replace(result).is_some() {
                bail!("the guest has returned twice");
            }
            Ok(())
        }
    );
    // The host ends a process otherwise: it never asks a task to cancel itself.
    plain!(imports, EXPORT, "[task-cancel]", |_, _host| not_asked());
    plain!(imports, ROOT, "[backpressure-inc]", |_, _host| Ok(()));
    plain!(imports, ROOT, "[backpressure-dec]", |_, _host| Ok(()));
    // Nothing else in the instance could go on meanwhile, and others get their turn at the next tick.
    plain!(imports, ROOT, "[thread-yield]", |_, _host| Ok(0_u32));
    plain!(imports, ROOT, "[context-get-0]", |_, host| {
        Ok(stackless::tasks(host)?.context[0])
    });
    plain!(imports, ROOT, "[context-get-1]", |_, host| {
        Ok(stackless::tasks(host)?.context[1])
    });
    plain!(imports, ROOT, "[context-set-0]", |_, host, value: u32| {
        stackless::tasks(host)?.context[0] = value;
        Ok(())
    });
    plain!(imports, ROOT, "[context-set-1]", |_, host, value: u32| {
        stackless::tasks(host)?.context[1] = value;
        Ok(())
    });
    Ok(())
}

fn not_asked() -> Result<()> {
    bail!("the guest has cancelled its task, which it was not asked to")
}

fn link_waitables<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    plain!(imports, ROOT, "[waitable-set-new]", |_, host| {
        stackless::cover(host)?;
        stackless::tasks(host)?.new_set()
    });
    plain!(imports, TASKS, "own-set", |_, host| {
        stackless::cover(host)?;
        stackless::tasks(host)?.own_set()
    });
    plain!(imports, ROOT, "[waitable-set-drop]", |_, host, set: u32| {
        stackless::tasks(host)?.drop_set(set)
    });
    plain!(
        imports,
        ROOT,
        "[waitable-join]",
        |_, host, waitable: u32, set: u32| stackless::tasks(host)?.join(waitable, set)
    );
    plain!(imports, ROOT, "[subtask-drop]", |_, host, subtask: u32| {
        stackless::tasks(host)?.drop_subtask(subtask)
    });
    plain!(
        imports,
        ROOT,
        "[waitable-set-poll]",
        |memory, host, set: u32, to: u32| stackless::poll(host, memory, set, to)
    );
    imports.through(ROOT, SET_POLL, Trampoline::Begin(SUBTASK as i32));
    plain!(
        imports,
        ROOT,
        "[subtask-cancel]",
        |memory, host, subtask: u32| stackless::cancel(host, memory, subtask)
    );
    plain!(
        imports,
        ROOT,
        "[async-lower][subtask-cancel]",
        |memory, host, subtask: u32| stackless::cancel(host, memory, subtask)
    );
    for name in [SUBTASK_CANCEL, SUBTASK_CANCEL_ASYNC] {
        imports.through(ROOT, name, Trampoline::Begin(RETURNED as i32));
    }
    Ok(())
}

/// Writes what the guest is told of an event besides its kind.
pub(crate) fn write_event(memory: &mut [u8], to: u32, event: (u32, u32)) -> Result<()> {
    let at = to as usize;
    check_aligned(at, <u32 as Lift>::ALIGN)?;
    write(memory, at, &event.0.to_le_bytes())?;
    write(memory, at + 4, &event.1.to_le_bytes())
}
