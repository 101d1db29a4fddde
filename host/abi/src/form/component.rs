//! What a component is made of, with everything traced to where it comes from.
//!
//! Only what `wit-component` makes of one core module is understood. Anything else (components
//! within components, functions made in other ways, a component that starts) makes it a component
//! that is not.

use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind,
    ComponentOuterAliasKind, ComponentTypeRef, Encoding, ExternalKind, Instance, Parser, Payload,
    ValType,
};

use crate::link::built_ins;

/// A component. Its parts refer to each other by their numbers, as in the binary form.
#[derive(Debug, Default)]
pub(super) struct Component<'a> {
    /// The bytes of the core modules.
    pub(super) modules: Vec<&'a [u8]>,
    pub(super) core_instances: Vec<CoreInstance<'a>>,
    pub(super) core_functions: Vec<CoreFunction<'a>>,
    /// Exports of core instances that are not functions, by their kind.
    tables: Vec<CoreExport<'a>>,
    memories: Vec<CoreExport<'a>>,
    globals: Vec<CoreExport<'a>>,
    tags: Vec<CoreExport<'a>>,
    /// Instances, by the name by which they are imported; nothing stands for another one.
    instances: Vec<Option<&'a str>>,
    types: Vec<Option<Item<'a>>>,
    functions: Vec<Function<'a>>,
    /// What it exports as functions.
    pub(super) exports: Vec<(&'a str, u32)>,
}

