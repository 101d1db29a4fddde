//! The outline of a component with `async` functions: the component without its code, and with every
//! function as a blocking one.
//!
//! The host has each of them as a blocking one as well (`bindings::tasks`). So whether it accepts such an
//! outline is whether it would accept the component, and this needs nothing of the engine's for
//! asynchronous components.

use std::convert::Infallible;

use wasm_encoder::reencode::{self, Reencode, ReencodeComponent};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, CodeSection, ComponentAliasSection,
    ComponentFuncTypeEncoder, ComponentImportSection, ComponentTypeSection, ExportKind,
    ExportSection, Function, FunctionSection, InstanceSection, MemorySection, MemoryType, Module,
    ModuleArg, ModuleSection, RawSection, TypeSection, ValType,
};
use wasmparser::{CanonicalFunction, ComponentAlias, Parser, Payload};

/// The outline of a component that has been validated, if it is of the stackless form.
pub(crate) fn blocking_outline(component: &[u8]) -> Option<Vec<u8>> {
    let mut outline = wasm_encoder::Component::new();
    entry(&mut outline);
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.ok()?;
        match payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            payload if depth == 1 => section(&mut outline, component, payload)?,
            _ => {}
        }
    }
    Some(outline.finish())
}

fn section(
    outline: &mut wasm_encoder::Component,
    component: &[u8],
    payload: Payload<'_>,
) -> Option<()> {
    match payload {
        Payload::ComponentTypeSection(section) => {
            let mut types = ComponentTypeSection::new();
            Blocking
                .parse_component_type_section(&mut types, section)
                .ok()?;
            outline.section(&types);
        }
        Payload::ComponentImportSection(section) => {
            let mut imports = ComponentImportSection::new();
            for import in section {
                let import = import.ok()?;
                let ty = Blocking.component_type_ref(import.ty).ok()?;
                imports.import(import.name.name, ty);
            }
            outline.section(&imports);
        }
        Payload::ComponentAliasSection(section) => {
            let mut aliases = ComponentAliasSection::new();
            for alias in section {
                let alias = alias.ok()?;
                if !matches!(alias, ComponentAlias::CoreInstanceExport { .. }) {
                    aliases.alias(Blocking.component_alias(alias).ok()?);
                }
            }
            outline.section(&aliases);
        }
        Payload::ComponentCanonicalSection(section) => {
            let mut functions = CanonicalFunctionSection::new();
            for function in section {
                if let CanonicalFunction::Lift { type_index, .. } = function.ok()? {
                    let options = [
                        CanonicalOption::UTF8,
                        CanonicalOption::Memory(0),
                        CanonicalOption::Realloc(REALLOC),
                    ];
                    functions.lift(RUN, type_index, options);
                }
            }
            outline.section(&functions);
        }
        Payload::ComponentExportSection(section) => {
            let id = wasm_encoder::ComponentSectionId::Export.into();
            let data = component.get(section.range())?;
            outline.section(&RawSection { id, data });
        }
        // What is inside of the component, and what only that needs.
        _ => {}
    }
    Some(())
}

/// The functions that the outline lifts, as core functions.
const RUN: u32 = 0;
const REALLOC: u32 = 1;

/// A module whose functions trap, where a blocking component has its own.
fn entry(outline: &mut wasm_encoder::Component) {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 6], [ValType::I32]);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    let mut functions = FunctionSection::new();
    functions.function(0).function(1);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 0,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let names = [
        ("run", ExportKind::Func),
        ("realloc", ExportKind::Func),
        ("memory", ExportKind::Memory),
    ];
    let mut exports = ExportSection::new();
    exports.export("run", ExportKind::Func, RUN);
    exports.export("realloc", ExportKind::Func, REALLOC);
    exports.export("memory", ExportKind::Memory, 0);
    let mut code = CodeSection::new();
    for _ in [RUN, REALLOC] {
        let mut body = Function::new([]);
        body.instructions().unreachable().end();
        code.function(&body);
    }
    let mut module = Module::new();
    module
        .section(&types)
        .section(&functions)
        .section(&memories);
    module.section(&exports).section(&code);
    outline.section(&ModuleSection(&module));
    let mut instances = InstanceSection::new();
    instances.instantiate(0, [] as [(&str, ModuleArg); 0]);
    outline.section(&instances);
    let mut aliases = ComponentAliasSection::new();
    for (name, kind) in names {
        aliases.alias(Alias::CoreInstanceExport {
            instance: 0,
            kind,
            name,
        });
    }
    outline.section(&aliases);
}

/// Makes every function a blocking one.
struct Blocking;

impl Reencode for Blocking {
    type Error = Infallible;
}

impl ReencodeComponent for Blocking {
    fn parse_component_func_type(
        &mut self,
        function: ComponentFuncTypeEncoder<'_>,
        mut ty: wasmparser::ComponentFuncType<'_>,
    ) -> Result<(), reencode::Error> {
        ty.async_ = false;
        reencode::component_utils::parse_component_func_type(self, function, ty)
    }
}
