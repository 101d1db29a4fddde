//! `transputer:csp/process`, as core functions. Generated: see `tests/generated`.

use wasmtime::Result;

use super::{Imports, begins, can_wait, give, may_return_list, plain};
use crate::HostCalls;
use crate::bindings::transputer::csp::channel;
use crate::bindings::transputer::csp::process as wit;
use crate::canonical::{DONE, Source, Spilled, no_case};
use crate::handles::{handle, resource};
use crate::stackless::Call;

pub(super) const INTERFACE: &str = "transputer:csp/process@0.1.0";

/// The functions that block.
pub(super) const BLOCKING: [&str; 6] = [
    "[method]child.kill",
    "[method]child.wait",
    "sleep-until",
    "spawn",
    "spawn-patiently",
    "yield-now",
];

pub(super) fn link<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    link_functions(imports)?;
    link_child(imports)?;
    Ok(())
}

fn link_functions<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    may_return_list!(imports, INTERFACE, "name", |memory, host, to: u32| {
        let answer = wit::Host::name(host)?;
        give(host, memory, to, answer)
    });
    plain!(imports, INTERFACE, "id", |_, host| wit::Host::id(host,));
    can_wait!(
        imports,
        INTERFACE,
        "spawn",
        |memory,
         host,
         component: u32,
         component_length: u32,
         name_some: u32,
         name: u32,
         name_length: u32,
         args: u32,
         args_length: u32,
         inputs: u32,
         inputs_length: u32,
         outputs: u32,
         outputs_length: u32,
         to: u32| {
            let source = Source::new(memory, host.call_bytes());
            let component = source.text(component, component_length)?;
            let name = match name_some {
                0 => None,
                1 => Some(source.text(name, name_length)?),
                other => return no_case("option", other),
            };
            let args = source.bytes(args, args_length)?;
            let inputs = source.list(inputs, inputs_length)?;
            let outputs = source.list(outputs, outputs_length)?;
            let answer = wit::Host::spawn(host, component, name, args, inputs, outputs).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "spawn",
        |memory, host, arguments: u32, to: u32| to,
        {
            let source = Source::new(memory, host.call_bytes());
            let arguments = Spilled::new(memory, arguments, 44, 4)?;
            let component = arguments.u32(0)?;
            let component_length = arguments.u32(4)?;
            let name_some = arguments.u8(8)?;
            let name = arguments.u32(12)?;
            let name_length = arguments.u32(16)?;
            let args = arguments.u32(20)?;
            let args_length = arguments.u32(24)?;
            let inputs = arguments.u32(28)?;
            let inputs_length = arguments.u32(32)?;
            let outputs = arguments.u32(36)?;
            let outputs_length = arguments.u32(40)?;
            let component = source.text(component, component_length)?;
            let name = match name_some {
                0 => None,
                1 => Some(source.text(name, name_length)?),
                other => return no_case("option", other),
            };
            let args = source.bytes(args, args_length)?;
            let inputs = source.list(inputs, inputs_length)?;
            let outputs = source.list(outputs, outputs_length)?;
            Call::Spawn {
                component,
                name,
                args,
                inputs,
                outputs,
            }
        }
    );
    can_wait!(
        imports,
        INTERFACE,
        "spawn-patiently",
        |memory,
         host,
         component: u32,
         component_length: u32,
         name_some: u32,
         name: u32,
         name_length: u32,
         args: u32,
         args_length: u32,
         inputs: u32,
         inputs_length: u32,
         outputs: u32,
         outputs_length: u32,
         patience_case: u32,
         patience_content: u64,
         to: u32| {
            let source = Source::new(memory, host.call_bytes());
            let component = source.text(component, component_length)?;
            let name = match name_some {
                0 => None,
                1 => Some(source.text(name, name_length)?),
                other => return no_case("option", other),
            };
            let args = source.bytes(args, args_length)?;
            let inputs = source.list(inputs, inputs_length)?;
            let outputs = source.list(outputs, outputs_length)?;
            let patience = match patience_case {
                0 => channel::Patience::Forever,
                1 => channel::Patience::Until(patience_content),
                2 => channel::Patience::Never,
                other => return no_case("patience", other),
            };
            let answer =
                wit::Host::spawn_patiently(host, component, name, args, inputs, outputs, patience)
                    .await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "spawn-patiently",
        |memory, host, arguments: u32, to: u32| to,
        {
            let source = Source::new(memory, host.call_bytes());
            let arguments = Spilled::new(memory, arguments, 64, 8)?;
            let component = arguments.u32(0)?;
            let component_length = arguments.u32(4)?;
            let name_some = arguments.u8(8)?;
            let name = arguments.u32(12)?;
            let name_length = arguments.u32(16)?;
            let args = arguments.u32(20)?;
            let args_length = arguments.u32(24)?;
            let inputs = arguments.u32(28)?;
            let inputs_length = arguments.u32(32)?;
            let outputs = arguments.u32(36)?;
            let outputs_length = arguments.u32(40)?;
            let patience_case = arguments.u8(48)?;
            let patience_content = arguments.u64(56)?;
            let component = source.text(component, component_length)?;
            let name = match name_some {
                0 => None,
                1 => Some(source.text(name, name_length)?),
                other => return no_case("option", other),
            };
            let args = source.bytes(args, args_length)?;
            let inputs = source.list(inputs, inputs_length)?;
            let outputs = source.list(outputs, outputs_length)?;
            let patience = match patience_case {
                0 => channel::Patience::Forever,
                1 => channel::Patience::Until(patience_content),
                2 => channel::Patience::Never,
                other => return no_case("patience", other),
            };
            Call::SpawnPatiently {
                component,
                name,
                args,
                inputs,
                outputs,
                patience,
            }
        }
    );
    plain!(imports, INTERFACE, "now", |_, host| wit::Host::now(host,));
    can_wait!(
        imports,
        INTERFACE,
        "sleep-until",
        |_, host, deadline: u64| {
            wit::Host::sleep_until(host, deadline).await?;
            Ok(DONE)
        }
    );
    begins!(
        imports,
        "sleep-until",
        |memory, host, deadline: u64| 0,
        Call::SleepUntil { deadline }
    );
    can_wait!(imports, INTERFACE, "yield-now", |_, host| {
        wit::Host::yield_now(host).await?;
        Ok(DONE)
    });
    begins!(imports, "yield-now", |memory, host| 0, Call::YieldNow);
    plain!(
        imports,
        INTERFACE,
        "log",
        |memory, host, level: u32, line: u32, line_length: u32| {
            let source = Source::new(memory, host.call_bytes());
            let level = match level {
                0 => wit::Level::Trace,
                1 => wit::Level::Debug,
                2 => wit::Level::Info,
                3 => wit::Level::Warn,
                4 => wit::Level::Error,
                other => return no_case("level", other),
            };
            let line = source.text(line, line_length)?;
            wit::Host::log(host, level, line)
        }
    );
    Ok(())
}

fn link_child<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    may_return_list!(
        imports,
        INTERFACE,
        "[method]child.name",
        |memory, host, this: u32, to: u32| {
            let this = resource(this)?;
            let answer = wit::HostChild::name(host, this)?;
            give(host, memory, to, answer)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]child.id",
        |_, host, this: u32| {
            let this = resource(this)?;
            wit::HostChild::id(host, this)
        }
    );
    can_wait!(
        imports,
        INTERFACE,
        "[method]child.wait",
        |memory, host, this: u32, patience_case: u32, patience_content: u64, to: u32| {
            let this = resource(this)?;
            let patience = match patience_case {
                0 => channel::Patience::Forever,
                1 => channel::Patience::Until(patience_content),
                2 => channel::Patience::Never,
                other => return no_case("patience", other),
            };
            let answer = wit::HostChild::wait(host, this, patience).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "wait",
        |memory, host, this: u32, patience_case: u32, patience_content: u64, to: u32| to,
        {
            let this = resource(this)?;
            let patience = match patience_case {
                0 => channel::Patience::Forever,
                1 => channel::Patience::Until(patience_content),
                2 => channel::Patience::Never,
                other => return no_case("patience", other),
            };
            Call::ChildWait { this, patience }
        }
    );
    can_wait!(
        imports,
        INTERFACE,
        "[method]child.kill",
        |memory, host, this: u32, reason: u32, reason_length: u32| {
            let source = Source::new(memory, host.call_bytes());
            let this = resource(this)?;
            let reason = source.text(reason, reason_length)?;
            wit::HostChild::kill(host, this, reason).await?;
            Ok(DONE)
        }
    );
    begins!(
        imports,
        "kill",
        |memory, host, this: u32, reason: u32, reason_length: u32| 0,
        {
            let source = Source::new(memory, host.call_bytes());
            let this = resource(this)?;
            let reason = source.text(reason, reason_length)?;
            Call::ChildKill { this, reason }
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]child.link",
        |_, host, this: u32| {
            let this = resource(this)?;
            wit::HostChild::link(host, this)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]child.monitor",
        |_, host, this: u32| {
            let this = resource(this)?;
            handle(&wit::HostChild::monitor(host, this)?)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[resource-drop]child",
        |_, host, this: u32| wit::HostChild::drop(host, resource(this)?)
    );
    Ok(())
}
