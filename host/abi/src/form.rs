//! Finds the core module with the guest's own code in a component.
//!
//! `wit-component`, with which every toolchain for Rust and C ends, puts around that module only
//! what the component model needs: an adapter from WASI preview 1, a table of the imports, a module
//! that fills it. None of these has a memory of its own, so where only one module has, that module
//! can be instantiated by itself. What it may do is decided by the imports that it gets, so that a
//! component that only looks the part gains nothing by it; a module that imports from another one
//! of its component does not find that among the host's, and goes the other way.

use wasmparser::{
    ComponentExternalKind, CompositeInnerType, Encoding, ExternalKind, FuncType, Parser, Payload,
    TypeRef,
};

use crate::link::without_patch;

/// Which modules are found to be of the form: to be raised with every change of that, so that
/// compiled code of another choice is not taken from a cache.
pub(crate) const VERSION: u32 = 1;

/// A core module, as far as it must be known to be given other imports.
#[derive(Debug, Default)]
pub(crate) struct Module<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) types: Vec<Option<FuncType>>,
    /// The functions that it imports: module (see [`without_patch`]), name, and number of the
    /// type.
    pub(crate) imports: Vec<(&'a str, &'a str, u32)>,
    /// How many functions it defines.
    pub(crate) defined: u32,
    exports: Vec<(&'a str, ExternalKind, u32)>,
    imports_more_than_functions: bool,
    has_memory: bool,
    has_lines: bool,
}

/// The one module of a component that has a memory, if there is no other, and if the component
/// exports what a process does.
pub(crate) fn find(component: &[u8]) -> Option<Module<'_>> {
    let mut own = None;
    let mut has_run = false;
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload.ok()? {
            Payload::Version { encoding, .. } => {
                depth += 1;
                match (encoding, depth) {
                    (Encoding::Component, 1) | (Encoding::Module, 2) => {}
                    // A component within the component.
                    _ => return None,
                }
            }
            Payload::End(_) => depth -= 1,
            Payload::ModuleSection {
                unchecked_range, ..
            } => {
                let module = Module::read(component.get(unchecked_range)?)?;
                if module.has_memory && own.replace(module).is_some() {
                    return None;
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export.ok()?;
                    let is_function = export.kind == ComponentExternalKind::Func;
                    has_run |= export.name.name == "run" && is_function;
                }
            }
            _ => {}
        }
    }
    // Where a trap came from could not be told by line once the module is changed.
    own.filter(|module| has_run && !module.has_lines && !module.imports_more_than_functions)
}

impl<'a> Module<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut module = Module {
            bytes,
            ..Self::default()
        };
        for payload in Parser::new(0).parse_all(bytes) {
            module.note(payload.ok()?)?;
        }
        Some(module)
    }

    fn note(&mut self, payload: Payload<'a>) -> Option<()> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    for sub_type in group.ok()?.into_types() {
                        self.types.push(match sub_type.composite_type.inner {
                            CompositeInnerType::Func(function) => Some(function),
                            _ => None,
                        });
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.ok()?;
                    match import.ty {
                        TypeRef::Func(ty) => {
                            let from = without_patch(import.module);
                            self.imports.push((from, import.name, ty));
                        }
                        _ => self.imports_more_than_functions = true,
                    }
                }
            }
            Payload::MemorySection(_) => self.has_memory = true,
            Payload::FunctionSection(section) => self.defined = section.count(),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.ok()?;
                    self.exports.push((export.name, export.kind, export.index));
                }
            }
            Payload::CustomSection(section) => {
                self.has_lines |= section.name().starts_with(".debug_");
            }
            _ => {}
        }
        Some(())
    }

    /// The number of the function that it exports under this name.
    pub(crate) fn function(&self, name: &str) -> Option<u32> {
        self.exported(name, ExternalKind::Func)
    }

    pub(crate) fn exports_memory(&self, name: &str) -> bool {
        self.exported(name, ExternalKind::Memory).is_some()
    }

    fn exported(&self, name: &str, kind: ExternalKind) -> Option<u32> {
        let mut exports = self.exports.iter();
        let export = exports.find(|export| export.0 == name && export.1 == kind)?;
        Some(export.2)
    }
}
