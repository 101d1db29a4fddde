//! How a core function of the host reaches the process and its memory.
//!
//! Macros link a function: [`plain`] one that returns at once, without lists;
//! [`may_return_list`] one that may return lists, for which the guest allocates; [`can_wait`] one
//! that can wait; [`fast`] the way to try such a one, which returns [`WAIT`] if it would have to
//! wait; and [`begins`] what begins it for a stackless process, in the interface of `wit/async/`.
//! The files beside this one use them for every function of `wit/`; they are generated.

mod alternation;
pub(crate) mod built_ins;
mod channel;
mod preview1;
mod process;
mod values;
mod wasi;

use wasmtime::{Caller, Engine, Linker, Result, bail};

use crate::HostCalls;
use crate::canonical::{self, DONE, Lift, Lower, Lowering, Source};
use crate::form::Form;
use crate::trampolines::{HOST, Trampoline, Trampolines};

pub(crate) use preview1::is_preview1;
pub(crate) use wasi::without_patch;

/// The interfaces that are linked whole.
pub(crate) const WHOLE: [&str; 3] = [
    channel::INTERFACE,
    alternation::INTERFACE,
    process::INTERFACE,
];

/// What a stackless process has in place of the functions that block.
pub(crate) const TASKS: &str = "transputer:csp/tasks@0.2.0";

/// The interface of channels, by its name.
pub(crate) const CHANNEL: &str = channel::INTERFACE;

/// Whether a module may import this.
pub(crate) fn is_linked(form: Form, from: &str, name: &str) -> bool {
    let of_form = match form {
        Form::Fiber => WHOLE.contains(&from),
        // What blocks would need a stack of its own.
        Form::Stackless => {
            WHOLE.contains(&from) && !blocks(from, name)
                || from == TASKS
                || built_ins::has(from, name)
        }
    };
    of_form || wasi::has(from, name) || preview1::has(from, name)
}

/// The functions that block.
const BLOCKING: [(&str, &[&str]); 3] = [
    (WHOLE[0], &channel::BLOCKING),
    (WHOLE[1], &alternation::BLOCKING),
    (WHOLE[2], &process::BLOCKING),
];

fn blocks(from: &str, name: &str) -> bool {
    let mut all = BLOCKING.iter();
    all.any(|(interface, functions)| *interface == from && functions.contains(&name))
}

/// How a call of the host's waits.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// The guest's stack is suspended.
    Suspended,
    /// On its thread: see [`ThisTask`](transputer_core::scheduler::ThisTask).
    InPlace,
}

/// The imports of core modules, as they are being linked.
pub(crate) struct Imports<T: 'static> {
    linker: Linker<T>,
    trampolines: Trampolines,
    waits: Waits,
}

impl<T: HostCalls> Imports<T> {
    pub(crate) fn new(engine: &Engine, waits: Waits) -> Self {
        Self {
            linker: Linker::new(engine),
            trampolines: Trampolines::new(),
            waits,
        }
    }

    pub(crate) fn into_parts(self) -> (Linker<T>, Trampolines) {
        (self.linker, self.trampolines)
    }

    /// Notes that an import is called through a trampoline.
    fn through(&mut self, module: &'static str, name: &'static str, trampoline: Trampoline) {
        self.trampolines.insert((module, name), trampoline);
    }

