//! `transputer:csp/alternation`, as core functions.

use wasmtime::Result;
use wasmtime::component::Resource;

use super::call::{Imports, gated, plain, waits};
use super::handle::resource;
use super::lift::{list, no_case, order, patience};
use crate::bindings::transputer::csp::alternation::{Host, HostPrepared};
use crate::process::Prepared;

pub(super) const ALTERNATION: &str = "transputer:csp/alternation@0.1.0";

pub(super) fn link(imports: &mut Imports) -> Result<()> {
    waits!(
        imports,
        ALTERNATION,
        "select",
        |memory, state, guards: u32, count: u32, case: u32, to: u32| {
            let guards = list(memory, guards, count)?;
            let answer = Host::select(state, guards, order(case)?).await?;
            state.give(memory, to, answer)
        }
    );
    gated!(
        imports,
        ALTERNATION,
        "prepare",
        |memory, state, case: u32, to: u32| {
            let prepared = Host::prepare(state, order(case)?)?;
            state.give(memory, to, prepared)
        }
    );
    gated!(
        imports,
        ALTERNATION,
        "[method]prepared.add-receive",
        |memory, state, this: u32, receiver: u32, to: u32| {
            let receiver = resource(receiver)?;
            let answer = HostPrepared::add_receive(state, prepared(this)?, receiver)?;
            state.give(memory, to, answer)
        }
    );
    gated!(
        imports,
        ALTERNATION,
        "[method]prepared.add-send",
        |memory, state, this: u32, sender: u32, to: u32| {
            let sender = resource(sender)?;
            let answer = HostPrepared::add_send(state, prepared(this)?, sender)?;
            state.give(memory, to, answer)
        }
    );
    waits!(
        imports,
        ALTERNATION,
        "[method]prepared.wait",
        |memory,
         state,
         this: u32,
         some: u32,
         enabled: u32,
         enabled_count: u32,
         offers: u32,
         offer_count: u32,
         case: u32,
         time: u64,
         to: u32| {
            let enabled = match some {
                0 => None,
                1 => Some(list(memory, enabled, enabled_count)?),
                _ => return no_case("option", some),
            };
            let offers = list(memory, offers, offer_count)?;
            let patience = patience(case, time)?;
            let answer =
                HostPrepared::wait(state, prepared(this)?, enabled, offers, patience).await?;
            state.give(memory, to, answer)
        }
    );
    plain!(
        imports,
        ALTERNATION,
        "[resource-drop]prepared",
        |_, state, this: u32| HostPrepared::drop(state, prepared(this)?)
    );
    Ok(())
}

fn prepared(handle: u32) -> Result<Resource<Prepared>> {
    resource(handle)
}
