//! A component, compiled and linked, in one of two ways.

use std::fmt;
use std::time::Duration;

use wasmtime::{Engine, GuestProfiler, Result, Store};

use crate::HostCalls;
use crate::bindings::{Guest, GuestPre};
use crate::core_module::{CoreInstance, CoreModule};
use crate::handles::{ReceiverHandle, SenderHandle};

/// The code of a process, ready to be instantiated any number of times.
pub enum Code<T: HostCalls> {
    /// The component, through wasmtime's component model.
    Whole(GuestPre<T>),
    /// Its core module by itself.
    CoreModule(CoreModule<T>),
}

/// The instance of a process.
pub struct Instance(Way);

enum Way {
    Whole(Guest),
    CoreModule(CoreInstance),
}

/// What `run` is called with.
#[derive(Copy, Clone, Debug)]
pub struct Ports<'a> {
    /// The arguments, as one CBOR map.
    pub arguments: &'a [u8],
    /// The receivers at the process's input ports, by their names.
    pub inputs: &'a [(String, ReceiverHandle)],
    /// The senders at its output ports.
    pub outputs: &'a [(String, SenderHandle)],
}

impl<T: HostCalls> Code<T> {
    /// Instantiates it. Runs the guest's own start functions, which may wait.
    ///
    /// # Errors
    /// Those of wasmtime: a trap, a limit, or no room for another instance.
    pub async fn instantiate(&self, store: &mut Store<T>) -> Result<Instance> {
        Ok(Instance(match self {
            Self::Whole(component) => Way::Whole(component.instantiate_async(store).await?),
            Self::CoreModule(module) => Way::CoreModule(module.instantiate(store).await?),
        }))
    }
}

impl<T: HostCalls> Code<T> {
    /// What keeps samples of a process of this name, which computes this code: which functions it was in, of all modules
    /// that the component has, or of its core module. `engine` is the one that it was compiled for, `interval` about the
    /// time between two samples.
    ///
    /// # Errors
    /// Those of wasmtime, which has none of an engine as the host makes them.
    pub fn profiler(
        &self,
        engine: &Engine,
        name: &str,
        interval: Duration,
    ) -> Result<GuestProfiler> {
        match self {
            Self::Whole(guest) => {
                let component = guest.instance_pre().component().clone();
                GuestProfiler::new_component(engine, name, interval, component, [])
            }
            Self::CoreModule(module) => {
                let module = (name.to_owned(), module.module().clone());
                GuestProfiler::new(engine, name, interval, [module])
            }
        }
    }
}

impl Instance {
    /// Whether it returns where it has to wait.
    pub fn is_stackless(&self) -> bool {
        matches!(&self.0, Way::CoreModule(CoreInstance::Stackless(_)))
    }

    /// Calls the guest's `run`, and returns its result.
    ///
    /// # Errors
    /// A trap, in the guest or in a call of the host.
    pub async fn run<T: HostCalls>(
        &self,
        store: &mut Store<T>,
        ports: &Ports<'_>,
    ) -> Result<Result<(), String>> {
        match &self.0 {
            Way::Whole(guest) => {
                let Ports {
                    arguments,
                    inputs,
                    outputs,
                } = *ports;
                guest.call_run(store, arguments, inputs, outputs).await
            }
            Way::CoreModule(instance) => instance.run(store, ports).await,
        }
    }
}

impl<T: HostCalls> fmt::Debug for Code<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole",
            Self::CoreModule(_) => "CoreModule",
        })
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").finish_non_exhaustive()
    }
}