    /// What trampolines call for themselves.
    fn link_trampolines(&mut self) -> Result<()> {
        let linker = &mut self.linker;
        linker.func_wrap(
            HOST,
            "allocated",
            |mut caller: Caller<'_, T>, address: u32| {
                let (memory, host) = split(&mut caller)?;
                let state = host.abi_mut();
                let Some(mut lowering) = state.pending.take() else {
                    bail!("memory at {address} that nobody asked for");
                };
                let wanted = lowering.allocated(memory, address)?;
                if wanted != DONE {
                    state.pending = Some(lowering);
                } else if lowering.is_numbers() {
                    state.arguments = Some(lowering);
                }
                Ok(wanted)
            },
        )?;
        linker.func_wrap(HOST, "begin", |mut caller: Caller<'_, T>| {
            let (_, host) = calling(&mut caller)?;
            let state = host.abi_mut();
            let Some(arguments) = &state.arguments else {
                bail!("the guest has its arguments already");
            };
            let wanted = arguments.wanted();
            if wanted != DONE {
                state.pending = state.arguments.take();
            }
            Ok(wanted)
        })?;
        linker.func_wrap(HOST, "arguments", |mut caller: Caller<'_, T>| {
            let (_, host) = calling(&mut caller)?;
            let arguments = host.abi_mut().arguments.take();
            let fixed = arguments.as_ref().map_or(&[][..], |all| all.fixed());
            let fixed = Source::new(fixed, fixed.len());
            let number = |position: usize| u32::lift(&fixed, 4 * position);
            Ok((
                number(0)?,
                number(1)?,
                number(2)?,
                number(3)?,
                number(4)?,
                number(5)?,
            ))
        })?;
        linker.func_wrap(HOST, "finish", |mut caller: Caller<'_, T>, address: u32| {
            let (memory, host) = calling(&mut caller)?;
            let at = address as usize;
            canonical::check_aligned(at, 4)?;
            let [case] = canonical::array(memory, at)?;
            host.abi_mut().result = Some(match case {
                0 => Ok(()),
                1 => Err(String::lift(
                    &Source::new(memory, host.call_bytes()),
                    at + 4,
                )?),
                _ => return canonical::no_case("result", case.into()),
            });
            Ok(())
        })?;
        Ok(())
    }
}

/// Links everything that a core module may import.
pub(crate) fn link<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    imports.link_trampolines()?;
    channel::link(imports)?;
    alternation::link(imports)?;
    process::link(imports)?;
    built_ins::link(imports)?;
    wasi::link(imports)?;
    preview1::link(imports)
}

macro_rules! plain {
    ($imports:ident, $module:ident, $name:literal,
     |$memory:pat_param, $host:ident $(, $argument:ident: $type:ty)*| $body:expr) => {
        $imports.linker.func_wrap(
            $module,
            $name,
            |mut caller: wasmtime::Caller<'_, T>, $($argument: $type),*| {
                let ($memory, $host) = $crate::link::calling(&mut caller)?;
                $body
            },
        )?
    };
}

macro_rules! may_return_list {
    ($imports:ident, $module:ident, $name:literal, $($function:tt)*) => {
        $crate::link::plain!($imports, $module, $name, $($function)*);
        $imports.through($module, $name, $crate::trampolines::Trampoline::Wait);
    };
}

macro_rules! can_wait {
    ($imports:ident, $module:ident, $name:literal,
     |$memory:pat_param, $host:ident $(, $argument:ident: $type:ty)*| $body:expr) => {
        $crate::link::waiting!($imports, $module, $name, |caller $(, $argument: $type)*| {
            let ($memory, $host) = $crate::link::calling(&mut caller)?;
            let wanted: wasmtime::Result<u64> = $body;
            wanted
        });
        $imports.through($module, $name, $crate::trampolines::Trampoline::Wait);
    };
}

/// A function that can wait, whose body awaits: links it so that it waits as those of these imports do.
macro_rules! waiting {
    ($imports:ident, $module:ident, $name:literal,
     |$caller:ident $(, $argument:ident: $type:ty)*| $body:block) => {
        match $imports.waits {
            $crate::link::Waits::Suspended => $imports.linker.func_wrap_async(
                $module,
                $name,
                |mut $caller: wasmtime::Caller<'_, T>, ($($argument,)*): ($($type,)*)| {
                    Box::new(async move $body)
                },
            )?,
            $crate::link::Waits::InPlace => $imports.linker.func_wrap(
                $module,
                $name,
                |mut $caller: wasmtime::Caller<'_, T>, $($argument: $type),*| {
                    $caller.data_mut().abi_mut().interrupt();
                    let task = $caller.data().this_task().clone();
                    let stays = $caller.data().stays();
                    task.block_in_place($crate::stackless::while_it_stays(stays, async move $body))?
                },
            )?,
        };
    };
}

