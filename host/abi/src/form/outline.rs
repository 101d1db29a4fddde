//! A component without its code: the same imports, exports and types, so that a host accepts it or
//! not as it would the whole, at a fraction of the time to compile.

use wasm_encoder::{
    CodeSection, ComponentSectionId, ExportKind, ExportSection, Function, FunctionSection,
    ModuleSection, RawSection, SectionId,
};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// The outline of a component that has been validated.
pub(crate) fn outline(component: &[u8]) -> Option<Vec<u8>> {
    let mut outline = wasm_encoder::Component::new();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.ok()?;
        match payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            // What is in a module comes after it, one level down.
            Payload::ModuleSection {
                unchecked_range, ..
            } => {
                let module = module(component.get(unchecked_range)?)?;
                outline.section(&ModuleSection(&module));
            }
            payload if depth == 1 => {
                if let Some((id, range)) = payload.as_section()
                    && id != u8::from(ComponentSectionId::CoreCustom)
                {
                    let data = component.get(range)?;
                    outline.section(&RawSection { id, data });
                }
            }
            _ => {}
        }
    }
    Some(outline.finish())
}

/// A module with the same imports and exports, of which every function traps.
fn module(bytes: &[u8]) -> Option<wasm_encoder::Module> {
    let mut kept = Vec::new();
    // The types of all functions, of which the imported ones come first.
    let mut types = Vec::new();
    let mut imported = 0;
    let mut exports = ExportSection::new();
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.ok()?;
        match &payload {
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    if let TypeRef::Func(ty) = import.ok()?.ty {
                        types.push(ty);
                        imported += 1;
                    }
                }
                kept.push(payload.as_section()?);
            }
            Payload::TypeSection(_)
            | Payload::TableSection(_)
            | Payload::MemorySection(_)
            | Payload::TagSection(_)
            | Payload::GlobalSection(_) => kept.push(payload.as_section()?),
            Payload::FunctionSection(section) => {
                for ty in section.clone() {
                    types.push(ty.ok()?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    let export = export.ok()?;
                    let kind = match export.kind {
                        ExternalKind::Func => {
                            let number = imported + functions.len();
                            functions.function(*types.get(export.index as usize)?);
                            let mut body = Function::new([]);
                            body.instructions().unreachable().end();
                            code.function(&body);
                            exports.export(export.name, ExportKind::Func, number);
                            continue;
                        }
                        ExternalKind::Table => ExportKind::Table,
                        ExternalKind::Memory => ExportKind::Memory,
                        ExternalKind::Global => ExportKind::Global,
                        ExternalKind::Tag => ExportKind::Tag,
                        ExternalKind::FuncExact => return None,
                    };
                    exports.export(export.name, kind, export.index);
                }
            }
            _ => {}
        }
    }
    let mut outline = wasm_encoder::Module::new();
    let functions_follow = u8::from(SectionId::Function);
    let (before, behind): (Vec<_>, Vec<_>) =
        kept.into_iter().partition(|it| it.0 < functions_follow);
    for (id, range) in before {
        let data = bytes.get(range)?;
        outline.section(&RawSection { id, data });
    }
    outline.section(&functions);
    for (id, range) in behind {
        let data = bytes.get(range)?;
        outline.section(&RawSection { id, data });
    }
    outline.section(&exports).section(&code);
    Some(outline)
}
