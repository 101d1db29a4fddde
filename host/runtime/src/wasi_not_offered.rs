//! Interfaces of WASI that this host does not offer.
//!
//! Interpreters import whatever their standard library could use, `wasi:http` above all, and most
//! programs never call it. So such an import does not keep a component from running; calling it
//! is a trap that names the function.

use wasmtime::component::types::{ComponentInstance, ComponentItem, ResourceType};
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType as HostType};
use wasmtime::{Engine, Result, bail};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, IoError};

use crate::process::ProcessState;

/// The resources of `wasi:io`, which interfaces that are not offered use, and their types in the host.
fn offered() -> [(&'static str, HostType); 4] {
    [
        ("error", HostType::host::<IoError>()),
        ("input-stream", HostType::host::<DynInputStream>()),
        ("output-stream", HostType::host::<DynOutputStream>()),
        ("pollable", HostType::host::<DynPollable>()),
    ]
}

/// Stands for all resources that are not offered. None of them is ever made.
struct NotOffered;

/// Defines the interface `name` of WASI, whose functions trap.
pub(crate) fn define(
    linker: &mut Linker<ProcessState>,
    engine: &Engine,
    component: &Component,
    name: &str,
) -> Result<()> {
    let imported: Vec<(String, ComponentInstance)> = component
        .component_type()
        .imports(engine)
        .filter_map(|(name, import)| match import.ty {
            ComponentItem::ComponentInstance(interface) => Some((name.to_owned(), interface)),
            _ => None,
        })
        .collect();
    let Some((_, interface)) = imported.iter().find(|(it, _)| it == name) else {
        bail!("`{name}` is not an interface");
    };
    let known = resources_of_io(engine, &imported);
    let mut definitions = linker.instance(name)?;
    for (item, export) in interface.exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(_) => refuse(&mut definitions, name, item)?,
            ComponentItem::Resource(resource) => {
                let known = known.iter().find(|(it, _)| *it == resource);
                let host = known.map_or(HostType::host::<NotOffered>(), |(_, host)| *host);
                definitions.resource(item, host, |_, _| Ok(()))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The resources of `wasi:io` that a component imports, with their types in the host.
fn resources_of_io(
    engine: &Engine,
    imported: &[(String, ComponentInstance)],
) -> Vec<(ResourceType, HostType)> {
    let of_io = imported
        .iter()
        .filter(|(name, _)| name.starts_with("wasi:io/"));
    let exports = of_io.flat_map(|(_, interface)| interface.exports(engine));
    exports
        .filter_map(|(name, export)| {
            let ComponentItem::Resource(resource) = export.ty else {
                return None;
            };
            let (_, host) = offered().into_iter().find(|(it, _)| *it == name)?;
            Some((resource, host))
        })
        .collect()
}

fn refuse(
    definitions: &mut LinkerInstance<'_, ProcessState>,
    interface: &str,
    function: &str,
) -> Result<()> {
    let called = format!("{interface}#{function}");
    definitions.func_new(function, move |_, _, _, _| {
        bail!("it called `{called}`, which this host does not offer")
    })
}
