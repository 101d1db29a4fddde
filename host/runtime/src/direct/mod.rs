//! Running a component's core module directly.
//!
//! Through the component model a process costs four core instances and a table, and each call of
//! the host goes through generic code that lifts and lowers its values. Where a component is one
//! core module with nothing around it but what `wit-component` adds (see `module`), none of that
//! is needed: the module is instantiated by itself, with the same imports as core functions.
//!
//! What guests can see of it is the same, and the suites run both ways. What is between guest and
//! host here, and wasmtime's in the other way, is the canonical ABI: `lift` and `lower` for what
//! crosses memory, `handle` for handles, `gates` for calls that wait or return lists. A component
//! of any other form, and one that imports of WASI what neither preview 1 nor `wasi` has, takes the
//! other way.

mod alternation;
mod call;
mod channel;
mod gates;
mod handle;
mod lift;
mod lower;
mod module;
mod process;
mod wasi;

use std::fmt;

use wasmtime::{Engine, InstancePre, Linker, Memory, Module, ModuleExport, Store};

use crate::code_cache::{Cache, Origin};
use crate::error::Error;
use crate::process::ProcessState;
use call::Imports;
use gates::{ENTER, Gates};
use lower::Lowering;

pub(crate) use process::Ports;

/// What a module of C's calls its constructors; `wit-component` has it called by a module of its own.
const INITIALIZE: &str = "_initialize";

/// Everything that a core module may import.
pub(crate) struct DirectLinker {
    linker: Linker<ProcessState>,
    gates: Gates,
    /// Tells these gates from others.
    rewriting: blake3::Hash,
}

impl DirectLinker {
    pub(crate) fn new(engine: &Engine) -> Result<Self, Error> {
        let mut imports = Imports::new(engine);
        let linked = imports
            .link_gates()
            .and_then(|()| channel::link(&mut imports))
            .and_then(|()| alternation::link(&mut imports))
            .and_then(|()| process::link(&mut imports))
            .and_then(|()| wasi::link(&mut imports))
            .and_then(|()| imports.link_wasi());
        linked.map_err(|error| Error::Setup {
            message: format!("the imports of guests' modules: {error:#}"),
        })?;
        let (linker, gates) = imports.into_parts();
        Ok(Self {
            linker,
            rewriting: gates::digest(&gates),
            gates,
        })
    }
}

/// A component's core module, compiled and ready to be instantiated any number of times.
pub(crate) struct Direct {
    pre: InstancePre<ProcessState>,
    memory: ModuleExport,
    /// What is to be called before anything else, if there is such a thing.
    initialize: Option<ModuleExport>,
}

impl Direct {
    /// Whether a component's core module can be run by itself, as far as its form shows. It need
    /// not be valid.
    pub(crate) fn suits(linker: &DirectLinker, component: &[u8]) -> bool {
        module::find(component).is_some_and(|module| match gates::check(&module, &linker.gates) {
            Ok(()) => true,
            Err(why) => {
                tracing::debug!("a component is instantiated as a whole: {why}");
                false
            }
        })
    }

    /// The core module of a component, if the cache has it: nothing is read of the component, nor
    /// written anew.
    pub(crate) fn kept(
        engine: &Engine,
        linker: &DirectLinker,
        cache: &Cache,
        component: &Origin,
    ) -> Option<Self> {
        let module = cache.kept(engine, &component.rewritten(&linker.rewriting))?;
        Self::of_module(linker, &module)
    }

    /// The core module of a component that has been validated, compiled and kept; none if it must
    /// be instantiated as a whole.
    pub(crate) fn compile(
        engine: &Engine,
        linker: &DirectLinker,
        cache: &Cache,
        origin: &Origin,
        component: &[u8],
    ) -> Option<Self> {
        let module = module::find(component)?;
        let bytes = gates::with_gates(&module, &linker.gates).ok()?;
        let origin = origin.rewritten(&linker.rewriting);
        let module = cache.compile(engine, &origin, &bytes).ok()?;
        Self::of_module(linker, &module)
    }

    fn of_module(linker: &DirectLinker, module: &Module) -> Option<Self> {
        let memory = module.get_export_index("memory")?;
        let initialize = module.get_export_index(INITIALIZE);
        // Whatever is wrong with its imports, wasmtime's component model says it better.
        let pre = linker.linker.instantiate_pre(module).ok()?;
        Some(Self {
            pre,
            memory,
            initialize,
        })
    }

    /// Instantiates it.
    pub(crate) async fn instantiate(
        &self,
        store: &mut Store<ProcessState>,
    ) -> wasmtime::Result<Instance> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let memory = instance.get_module_export(&mut *store, &self.memory);
        store.data_mut().direct.memory = memory.and_then(wasmtime::Extern::into_memory);
        if let Some(initialize) = &self.initialize {
            let initialize = instance.get_module_export(&mut *store, initialize);
            if let Some(initialize) = initialize.and_then(wasmtime::Extern::into_func) {
                let initialize = initialize.typed::<(), ()>(&*store)?;
                initialize.call_async(&mut *store, ()).await?;
            }
        }
        let enter = instance.get_typed_func(&mut *store, ENTER)?;
        Ok(Instance { enter })
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").finish_non_exhaustive()
    }
}

/// An instance of a core module.
pub(crate) struct Instance {
    enter: wasmtime::TypedFunc<(), ()>,
}

impl Instance {
    /// Calls the guest's `run`.
    pub(crate) async fn run(
        &self,
        store: &mut Store<ProcessState>,
        ports: &Ports<'_>,
    ) -> wasmtime::Result<Result<(), String>> {
        store.data_mut().direct.arguments = Some(ports.lowered()?);
        self.enter.call_async(&mut *store, ()).await?;
        let result = store.data_mut().direct.result.take();
        result.ok_or_else(|| wasmtime::Error::msg("the guest was left without a result"))
    }
}

/// What a process has besides, if its core module runs directly.
#[derive(Debug, Default)]
pub(crate) struct DirectState {
    memory: Option<Memory>,
    /// The arguments of `run`, until the guest has them.
    arguments: Option<Box<Lowering>>,
    /// What the guest is to allocate for at present.
    pending: Option<Box<Lowering>>,
    /// Whether its last small send, and its last receive, had to wait: then the next one is not
    /// tried first, since it will probably have to wait as well.
    send_waited: bool,
    receive_waited: bool,
    /// What `run` has returned.
    result: Option<Result<(), String>>,
}