#[derive(Debug)]
pub(super) enum CoreInstance<'a> {
    /// Of a module, with an instance for each module name that it imports from.
    Of(u32, Vec<(&'a str, u32)>),
    /// Made of exports of others.
    Exports(Vec<(&'a str, ExternalKind, u32)>),
}

/// An export of a core instance.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct CoreExport<'a> {
    pub(super) instance: u32,
    pub(super) name: &'a str,
}

/// An item of an imported instance.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    pub(super) interface: &'a str,
    pub(super) name: &'a str,
}

#[derive(Clone, Debug)]
pub(super) enum CoreFunction<'a> {
    Export(CoreExport<'a>),
    Lower(u32, Options),
    /// Of this resource.
    Drop(Option<Item<'a>>),
    /// A built-in function of the canonical ABI, by the name by which a module imports it, with the
    /// memory that it uses.
    BuiltIn(BuiltIn, Options),
}

/// A built-in function of the canonical ABI that an asynchronous task may import.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct BuiltIn(pub(super) &'static str);

#[derive(Clone, Debug)]
pub(super) enum Function<'a> {
    Imported(Item<'a>),
    Lift(u32, Options),
}

/// How values cross, as a lift or a lower says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) memory: Option<u32>,
    pub(super) realloc: Option<u32>,
    pub(super) post_return: Option<u32>,
    pub(super) is_async: bool,
    pub(super) callback: Option<u32>,
}

/// Where something comes from that a core module imports.
#[derive(Copy, Clone, Debug)]
pub(super) enum Origin<'a> {
    /// A function of an imported instance, lowered.
    Lowered(Item<'a>, &'a Options),
    /// What drops a resource of an imported instance.
    Drop(Item<'a>),
    /// An export of an instance of a core module.
    Export(CoreExport<'a>),
    /// A built-in function of the canonical ABI.
    BuiltIn(BuiltIn, &'a Options),
}

impl<'a> Component<'a> {
    /// Reads a component; `None` if it is not understood.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut component = Self::default();
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.ok()? {
                Payload::Version { encoding, .. } => {
                    depth += 1;
                    match (encoding, depth) {
                        (Encoding::Component, 1) | (Encoding::Module, 2) => {}
                        _ => return None,
                    }
                }
                Payload::End(_) => depth -= 1,
                Payload::ModuleSection {
                    unchecked_range, ..
                } => component.modules.push(bytes.get(unchecked_range)?),
                payload if depth == 1 => component.note(payload)?,
                // Of a module.
                _ => {}
            }
        }
        Some(component)
    }

    fn note(&mut self, payload: Payload<'a>) -> Option<()> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.core_instances.push(core_instance(instance.ok()?));
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.alias(alias.ok()?)?;
                }
            }
            Payload::ComponentTypeSection(section) => {
                let types = section.count() as usize;
                self.types.resize(self.types.len() + types, None);
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    self.canonical(function.ok()?)?;
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import.ok()?;
                    match import.ty {
                        ComponentTypeRef::Instance(_) => {
                            self.instances.push(Some(import.name.name));
                        }
                        ComponentTypeRef::Type(_) => self.types.push(None),
                        _ => return None,
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export.ok()?;
                    match export.kind {
                        ComponentExternalKind::Func => {
                            self.exports.push((export.name.name, export.index));
                            let function = self.function(export.index)?.clone();
                            self.functions.push(function);
                        }
                        ComponentExternalKind::Type => {
                            let ty = *self.types.get(export.index as usize)?;
                            self.types.push(ty);
                        }
                        _ => return None,
                    }
                }
            }
            Payload::CustomSection(_) => {}
            _ => return None,
        }
        Some(())
    }

    fn alias(&mut self, alias: ComponentAlias<'a>) -> Option<()> {
        match alias {
            ComponentAlias::InstanceExport {
                kind,
                instance_index,
                name,
            } => {
                let interface = (*self.instances.get(instance_index as usize)?)?;
                let item = Item { interface, name };
                match kind {
                    ComponentExternalKind::Func => self.functions.push(Function::Imported(item)),
                    ComponentExternalKind::Type => self.types.push(Some(item)),
                    _ => return None,
                }
            }
            ComponentAlias::CoreInstanceExport {
                kind,
                instance_index: instance,
                name,
            } => {
                let export = CoreExport { instance, name };
                match kind {
                    ExternalKind::Func => self.core_functions.push(CoreFunction::Export(export)),
                    ExternalKind::Table => self.tables.push(export),
                    ExternalKind::Memory => self.memories.push(export),
                    ExternalKind::Global => self.globals.push(export),
                    ExternalKind::Tag => self.tags.push(export),
                    ExternalKind::FuncExact => return None,
                }
            }
            ComponentAlias::Outer {
                kind: ComponentOuterAliasKind::Type,
                ..
            } => self.types.push(None),
            ComponentAlias::Outer { .. } => return None,
        }
        Some(())
    }

    fn canonical(&mut self, function: CanonicalFunction) -> Option<()> {
        match function {
            CanonicalFunction::Lift {
                core_func_index,
                options,
                ..
            } => {
                let options = Options::read(&options)?;
                self.functions
                    .push(Function::Lift(core_func_index, options));
            }
            CanonicalFunction::Lower {
                func_index,
                options,
            } => {
                let options = Options::read(&options)?;
                self.core_functions
                    .push(CoreFunction::Lower(func_index, options));
            }
            CanonicalFunction::ResourceDrop { resource } => {
                let item = *self.types.get(resource as usize)?;
                self.core_functions.push(CoreFunction::Drop(item));
            }
            other => {
                let (built_in, options) = built_in(other)?;
                self.core_functions
                    .push(CoreFunction::BuiltIn(built_in, options));
            }
        }
        Some(())
    }

    pub(super) fn function(&self, number: u32) -> Option<&Function<'a>> {
        self.functions.get(number as usize)
    }

    pub(super) fn memory(&self, number: u32) -> Option<CoreExport<'a>> {
        self.memories.get(number as usize).copied()
    }

    /// The export of a core instance that this function is.
    pub(super) fn exported_function(&self, number: u32) -> Option<CoreExport<'a>> {
        match self.core_functions.get(number as usize)? {
            CoreFunction::Export(export) => Some(*export),
            CoreFunction::Lower(..) | CoreFunction::Drop(_) | CoreFunction::BuiltIn(..) => None,
        }
    }

    /// What this instance exports under this name, traced through instances that are made of
    /// exports.
    pub(super) fn export(
        &self,
        instance: u32,
        name: &'a str,
        kind: ExternalKind,
    ) -> Option<Origin<'_>>
    where
        'a: 'a,
    {
        let mut export = CoreExport { instance, name };
        // An instance is made of earlier ones only.
        for _ in 0..=self.core_instances.len() {
            let exports = match self.core_instances.get(export.instance as usize)? {
                CoreInstance::Of(..) => return Some(Origin::Export(export)),
                CoreInstance::Exports(exports) => exports,
            };
            let mut exports = exports.iter();
            let found = exports.find(|(name, found, _)| *name == export.name && *found == kind)?;
            export = match kind {
                ExternalKind::Func => match self.core_functions.get(found.2 as usize)? {
                    CoreFunction::Export(export) => *export,
                    CoreFunction::Lower(function, options) => {
                        return match self.function(*function)? {
                            Function::Imported(item) => Some(Origin::Lowered(*item, options)),
                            Function::Lift(..) => None,
                        };
                    }
                    CoreFunction::Drop(item) => return Some(Origin::Drop((*item)?)),
                    CoreFunction::BuiltIn(built_in, options) => {
                        return Some(Origin::BuiltIn(*built_in, options));
                    }
                },
                ExternalKind::Table => *self.tables.get(found.2 as usize)?,
                ExternalKind::Memory => *self.memories.get(found.2 as usize)?,
                _ => return None,
            };
        }
        None
    }
}

