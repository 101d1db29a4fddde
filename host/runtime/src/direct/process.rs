//! `transputer:csp/process`, and the arguments of `run`, as core functions.

use wasmtime::Result;
use wasmtime::component::Resource;

use super::call::{Imports, gated, plain, waits};
use super::handle::{handle, resource};
use super::lift::{list, list_of_bytes, no_case, patience, text};
use super::lower::DONE;
use super::lower::{List, Lowering};
use crate::bindings::transputer::csp::process::{Host, HostChild, Level};
use crate::message::{Receiver, Sender};
use crate::process::Child;

pub(super) const PROCESS: &str = "transputer:csp/process@0.1.0";

/// What `run` is called with.
pub(crate) struct Ports<'a> {
    pub(crate) arguments: &'a [u8],
    pub(crate) inputs: &'a [(String, Resource<Receiver>)],
    pub(crate) outputs: &'a [(String, Resource<Sender>)],
}

impl Ports<'_> {
    /// As the guest gets it.
    pub(super) fn lowered(&self) -> Result<Box<Lowering>> {
        let inputs = self.inputs.iter();
        let inputs =
            inputs.map(|(name, end)| (name.clone(), Resource::<Receiver>::new_own(end.rep())));
        let outputs = self.outputs.iter();
        let outputs =
            outputs.map(|(name, end)| (name.clone(), Resource::<Sender>::new_own(end.rep())));
        let ports = (List(inputs.collect()), List(outputs.collect()));
        Ok(Box::new(Lowering::of((self.arguments.to_vec(), ports))?))
    }
}

pub(super) fn link(imports: &mut Imports) -> Result<()> {
    gated!(imports, PROCESS, "name", |memory, state, to: u32| {
        let name = Host::name(state)?;
        state.give(memory, to, name)
    });
    plain!(imports, PROCESS, "id", |_, state| Host::id(state));
    plain!(imports, PROCESS, "now", |_, state| Host::now(state));
    waits!(
        imports,
        PROCESS,
        "sleep-until",
        |_, state, deadline: u64| {
            Host::sleep_until(state, deadline).await?;
            Ok(DONE)
        }
    );
    waits!(imports, PROCESS, "yield-now", |_, state| {
        Host::yield_now(state).await?;
        Ok(DONE)
    });
    plain!(
        imports,
        PROCESS,
        "log",
        |memory, state, level: u32, line: u32, length: u32| {
            let level = match level {
                0 => Level::Trace,
                1 => Level::Debug,
                2 => Level::Info,
                3 => Level::Warn,
                4 => Level::Error,
                _ => return no_case("level", level),
            };
            Host::log(state, level, text(memory, line, length)?)
        }
    );
    link_spawn(imports)?;
    link_child(imports)
}

/// What a process is spawned from.
struct Spawning {
    component: String,
    name: Option<String>,
    arguments: Vec<u8>,
    inputs: Vec<(String, Resource<Receiver>)>,
    outputs: Vec<(String, Resource<Sender>)>,
}

/// A list or a text, as it is passed: its address and its length.
type Passed = (u32, u32);

impl Spawning {
    fn lift(
        memory: &[u8],
        component: Passed,
        name: (u32, u32, u32),
        arguments: Passed,
        inputs: Passed,
        outputs: Passed,
    ) -> Result<Self> {
        Ok(Self {
            component: text(memory, component.0, component.1)?,
            name: optional_text(memory, name)?,
            arguments: list_of_bytes(memory, arguments.0, arguments.1)?.to_vec(),
            inputs: list(memory, inputs.0, inputs.1)?,
            outputs: list(memory, outputs.0, outputs.1)?,
        })
    }
}

fn link_spawn(imports: &mut Imports) -> Result<()> {
    waits!(
        imports,
        PROCESS,
        "spawn",
        |memory,
         state,
         component: u32,
         component_length: u32,
         named: u32,
         name: u32,
         name_length: u32,
         arguments: u32,
         arguments_length: u32,
         inputs: u32,
         input_count: u32,
         outputs: u32,
         output_count: u32,
         to: u32| {
            let spawning = Spawning::lift(
                memory,
                (component, component_length),
                (named, name, name_length),
                (arguments, arguments_length),
                (inputs, input_count),
                (outputs, output_count),
            )?;
            let spawned = Host::spawn(
                state,
                spawning.component,
                spawning.name,
                spawning.arguments,
                spawning.inputs,
                spawning.outputs,
            );
            let spawned = spawned.await?;
            state.give(memory, to, spawned)
        }
    );
    waits!(
        imports,
        PROCESS,
        "spawn-patiently",
        |memory,
         state,
         component: u32,
         component_length: u32,
         named: u32,
         name: u32,
         name_length: u32,
         arguments: u32,
         arguments_length: u32,
         inputs: u32,
         input_count: u32,
         outputs: u32,
         output_count: u32,
         case: u32,
         time: u64,
         to: u32| {
            let spawning = Spawning::lift(
                memory,
                (component, component_length),
                (named, name, name_length),
                (arguments, arguments_length),
                (inputs, input_count),
                (outputs, output_count),
            )?;
            let spawned = Host::spawn_patiently(
                state,
                spawning.component,
                spawning.name,
                spawning.arguments,
                spawning.inputs,
                spawning.outputs,
                patience(case, time)?,
            );
            let spawned = spawned.await?;
            state.give(memory, to, spawned)
        }
    );
    Ok(())
}

fn optional_text(memory: &[u8], (some, at, length): (u32, u32, u32)) -> Result<Option<String>> {
    match some {
        0 => Ok(None),
        1 => text(memory, at, length).map(Some),
        _ => no_case("option", some),
    }
}

fn child(handle: u32) -> Result<Resource<Child>> {
    resource(handle)
}

fn link_child(imports: &mut Imports) -> Result<()> {
    gated!(
        imports,
        PROCESS,
        "[method]child.name",
        |memory, state, this: u32, to: u32| {
            let name = HostChild::name(state, child(this)?)?;
            state.give(memory, to, name)
        }
    );
    plain!(
        imports,
        PROCESS,
        "[method]child.id",
        |_, state, this: u32| HostChild::id(state, child(this)?)
    );
    waits!(
        imports,
        PROCESS,
        "[method]child.wait",
        |memory, state, this: u32, case: u32, time: u64, to: u32| {
            let outcome = HostChild::wait(state, child(this)?, patience(case, time)?).await?;
            state.give(memory, to, outcome)
        }
    );
    plain!(
        imports,
        PROCESS,
        "[method]child.kill",
        |memory, state, this: u32, reason: u32, length: u32| {
            HostChild::kill(state, child(this)?, text(memory, reason, length)?)
        }
    );
    plain!(
        imports,
        PROCESS,
        "[method]child.link",
        |_, state, this: u32| HostChild::link(state, child(this)?)
    );
    plain!(
        imports,
        PROCESS,
        "[method]child.monitor",
        |_, state, this: u32| handle(&HostChild::monitor(state, child(this)?)?)
    );
    plain!(
        imports,
        PROCESS,
        "[resource-drop]child",
        |_, state, this: u32| HostChild::drop(state, child(this)?)
    );
    Ok(())
}
