//! Finds the core module with the guest's own code in a component, if nothing else in it matters.
//!
//! `wit-component`, with which every toolchain for Rust and C ends, puts around that module only
//! what the component model needs: an adapter from WASI preview 1, and a few small modules that join
//! imports (`glue`). Where all of it is exactly that, the module can be instantiated by itself, with
//! the host's functions in place of the rest. That is to say:
//!
//! - The component's only function is `run`, lifted from the module's `run`. Texts are UTF-8; memory,
//!   allocation and what follows a return are the module's `memory`, `cabi_realloc` and
//!   `cabi_post_run`. If it is an `async` function, it is in the callback form, lifted from the module's
//!   `[async-lift]run` and `[callback][async-lift]run`.
//! - Each import of the module is the function of that name of the interface of that name, lowered
//!   with the same options, or what drops the resource of that name; or the export of that name of the
//!   adapter, if it is one of preview 1 that the host has (`link::preview1`). With an `async` `run` it
//!   may be lowered asynchronously, or be a built-in function that tasks need (`link::built_ins`).
//! - There is no other instance, and nothing that runs while the module is instantiated but
//!   `_initialize`.
//!
//! The adapter's own code is the one thing that is taken on trust: it has no identity that could be
//! checked, since `wit-component` leaves out what is not used. It can be given nothing here that the
//! process is not granted.

mod blocking;
mod component;
mod glue;
mod module;
mod outline;

use wasmparser::{CanonicalFunction, CanonicalOption, ExternalKind, Parser, Payload};

use crate::link::{built_ins, is_preview1, without_patch};
pub(crate) use blocking::blocking_outline;
use component::{Component, CoreExport, CoreInstance, Function, Item, Origin};
use glue::{Fixup, Shim};
pub(crate) use module::{Import, Module};
pub(crate) use outline::outline;

/// Which modules are found to be of the form: to be raised with every change of that, so that
/// compiled code of another choice is not taken from a cache.
pub(crate) const VERSION: u32 = 3;

/// What a module of C's calls its constructors.
pub(crate) const INITIALIZE: &str = "_initialize";

/// Why a component must be instantiated as a whole.
pub(crate) type Mismatch = &'static str;

/// How a process is entered, and how it waits.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One call of `run`, suspended where it waits.
    Fiber,
    /// `run` returns where it has to wait, and goes on in calls of its callback.
    Stackless,
}

impl Form {
    /// The name by which the module exports `run`.
    pub(crate) fn run(self) -> &'static str {
        match self {
            Self::Fiber => "run",
            Self::Stackless => "[async-lift]run",
        }
    }
}

/// What a stackless module calls its callback.
pub(crate) const CALLBACK: &str = "[callback][async-lift]run";

/// In front of the name of an import that is lowered asynchronously.
pub(crate) const LOWERED: &str = "[async-lower]";

/// Whether a function of this component is lifted asynchronously.
pub(crate) fn is_async(bytes: &[u8]) -> bool {
    let mut payloads = Parser::new(0).parse_all(bytes).map_while(Result::ok);
    payloads.any(|payload| match payload {
        Payload::ComponentCanonicalSection(section) => section.into_iter().any(|function| {
            matches!(function, Ok(CanonicalFunction::Lift { options, .. })
                if options.contains(&CanonicalOption::Async))
        }),
        _ => false,
    })
}

/// A core module that can be run by itself.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) module: Module<'a>,
    pub(crate) form: Form,
}

/// The core module of a component, if that is of the form.
///
/// # Errors
/// What is different, in a few words.
pub(crate) fn find(bytes: &[u8]) -> Result<Found<'_>, Mismatch> {
    let component = Component::read(bytes).ok_or("it has parts of another kind")?;
    let run = Lifted::find(&component)?;
    let CoreInstance::Of(number, _) = &component.core_instances[run.instance as usize] else {
        return Err("`run` is not a function of a module");
    };
    let module = component.modules.get(*number as usize);
    let module = module.and_then(|bytes| Module::read(bytes));
    let module = module.ok_or("its core module cannot be read")?;
    module.check()?;
    if run.has_post_return != module.function("cabi_post_run").is_some() {
        return Err("what follows the return of `run` is another function");
    }
    let joined = Joined::find(&component, &run)?;
    joined.check_imports(&module)?;
    if joined.is_started != module.function(INITIALIZE).is_some() {
        return Err("its constructors are not called as usual");
    }
    Ok(Found {
        module,
        form: run.form,
    })
}

/// The instance whose `run` is lifted.
struct Lifted {
    instance: u32,
    form: Form,
    has_post_return: bool,
}

