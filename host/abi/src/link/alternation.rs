//! `transputer:csp/alternation`, as core functions. Generated: see `tests/generated`.

use wasmtime::Result;

use super::{Imports, begins, can_wait, give, plain, put};
use crate::HostCalls;
use crate::bindings::transputer::csp::alternation as wit;
use crate::bindings::transputer::csp::channel;
use crate::canonical::{Source, Spilled, no_case};
use crate::handles::resource;
use crate::stackless::Call;

pub(super) const INTERFACE: &str = "transputer:csp/alternation@0.1.0";

/// The functions that block.
pub(super) const BLOCKING: [&str; 2] = ["[method]prepared.wait", "select"];

pub(super) fn link<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    link_functions(imports)?;
    link_prepared(imports)?;
    Ok(())
}

fn link_functions<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    can_wait!(
        imports,
        INTERFACE,
        "select",
        |memory, host, guards: u32, guards_length: u32, order: u32, to: u32| {
            let source = Source::new(memory, host.call_bytes());
            let guards = source.list(guards, guards_length)?;
            let order = match order {
                0 => wit::Order::Fair,
                1 => wit::Order::Priority,
                other => return no_case("order", other),
            };
            let answer = wit::Host::select(host, guards, order).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "select",
        |memory, host, guards: u32, guards_length: u32, order: u32, to: u32| to,
        {
            let source = Source::new(memory, host.call_bytes());
            let guards = source.list(guards, guards_length)?;
            let order = match order {
                0 => wit::Order::Fair,
                1 => wit::Order::Priority,
                other => return no_case("order", other),
            };
            Call::Select { guards, order }
        }
    );
    plain!(
        imports,
        INTERFACE,
        "prepare",
        |memory, host, order: u32, to: u32| {
            let order = match order {
                0 => wit::Order::Fair,
                1 => wit::Order::Priority,
                other => return no_case("order", other),
            };
            let answer = wit::Host::prepare(host, order)?;
            put(memory, to, answer)
        }
    );
    Ok(())
}

fn link_prepared<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    plain!(
        imports,
        INTERFACE,
        "[method]prepared.add-receive",
        |memory, host, this: u32, receiver: u32, to: u32| {
            let this = resource(this)?;
            let receiver = resource(receiver)?;
            let answer = wit::HostPrepared::add_receive(host, this, receiver)?;
            put(memory, to, answer)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]prepared.add-send",
        |memory, host, this: u32, sender: u32, to: u32| {
            let this = resource(this)?;
            let sender = resource(sender)?;
            let answer = wit::HostPrepared::add_send(host, this, sender)?;
            put(memory, to, answer)
        }
    );
    can_wait!(
        imports,
        INTERFACE,
        "[method]prepared.wait",
        |memory,
         host,
         this: u32,
         enabled_some: u32,
         enabled: u32,
         enabled_length: u32,
         offers: u32,
         offers_length: u32,
         patience_case: u32,
         patience_content: u64,
         to: u32| {
            let source = Source::new(memory, host.call_bytes());
            let this = resource(this)?;
            let enabled = match enabled_some {
                0 => None,
                1 => Some(source.list(enabled, enabled_length)?),
                other => return no_case("option", other),
            };
            let offers = source.list(offers, offers_length)?;
            let patience = match patience_case {
                0 => channel::Patience::Forever,
                1 => channel::Patience::Until(patience_content),
                2 => channel::Patience::Never,
                other => return no_case("patience", other),
            };
            let answer = wit::HostPrepared::wait(host, this, enabled, offers, patience).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "choose",
        |memory, host, arguments: u32, to: u32| to,
        {
            let source = Source::new(memory, host.call_bytes());
            let arguments = Spilled::new(memory, arguments, 40, 8)?;
            let this = arguments.u32(0)?;
            let enabled_some = arguments.u8(4)?;
            let enabled = arguments.u32(8)?;
            let enabled_length = arguments.u32(12)?;
            let offers = arguments.u32(16)?;
            let offers_length = arguments.u32(20)?;
            let patience_case = arguments.u8(24)?;
            let patience_content = arguments.u64(32)?;
            let this = resource(this)?;
            let enabled = match enabled_some {
                0 => None,
                1 => Some(source.list(enabled, enabled_length)?),
                other => return no_case("option", other),
            };
            let offers = source.list(offers, offers_length)?;
            let patience = match patience_case {
                0 => channel::Patience::Forever,
                1 => channel::Patience::Until(patience_content),
                2 => channel::Patience::Never,
                other => return no_case("patience", other),
            };
            Call::PreparedWait {
                this,
                enabled,
                offers,
                patience,
            }
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[resource-drop]prepared",
        |_, host, this: u32| wit::HostPrepared::drop(host, resource(this)?)
    );
    Ok(())
}
