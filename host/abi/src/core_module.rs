//! A component's core module, run by itself.
//!
//! A guest sees no difference from a component that is instantiated as a whole, and the suites run both
//! ways. What wasmtime does there is done here by the canonical ABI (`canonical`), handles (`handles`),
//! and trampolines for calls that wait or return lists.

use std::fmt;
use std::sync::OnceLock;

use wasmtime::{
    Engine, Extern, InstancePre, Linker, Module, ModuleExport, Result, Store, TypedFunc,
};

use crate::HostCalls;
use crate::canonical::Lowering;
use crate::code::Ports;
use crate::form::{self, INITIALIZE};
use crate::link::{self, Imports, Waits};
use crate::stackless::Turns;
use crate::trampolines::{self, ENTER, TURN, Trampolines};

/// Whether a component has an async function, as that of a stackless process is. It need not be valid.
pub fn is_async(component: &[u8]) -> bool {
    form::is_async(component)
}

/// Everything that a core module may import.
pub struct CoreLinker<T: HostCalls> {
    linker: Linker<T>,
    /// Whether stackless processes can be called on a worker's own stack.
    in_place: bool,
    /// For those; made when the first of them is linked.
    stackless: OnceLock<Linker<T>>,
    trampolines: Trampolines,
    digest: blake3::Hash,
}

impl<T: HostCalls> CoreLinker<T> {
    /// Links every import. `in_place`: the host's tasks can block in place, so that stackless processes
    /// can be called on a worker's own stack.
    ///
    /// # Errors
    /// If wasmtime refuses one, which would be a bug of this crate.
    pub fn new(engine: &Engine, in_place: bool) -> Result<Self> {
        let (linker, trampolines) = Self::linked(engine, Waits::Suspended)?;
        Ok(Self {
            linker,
            in_place,
            stackless: OnceLock::new(),
            digest: trampolines::digest(&trampolines),
            trampolines,
        })
    }

    fn linked(engine: &Engine, waits: Waits) -> Result<(Linker<T>, Trampolines)> {
        let mut imports = Imports::new(engine, waits);
        link::link(&mut imports)?;
        Ok(imports.into_parts())
    }

    fn stackless(&self, engine: &Engine) -> Option<&Linker<T>> {
        if self.stackless.get().is_none() {
            // The same functions could be linked for the others.
            let (linker, _) = Self::linked(engine, Waits::InPlace).ok()?;
            // Somebody else may have been quicker.
            let _ = self.stackless.set(linker);
        }
        self.stackless.get()
    }

    /// Identifies what [`rewrite`](Self::rewrite) does: code that was compiled after another rewriting
    /// must not be mistaken for code of this one.
    pub fn digest(&self) -> &blake3::Hash {
        &self.digest
    }

    /// Whether a component's core module can be run by itself, as far as its form shows. It need
    /// not be valid.
    pub fn suits(&self, component: &[u8]) -> bool {
        match self.mismatch(component) {
            None => true,
            Some(why) => {
                tracing::debug!("a component is instantiated as a whole: {why}");
                false
            }
        }
    }

    /// Why a component's core module cannot be run by itself, if its form shows that.
    pub fn mismatch(&self, component: &[u8]) -> Option<String> {
        let found = form::find(component).map_err(str::to_owned);
        let suits = found.and_then(|found| {
            let checked = trampolines::check(&found, &self.trampolines);
            checked.map_err(|why| why.to_string())
        });
        suits.err()
    }

    /// The core module of a component that has been validated, with trampolines, to be compiled;
    /// `None` if the component must be instantiated as a whole.
    pub fn rewrite(&self, component: &[u8]) -> Option<Vec<u8>> {
        let found = form::find(component).ok()?;
        trampolines::add(&found, &self.trampolines).ok()
    }