impl Lifted {
    fn find(component: &Component<'_>) -> Result<Self, Mismatch> {
        let [("run", function)] = &*component.exports else {
            return Err("`run` is not its only function");
        };
        let Some(Function::Lift(function, options)) = component.function(*function) else {
            return Err("`run` is not the module's own function");
        };
        let exported = |function| component.exported_function(function);
        let form = match options.is_async {
            true => Form::Stackless,
            false => Form::Fiber,
        };
        let run = exported(*function).filter(|run| run.name == form.run());
        let instance = run.ok_or("`run` is another function")?.instance;
        let own = |name| CoreExport { instance, name };
        let memory = options.memory.and_then(|memory| component.memory(memory));
        if memory != Some(own("memory")) {
            return Err("`run` has another memory");
        }
        if options.realloc.and_then(exported) != Some(own("cabi_realloc")) {
            return Err("`run` allocates in another way");
        }
        let callback = options.callback.map(exported);
        let wanted = (form == Form::Stackless).then(|| Some(own(CALLBACK)));
        if callback != wanted {
            return Err("`run` is not called back as usual");
        }
        let has_post_return = options.post_return.is_some();
        if has_post_return && options.post_return.and_then(exported) != Some(own("cabi_post_run")) {
            return Err("what follows the return of `run` is another function");
        }
        Ok(Self {
            instance,
            form,
            has_post_return,
        })
    }
}