macro_rules! fast {
    ($imports:ident, $module:ident, $name:literal, $number:literal,
     |$memory:pat_param, $host:ident $(, $argument:ident: $type:ty)*| $body:expr) => {
        $imports.linker.func_wrap(
            &format!("{}{}", $crate::trampolines::TRY, $module),
            $name,
            |mut caller: wasmtime::Caller<'_, T>, $($argument: $type),*| {
                if caller.data().abi().has_waited($number) {
                    return Ok($crate::trampolines::WAIT);
                }
                let ($memory, $host) = $crate::link::calling(&mut caller)?;
                let wanted: wasmtime::Result<u64> = $body;
                wanted
            },
        )?;
        $imports.through($module, $name, $crate::trampolines::Trampoline::Try);
    };
}

macro_rules! begins {
    ($imports:ident, $name:literal,
     |$memory:ident, $host:ident $(, $argument:ident: $type:ty)*| $to:expr, $call:expr) => {
        $imports.linker.func_wrap(
            $crate::link::TASKS,
            concat!("[async-lower]", $name),
            |mut caller: wasmtime::Caller<'_, T>, $($argument: $type),*| {
                let ($memory, $host) = $crate::link::calling(&mut caller)?;
                let to = $to;
                let begun = $crate::stackless::begin($host, to, $call)?;
                $crate::stackless::answer($host, $memory, to, begun)
            },
        )?;
        $imports.through(
            $crate::link::TASKS,
            concat!("[async-lower]", $name),
            $crate::trampolines::Trampoline::Begin($crate::stackless::RETURNED as i32),
        );
    };
}

use {begins, can_wait, fast, may_return_list, plain, waiting};

/// The process's memory and state. Traps before the guest has been instantiated.
fn split<'a, T: HostCalls>(caller: &'a mut Caller<'_, T>) -> Result<(&'a mut [u8], &'a mut T)> {
    let Some(memory) = caller.data().abi().memory else {
        bail!("the guest called the host before it was instantiated");
    };
    Ok(memory.data_and_store_mut(caller))
}

/// The same for a call, which a guest may not make at every time: traps while the guest allocates for
/// another one, and after `run` has returned.
fn calling<'a, T: HostCalls>(caller: &'a mut Caller<'_, T>) -> Result<(&'a mut [u8], &'a mut T)> {
    let (memory, host) = split(caller)?;
    let state = host.abi();
    if state.pending.is_some() {
        bail!("the guest called the host while it allocated memory for it");
    }
    if state.result.is_some() && state.tasks.is_none() {
        bail!("the guest called the host after it had returned");
    }
    Ok((memory, host))
}

/// Gives the guest a value: its fixed part at an address that the guest named. Returns what the
/// guest is to allocate first.
#[inline]
pub(crate) fn give<T: HostCalls, V: Lower>(
    host: &mut T,
    memory: &mut [u8],
    address: u32,
    value: V,
) -> Result<u64> {
    if let Some(flat) = value.flat() {
        flat.write(memory, address as usize, V::ALIGN)?;
        return Ok(DONE);
    }
    let mut lowering = Lowering::of(value)?;
    let wanted = lowering.begin(memory, address)?;
    if wanted != DONE {
        host.abi_mut().pending = Some(Box::new(lowering));
    }
    Ok(wanted)
}

/// Writes a value of a type without lists where the guest wants it.
fn put<V: Lower>(memory: &mut [u8], address: u32, value: V) -> Result<()> {
    if let Some(flat) = value.flat() {
        return flat.write(memory, address as usize, V::ALIGN);
    }
    match Lowering::of(value)?.begin(memory, address)? {
        DONE => Ok(()),
        _ => bail!("a list that the guest did not allocate for"),
    }
}
