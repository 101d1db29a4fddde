//! How a core function of the host's reaches the process and its memory.
//!
//! Four macros link a function: [`plain`] one that returns at once, with at most a number;
//! [`gated`] one that may return lists; [`waits`] one that may wait; and [`tries`] the way to try
//! of one that may wait, which returns [`WAIT`](super::gates::WAIT) if it must, or if trying is
//! probably in vain.

use wasmtime::{Caller, Engine, Linker, Result, bail};

use super::gates::{Gate, Gates, HOST};
use super::lift::{self, Lift, Source};
use super::lower::{DONE, Lower, Lowering};
use crate::process::ProcessState;

/// The imports of core modules, as they are being linked.
pub(super) struct Imports {
    pub(super) linker: Linker<ProcessState>,
    gates: Gates,
}

impl Imports {
    pub(super) fn new(engine: &Engine) -> Self {
        Self {
            linker: Linker::new(engine),
            gates: Gates::new(),
        }
    }

    pub(super) fn into_parts(self) -> (Linker<ProcessState>, Gates) {
        (self.linker, self.gates)
    }

    /// Notes that an import passes through a gate.
    pub(super) fn gate(&mut self, module: &'static str, name: &'static str, gate: Gate) {
        self.gates.insert((module, name), gate);
    }

    /// What the gates call for themselves.
    pub(super) fn link_gates(&mut self) -> Result<()> {
        let linker = &mut self.linker;
        linker.func_wrap(
            HOST,
            "place",
            |mut caller: Caller<'_, ProcessState>, address: u32| {
                let (memory, state) = split(&mut caller)?;
                let Some(mut lowering) = state.direct.pending.take() else {
                    bail!("memory at {address} that nobody asked for");
                };
                let wanted = lowering.place(memory, address)?;
                if wanted != DONE {
                    state.direct.pending = Some(lowering);
                } else if lowering.is_numbers() {
                    state.direct.arguments = Some(lowering);
                }
                Ok(wanted)
            },
        )?;
        linker.func_wrap(HOST, "begin", |mut caller: Caller<'_, ProcessState>| {
            let (_, state) = calling(&mut caller)?;
            let Some(arguments) = &state.direct.arguments else {
                bail!("the guest has its arguments already");
            };
            let wanted = arguments.wanted();
            if wanted != DONE {
                state.direct.pending = state.direct.arguments.take();
            }
            Ok(wanted)
        })?;
        linker.func_wrap(HOST, "arguments", |mut caller: Caller<'_, ProcessState>| {
            let (_, state) = calling(&mut caller)?;
            let arguments = state.direct.arguments.take();
            let fixed = arguments.as_ref().map_or(&[][..], |all| all.fixed());
            let fixed = Source::new(fixed);
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
        linker.func_wrap(
            HOST,
            "finish",
            |mut caller: Caller<'_, ProcessState>, address: u32| {
                let (memory, state) = calling(&mut caller)?;
                let at = address as usize;
                lift::check_aligned(at, 4)?;
                let [case] = lift::array(memory, at)?;
                state.direct.result = Some(match case {
                    0 => Ok(()),
                    1 => Err(String::lift(&Source::new(memory), at + 4)?),
                    _ => return lift::no_case("result", case.into()),
                });
                Ok(())
            },
        )?;
        Ok(())
    }

    /// WASI preview 1, which grants what the process's context does.
    pub(super) fn link_wasi(&mut self) -> Result<()> {
        wasmtime_wasi::p1::add_to_linker_async(&mut self.linker, ProcessState::wasi)
    }
}

macro_rules! plain {
    ($imports:ident, $module:ident, $name:literal,
     |$memory:pat_param, $state:ident $(, $argument:ident: $type:ty)*| $body:expr) => {
        $imports.linker.func_wrap(
            $module,
            $name,
            |mut caller: wasmtime::Caller<'_, crate::process::ProcessState>,
             $($argument: $type),*| {
                let ($memory, $state) = $crate::direct::call::calling(&mut caller)?;
                $body
            },
        )?
    };
}

macro_rules! gated {
    ($imports:ident, $module:ident, $name:literal, $($function:tt)*) => {
        $crate::direct::call::plain!($imports, $module, $name, $($function)*);
        $imports.gate($module, $name, $crate::direct::gates::Gate::Wait);
    };
}

macro_rules! waits {
    ($imports:ident, $module:ident, $name:literal,
     |$memory:pat_param, $state:ident $(, $argument:ident: $type:ty)*| $body:expr) => {
        $imports.linker.func_wrap_async(
            $module,
            $name,
            |mut caller: wasmtime::Caller<'_, crate::process::ProcessState>,
             ($($argument,)*): ($($type,)*)| {
                Box::new(async move {
                    let ($memory, $state) = $crate::direct::call::calling(&mut caller)?;
                    let wanted: wasmtime::Result<u64> = $body;
                    wanted
                })
            },
        )?;
        $imports.gate($module, $name, $crate::direct::gates::Gate::Wait);
    };
}

macro_rules! tries {
    ($imports:ident, $module:ident, $name:literal, unless |$direct:ident| $vain:expr,
     |$memory:pat_param, $state:ident $(, $argument:ident: $type:ty)*| $body:expr) => {
        $imports.linker.func_wrap(
            &format!("{}{}", $crate::direct::gates::TRY, $module),
            $name,
            |mut caller: wasmtime::Caller<'_, crate::process::ProcessState>,
             $($argument: $type),*| {
                let $direct = &caller.data().direct;
                if $vain {
                    return Ok($crate::direct::gates::WAIT);
                }
                let ($memory, $state) = $crate::direct::call::calling(&mut caller)?;
                let wanted: wasmtime::Result<u64> = $body;
                wanted
            },
        )?;
        $imports.gate($module, $name, $crate::direct::gates::Gate::Try);
    };
}

pub(super) use {gated, plain, tries, waits};

/// The process's memory and state. Traps before the guest has been instantiated.
pub(super) fn split<'a>(
    caller: &'a mut Caller<'_, ProcessState>,
) -> Result<(&'a mut [u8], &'a mut ProcessState)> {
    let Some(memory) = caller.data().direct.memory else {
        bail!("the guest called the host before it was instantiated");
    };
    Ok(memory.data_and_store_mut(caller))
}

/// The same for a call that may return lists: traps while the guest allocates for another one.
pub(super) fn calling<'a>(
    caller: &'a mut Caller<'_, ProcessState>,
) -> Result<(&'a mut [u8], &'a mut ProcessState)> {
    let (memory, state) = split(caller)?;
    if state.direct.pending.is_some() {
        bail!("the guest called the host while it allocated memory for it");
    }
    Ok((memory, state))
}

impl ProcessState {
    /// Gives the guest a value: its fixed part at an address that the guest named. Returns what
    /// the guest is to allocate first.
    pub(super) fn give<T: Lower>(
        &mut self,
        memory: &mut [u8],
        address: u32,
        value: T,
    ) -> Result<u64> {
        let mut lowering = Lowering::of(value)?;
        let wanted = lowering.begin(memory, address)?;
        if wanted != DONE {
            self.direct.pending = Some(Box::new(lowering));
        }
        Ok(wanted)
    }
}
