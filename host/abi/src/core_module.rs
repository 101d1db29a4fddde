//! A component's core module, run by itself.
//!
//! What a guest can see of it is the same as of the whole component, and the suites run both ways.
//! What is between guest and host here, and wasmtime's in the other way, is the canonical ABI
//! (`canonical`), handles (`handles`), and trampolines for calls that wait or return lists.

use std::fmt;

use wasmtime::{
    Engine, Extern, InstancePre, Linker, Module, ModuleExport, Result, Store, TypedFunc,
};

use crate::HostCalls;
use crate::canonical::Lowering;
use crate::code::Ports;
use crate::form;
use crate::link::{self, Imports};
use crate::trampolines::{self, ENTER, Trampolines};

/// What a module of C's calls its constructors; `wit-component` has it called by a module of its own.
const INITIALIZE: &str = "_initialize";

/// Everything that a core module may import.
pub struct CoreLinker<T: HostCalls> {
    linker: Linker<T>,
    trampolines: Trampolines,
    digest: blake3::Hash,
}

impl<T: HostCalls> CoreLinker<T> {
    /// Links every import.
    ///
    /// # Errors
    /// If wasmtime refuses one, which would be a mistake of this crate.
    pub fn new(engine: &Engine) -> Result<Self> {
        let mut imports = Imports::new(engine);
        link::link(&mut imports)?;
        let (linker, trampolines) = imports.into_parts();
        Ok(Self {
            linker,
            digest: trampolines::digest(&trampolines),
            trampolines,
        })
    }

    /// Stands for what [`rewrite`](Self::rewrite) does: code that was compiled after another
    /// rewriting must not be taken for code of this one.
    pub fn digest(&self) -> &blake3::Hash {
        &self.digest
    }

    /// Whether a component's core module can be run by itself, as far as its form shows. It need
    /// not be valid.
    pub fn suits(&self, component: &[u8]) -> bool {
        form::find(component).is_some_and(|module| {
            match trampolines::check(&module, &self.trampolines) {
                Ok(()) => true,
                Err(why) => {
                    tracing::debug!("a component is instantiated as a whole: {why}");
                    false
                }
            }
        })
    }

    /// The core module of a component that has been validated, with trampolines, to be compiled;
    /// `None` if the component must be instantiated as a whole.
    pub fn rewrite(&self, component: &[u8]) -> Option<Vec<u8>> {
        let module = form::find(component)?;
        trampolines::add(&module, &self.trampolines).ok()
    }

    /// Links a module that was compiled from what [`rewrite`](Self::rewrite) returned; `None` if it
    /// imports what is not there, or something of another type.
    pub fn link(&self, module: &Module) -> Option<CoreModule<T>> {
        let memory = module.get_export_index("memory")?;
        let initialize = module.get_export_index(INITIALIZE);
        // Whatever is wrong with its imports, wasmtime's component model says it better.
        let pre = self.linker.instantiate_pre(module).ok()?;
        Some(CoreModule {
            pre,
            memory,
            initialize,
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
    /// What is to be called before anything else, if there is such a thing.
    initialize: Option<ModuleExport>,
}

impl<T: HostCalls> CoreModule<T> {
    pub(crate) async fn instantiate(&self, store: &mut Store<T>) -> Result<CoreInstance> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let memory = instance.get_module_export(&mut *store, &self.memory);
        store.data_mut().abi_mut().memory = memory.and_then(Extern::into_memory);
        if let Some(initialize) = &self.initialize {
            let initialize = instance.get_module_export(&mut *store, initialize);
            if let Some(initialize) = initialize.and_then(Extern::into_func) {
                let initialize = initialize.typed::<(), ()>(&*store)?;
                initialize.call_async(&mut *store, ()).await?;
            }
        }
        let enter = instance.get_typed_func(&mut *store, ENTER)?;
        Ok(CoreInstance { enter })
    }
}

impl<T: HostCalls> fmt::Debug for CoreModule<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoreModule").finish_non_exhaustive()
    }
}

/// An instance of a core module.
pub(crate) struct CoreInstance {
    enter: TypedFunc<(), ()>,
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
        self.enter.call_async(&mut *store, ()).await?;
        let result = store.data_mut().abi_mut().result.take();
        result.ok_or_else(|| wasmtime::Error::msg("the guest was left without a result"))
    }
}