    /// A component of the same imports and exports without code. Whether the host accepts that, which is
    /// quick to find out, is whether it accepts the whole: a core module does not tell the types of
    /// what it imports.
    pub fn outline(&self, component: &[u8]) -> Option<Vec<u8>> {
        match form::is_async(component) {
            true => form::blocking_outline(component),
            false => form::outline(component),
        }
    }

    /// Links a module that was compiled from what [`rewrite`](Self::rewrite) returned; `None` if it
    /// imports what is not there, or something of another type.
    pub fn link(&self, module: &Module) -> Option<CoreModule<T>> {
        let memory = module.get_export_index("memory")?;
        let initialize = module.get_export_index(INITIALIZE);
        let is_stackless = module.get_export_index(TURN).is_some();
        let in_place = is_stackless && self.in_place;
        let linker = match in_place {
            true => self.stackless(module.engine())?,
            false => &self.linker,
        };
        // Whatever is wrong with its imports, wasmtime's component model explains it better.
        Some(CoreModule {
            pre: linker.instantiate_pre(module).ok()?,
            memory,
            initialize,
            is_stackless,
            in_place,
        })
    }
}

impl<T: HostCalls> fmt::Debug for CoreLinker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoreLinker").finish_non_exhaustive()
    }
}

/// A component's core module, compiled and ready to be instantiated any number of times.
pub struct CoreModule<T: HostCalls> {
    pre: InstancePre<T>,
    memory: ModuleExport,
    /// The function that must be called before anything else, if there is one.
    initialize: Option<ModuleExport>,
    is_stackless: bool,
    in_place: bool,
}

impl<T: HostCalls> CoreModule<T> {
    /// Whether its processes return where they have to wait.
    pub fn is_stackless(&self) -> bool {
        self.is_stackless
    }

    /// What it was linked from.
    pub fn module(&self) -> &Module {
        self.pre.module()
    }

    pub(crate) async fn instantiate(&self, store: &mut Store<T>) -> Result<CoreInstance> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let memory = instance.get_module_export(&mut *store, &self.memory);
        let memory = memory.and_then(Extern::into_memory);
        store.data_mut().abi_mut().memory = memory;
        if let Some(initialize) = &self.initialize {
            let initialize = instance.get_module_export(&mut *store, initialize);
            if let Some(initialize) = initialize.and_then(Extern::into_func) {
                let initialize = initialize.typed::<(), ()>(&*store)?;
                initialize.call_async(&mut *store, ()).await?;
            }
        }
        if !self.is_stackless {
            let enter = instance.get_typed_func(&mut *store, ENTER)?;
            return Ok(CoreInstance::Fiber(enter));
        }
        let Some(memory) = memory else {
            wasmtime::bail!("the module has no memory");
        };
        Ok(CoreInstance::Stackless(Turns {
            enter: instance.get_typed_func(&mut *store, ENTER)?,
            turn: instance.get_typed_func(&mut *store, TURN)?,
            memory,
            in_place: self.in_place,
        }))
    }
}

impl<T: HostCalls> fmt::Debug for CoreModule<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoreModule").finish_non_exhaustive()
    }
}

/// An instance of a core module.
pub(crate) enum CoreInstance {
    /// One call is its whole life.
    Fiber(TypedFunc<(), ()>),
    Stackless(Turns),
}

impl CoreInstance {
    /// Calls the guest's `run`.
    pub(crate) async fn run<T: HostCalls>(
        &self,
        store: &mut Store<T>,
        ports: &Ports<'_>,
    ) -> Result<Result<(), String>> {
        let arguments = Lowering::of_ports(ports)?;
        store.data_mut().abi_mut().arguments = Some(Box::new(arguments));
        let enter = match self {
            Self::Fiber(enter) => enter,
            Self::Stackless(turns) => return turns.run(store).await,
        };
        enter.call_async(&mut *store, ()).await?;
        let result = store.data_mut().abi_mut().result.take();
        result.ok_or_else(|| wasmtime::Error::msg("the guest was left without a result"))
    }
}