/// How the instances of a component are joined.
struct Joined<'c, 'a> {
    component: &'c Component<'a>,
    /// The instance of the guest's module.
    own: u32,
    form: Form,
    shim: Option<(u32, Shim<'a>)>,
    fixup: Option<(u32, Fixup<'a>)>,
    adapter: Option<u32>,
    /// Whether the guest's constructors are called.
    is_started: bool,
}

impl<'c, 'a> Joined<'c, 'a> {
    /// Sorts the instances, of which each must be one of the known kinds.
    fn find(component: &'c Component<'a>, run: &Lifted) -> Result<Self, Mismatch> {
        let own = run.instance;
        let mut joined = Self {
            component,
            own,
            form: run.form,
            shim: None,
            fixup: None,
            adapter: None,
            is_started: false,
        };
        for (number, instance) in (0..).zip(&component.core_instances) {
            let CoreInstance::Of(module, arguments) = instance else {
                continue;
            };
            let bytes = *component.modules.get(*module as usize).ok_or(ANOTHER)?;
            if number == own {
            } else if arguments.is_empty() && joined.shim.is_none() {
                joined.shim = Some((number, Shim::read(bytes).ok_or(ANOTHER)?));
            } else if let Some(fixup) = Fixup::read(bytes)
                && joined.fixup.is_none()
                && let [("", from)] = **arguments
            {
                joined.fixup = Some((from, fixup));
            } else if let Some(started) = glue::starter(bytes) {
                joined.start(started, arguments)?;
            } else if joined.adapter.replace(number).is_some() {
                return Err(ANOTHER);
            }
        }
        joined.check_table()?;
        if let Some(adapter) = joined.adapter {
            joined.check_adapter(adapter)?;
        }
        Ok(joined)
    }

    /// The guest's constructors are called once everything is joined.
    fn start(&mut self, from: (&str, &str), arguments: &[(&'a str, u32)]) -> Result<(), Mismatch> {
        let argument = arguments.iter().find(|(name, _)| *name == from.0);
        let &(_, instance) = argument.ok_or(ANOTHER)?;
        let exports = self.component.core_instances.get(instance as usize);
        let Some(CoreInstance::Exports(exports)) = exports else {
            return Err(ANOTHER);
        };
        let mut exports = exports.iter();
        let export = exports.find(|(name, kind, _)| *name == from.1 && *kind == ExternalKind::Func);
        let function = export.and_then(|it| self.component.exported_function(it.2));
        if function != Some(self.own_export(INITIALIZE)) || self.is_started {
            return Err("something else is called when it is instantiated");
        }
        if self.shim.is_some() && self.fixup.is_none() {
            return Err("its constructors are called too early");
        }
        self.is_started = true;
        Ok(())
    }

    fn own_export(&self, name: &'a str) -> CoreExport<'a> {
        CoreExport {
            instance: self.own,
            name,
        }
    }

    /// The table that the fixup fills is that of the shim.
    fn check_table(&self) -> Result<(), Mismatch> {
        let (Some((shim, of_shim)), Some((from, fixup))) = (&self.shim, &self.fixup) else {
            return match (&self.shim, &self.fixup) {
                (None, None) => Ok(()),
                _ => Err("its imports are not joined"),
            };
        };
        let table = self
            .component
            .export(*from, fixup.table, ExternalKind::Table);
        match table {
            Some(Origin::Export(export))
                if export.instance == *shim && export.name == of_shim.table =>
            {
                Ok(())
            }
            _ => Err("its imports are joined through another table"),
        }
    }

    /// Where a function comes from that an instance exports, past the shim.
    fn origin(&self, instance: u32, name: &'a str) -> Option<Origin<'_>> {
        let origin = self.component.export(instance, name, ExternalKind::Func)?;
        let (Origin::Export(export), Some((number, shim))) = (origin, &self.shim) else {
            return Some(origin);
        };
        if export.instance != *number {
            return Some(origin);
        }
        let (from, fixup) = self.fixup.as_ref()?;
        let entry = shim.entry(export.name)?;
        let name = fixup.functions.get(entry as usize)?;
        self.component.export(*from, name, ExternalKind::Func)
    }

    /// Every import of the guest's module is what it is called.
    fn check_imports(&self, module: &Module<'a>) -> Result<(), Mismatch> {
        let CoreInstance::Of(_, arguments) = &self.component.core_instances[self.own as usize]
        else {
            return Err(ANOTHER);
        };
        for &Import { written, name, .. } in &module.imports {
            let argument = arguments.iter().find(|(argument, _)| *argument == written);
            let origin = argument.and_then(|(_, instance)| self.origin(*instance, name));
            let origin = origin.ok_or(IMPORT)?;
            self.check_import(origin, written, name, self.own_export("cabi_realloc"))?;
        }
        Ok(())
    }

    fn check_import(
        &self,
        origin: Origin<'_>,
        from: &str,
        name: &str,
        realloc: CoreExport<'_>,
    ) -> Result<(), Mismatch> {
        let of_interface = |item: Item<'_>| without_patch(item.interface) == without_patch(from);
        if let Origin::Lowered(_, options) | Origin::BuiltIn(_, options) = origin {
            let memory = options.memory.map(|memory| self.component.memory(memory));
            if memory.is_some_and(|memory| memory != Some(self.own_export("memory"))) {
                return Err("an import has another memory");
            }
        }
        let is_called_so = match origin {
            Origin::Lowered(item, options) => {
                let allocates = options
                    .realloc
                    .map(|it| self.component.exported_function(it));
                if allocates.is_some_and(|it| it != Some(realloc)) {
                    return Err("an import allocates in another way");
                }
                let function = match options.is_async && self.form == Form::Stackless {
                    true => name.strip_prefix(LOWERED),
                    false => (!options.is_async).then_some(name),
                };
                of_interface(item) && function == Some(item.name)
            }
            Origin::BuiltIn(built_in, _) => {
                self.form == Form::Stackless && built_ins::is_called(from, name, built_in.0)
            }
            Origin::Drop(item) => {
                let resource = name.strip_prefix("[resource-drop]");
                of_interface(item) && resource == Some(item.name)
            }
            Origin::Export(export) => {
                is_preview1(from) && Some(export.instance) == self.adapter && export.name == name
            }
        };
        is_called_so.then_some(()).ok_or(IMPORT)
    }

    /// The adapter has the guest's memory and allocation, and the functions that it imports.
    fn check_adapter(&self, adapter: u32) -> Result<(), Mismatch> {
        let CoreInstance::Of(_, arguments) = &self.component.core_instances[adapter as usize]
        else {
            return Err(ANOTHER);
        };
        for &(from, instance) in arguments {
            let exports = match self.component.core_instances.get(instance as usize) {
                Some(CoreInstance::Exports(exports)) => exports,
                _ => return Err(ADAPTER),
            };
            for &(name, kind, _) in exports {
                let origin = match kind {
                    ExternalKind::Func => self.origin(instance, name),
                    kind => self.component.export(instance, name, kind),
                };
                match (from, origin.ok_or(ADAPTER)?) {
                    ("env", Origin::Export(export)) if kind == ExternalKind::Memory => {
                        (export == self.own_export("memory"))
                            .then_some(())
                            .ok_or(ADAPTER)?;
                    }
                    ("__main_module__", Origin::Export(export)) => {
                        (export.instance == self.own && export.name == name)
                            .then_some(())
                            .ok_or(ADAPTER)?;
                    }
                    (_, origin) if from.starts_with("wasi:") => {
                        let realloc = CoreExport {
                            instance: adapter,
                            name: "cabi_import_realloc",
                        };
                        self.check_import(origin, from, name, realloc)
                            .map_err(|_| ADAPTER)?;
                    }
                    _ => return Err(ADAPTER),
                }
            }
        }
        Ok(())
    }
}

const ANOTHER: Mismatch = "it has another module besides what `wit-component` adds";
const IMPORT: Mismatch = "an import is not the function that it is called";
const ADAPTER: Mismatch = "its adapter is joined in another way";