impl Options {
    /// The options of a function of which texts are UTF-8; `None` if it says anything else.
    fn read(options: &[CanonicalOption]) -> Option<Self> {
        let mut read = Self::default();
        for option in options {
            match option {
                CanonicalOption::UTF8 => {}
                CanonicalOption::Memory(memory) => read.memory = Some(*memory),
                CanonicalOption::Realloc(realloc) => read.realloc = Some(*realloc),
                CanonicalOption::PostReturn(function) => read.post_return = Some(*function),
                CanonicalOption::Async => read.is_async = true,
                CanonicalOption::Callback(function) => read.callback = Some(*function),
                _ => return None,
            }
        }
        Some(read)
    }
}

/// A built-in function that the host has for tasks, and how it crosses.
fn built_in(function: CanonicalFunction) -> Option<(BuiltIn, Options)> {
    let mut options = Options::default();
    let name = match function {
        CanonicalFunction::TaskReturn { options: given, .. } => {
            options = Options::read(&given)?;
            built_ins::TASK_RETURN
        }
        CanonicalFunction::TaskCancel => built_ins::TASK_CANCEL,
        CanonicalFunction::WaitableSetNew => built_ins::SET_NEW,
        CanonicalFunction::WaitableSetPoll {
            cancellable: false,
            memory,
        } => {
            options.memory = Some(memory);
            built_ins::SET_POLL
        }
        CanonicalFunction::WaitableSetDrop => built_ins::SET_DROP,
        CanonicalFunction::WaitableJoin => built_ins::JOIN,
        CanonicalFunction::SubtaskDrop => built_ins::SUBTASK_DROP,
        CanonicalFunction::SubtaskCancel { async_: false } => built_ins::SUBTASK_CANCEL,
        CanonicalFunction::SubtaskCancel { async_: true } => built_ins::SUBTASK_CANCEL_ASYNC,
        CanonicalFunction::BackpressureInc => built_ins::BACKPRESSURE_INC,
        CanonicalFunction::BackpressureDec => built_ins::BACKPRESSURE_DEC,
        CanonicalFunction::ThreadYield { cancellable: false } => built_ins::YIELD,
        CanonicalFunction::ContextGet {
            ty: ValType::I32,
            slot,
        } => *built_ins::CONTEXT_GET.get(slot as usize)?,
        CanonicalFunction::ContextSet {
            ty: ValType::I32,
            slot,
        } => *built_ins::CONTEXT_SET.get(slot as usize)?,
        _ => return None,
    };
    Some((BuiltIn(name), options))
}

fn core_instance(instance: Instance<'_>) -> CoreInstance<'_> {
    match instance {
        Instance::Instantiate { module_index, args } => {
            let arguments = args.iter().map(|argument| (argument.name, argument.index));
            CoreInstance::Of(module_index, arguments.collect())
        }
        Instance::FromExports(exports) => {
            let exports = exports.iter();
            let exports = exports.map(|export| (export.name, export.kind, export.index));
            CoreInstance::Exports(exports.collect())
        }
    }
}
