//! The core module with the guest's own code.

use wasmparser::{CompositeInnerType, ExternalKind, FuncType, Parser, Payload, TypeRef};

use super::Mismatch;
use crate::link::without_patch;

/// A core module, as far as it must be known to be given other imports.
#[derive(Debug, Default)]
pub(crate) struct Module<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) types: Vec<Option<FuncType>>,
    /// The functions that it imports.
    pub(crate) imports: Vec<Import<'a>>,
    /// How many functions it defines.
    pub(crate) defined: u32,
    exports: Vec<(&'a str, ExternalKind, u32)>,
    imports_more_than_functions: bool,
    memories: u32,
    starts: bool,
    has_lines: bool,
}

/// A function that a module imports.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Import<'a> {
    /// The name of its interface as it stands there.
    pub(crate) written: &'a str,
    /// The same, see [`without_patch`].
    pub(crate) from: &'a str,
    pub(crate) name: &'a str,
    /// The number of its type.
    pub(crate) ty: u32,
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

    /// Whether it can be instantiated by itself.
    pub(super) fn check(&self) -> Result<(), Mismatch> {
        if self.imports_more_than_functions {
            return Err("its core module imports more than functions");
        }
        if self.memories != 1 {
            return Err("its core module has not one memory");
        }
        // What it may call then is not what it may call later.
        if self.starts {
            return Err("its core module runs while it is instantiated");
        }
        // Where a trap came from could not be told by line once the module is changed.
        if self.has_lines {
            return Err("it has debug information");
        }
        Ok(())
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
                            self.imports.push(Import {
                                written: import.module,
                                from: without_patch(import.module),
                                name: import.name,
                                ty,
                            });
                        }
                        _ => self.imports_more_than_functions = true,
                    }
                }
            }
            Payload::MemorySection(section) => self.memories += section.count(),
            Payload::StartSection { .. } => self.starts = true,
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
