//! A component's code for each engine that its processes may run on.

use std::sync::{Arc, Mutex, OnceLock};

use transputer_abi::Code;
use wasmtime::Engine;

use crate::code_cache::Code as _;
use crate::engine::{Pool, Slots};
use crate::error::{ComponentFault, Error};
use crate::host::lock;
use crate::process::ProcessState;

/// The code for the engine with the first slots and, once it is needed, for the one with the rest.
pub(crate) struct Codes {
    slots: Arc<Slots>,
    first: Code<ProcessState>,
    rest: OnceLock<Code<ProcessState>>,
    /// Held while that is made.
    making: Mutex<()>,
}

impl Codes {
    /// Of code for the first engine.
    pub(super) fn new(slots: &Arc<Slots>, first: Code<ProcessState>) -> Self {
        Self {
            slots: slots.clone(),
            first,
            rest: OnceLock::new(),
            making: Mutex::new(()),
        }
    }

    pub(crate) fn slots(&self) -> &Arc<Slots> {
        &self.slots
    }

    pub(super) fn first(&self) -> &Code<ProcessState> {
        &self.first
    }

    /// The first engine, with its code.
    pub(crate) fn in_first(&self) -> (&Engine, &Code<ProcessState>) {
        (&self.slots.first().engine, &self.first)
    }

    /// The engine with the rest of the slots, with its code. Nothing is compiled again.
    ///
    /// # Errors
    /// If there is no address space or no memory for it.
    pub(crate) fn in_rest(&self) -> Result<(&Engine, &Code<ProcessState>), Error> {
        let pool = self.slots.rest()?;
        if let Some(code) = self.rest.get() {
            return Ok((&pool.engine, code));
        }
        let _making = lock(&self.making);
        if let Some(code) = self.rest.get() {
            return Ok((&pool.engine, code));
        }
        let made = self.first_for(pool).map_err(|error| Error::Setup {
            message: format!("the code for more processes: {error:#}"),
        })?;
        Ok((&pool.engine, self.rest.get_or_init(|| made)))
    }

    fn first_for(&self, pool: &Pool) -> wasmtime::Result<Code<ProcessState>> {
        let fault = |fault: ComponentFault| wasmtime::Error::msg(fault.to_string());
        match &self.first {
            Code::Whole(guest) => {
                let component = guest.instance_pre().component().again(&pool.engine)?;
                pool.linkers.link(&pool.engine, &component).map_err(fault)
            }
            Code::CoreModule(module) => {
                let module = module.module().again(&pool.engine)?;
                let linker = pool.linkers.core_modules.as_ref();
                let linked = linker.and_then(|linker| linker.link(&module));
                linked
                    .map(Code::CoreModule)
                    .ok_or_else(|| wasmtime::Error::msg("its core module cannot be linked again"))
            }
        }
    }
}
