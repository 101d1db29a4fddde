//! Where the processes of a class find their places.
//!
//! Whoever makes an engine waits until the kernel has made a guard page for each of its stacks, which takes some 4 µs each.
//! So the engine that a host begins with has only some of the slots, and a second one has the rest. That one is made by a
//! thread of its own when half of the first slots are taken, or, where that is too late, by whoever needs a place.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use wasmtime::{Engine, PoolingAllocatorMetrics};

use super::{StackClass, engine};
use crate::component::Linkers;
use crate::error::Error;
use crate::host::lock;
use crate::host_calls;

/// Slots of the first engine.
const FIRST: u32 = 1_000;

/// What all engines of a host have in common.
#[derive(Copy, Clone, Debug)]
pub(super) struct Settings {
    pub(super) max_processes: u32,
    pub(super) is_seeded: bool,
    pub(super) core_modules: bool,
    pub(super) core_dumps: bool,
    /// Whether `perf` is told what is compiled.
    pub(super) perf: bool,
}

/// The slots that there are for processes of a class.
pub(crate) struct Slots {
    class: StackClass,
    settings: Settings,
    first: Pool,
    /// Once they are needed, those that the first has not.
    rest: OnceLock<Pool>,
    /// Held while that is made.
    making: Mutex<()>,
    /// Whether a thread has been told to make it.
    told: AtomicBool,
}

/// An engine with its slots, and what its components are linked with.
pub(crate) struct Pool {
    pub(crate) engine: Engine,
    pub(crate) linkers: Linkers,
    slots: u32,
    metrics: Option<PoolingAllocatorMetrics>,
}

impl Slots {
    pub(super) fn new(class: StackClass, settings: Settings) -> Result<Arc<Self>, Error> {
        let first = class.slots(settings.max_processes).min(FIRST);
        Ok(Arc::new(Self {
            class,
            settings,
            first: Pool::new(class, settings, first)?,
            rest: OnceLock::new(),
            making: Mutex::new(()),
            told: AtomicBool::new(false),
        }))
    }

    /// The pool that a host begins with, for whose engine components are compiled.
    pub(crate) fn first(&self) -> &Pool {
        &self.first
    }

    /// Whether the next process has to go to the other pool. Others may take the last place meanwhile.
    pub(crate) fn is_first_full(self: &Arc<Self>) -> bool {
        if !self.has_rest() {
            return false;
        }
        let taken = self.first.taken();
        if taken >= u64::from(self.first.slots / 2) {
            self.prepare_rest();
        }
        taken >= u64::from(self.first.slots)
    }

    /// Whether fewer processes have slots than can. One that needs several may find too few all the same.
    pub(crate) fn has_free(&self) -> bool {
        let taken: u64 = self.pools().map(Pool::taken).sum();
        taken < u64::from(self.class.slots(self.settings.max_processes))
    }

    /// Whether the first pool lacks some of the slots.
    pub(crate) fn has_rest(&self) -> bool {
        self.slots_of_rest() > 0
    }

    fn slots_of_rest(&self) -> u32 {
        self.class.slots(self.settings.max_processes) - self.first.slots
    }

    /// The pool with the rest of the slots.
    ///
    /// # Errors
    /// If address space for it cannot be had.
    pub(crate) fn rest(&self) -> Result<&Pool, Error> {
        if let Some(rest) = self.rest.get() {
            return Ok(rest);
        }
        let _making = lock(&self.making);
        if let Some(rest) = self.rest.get() {
            return Ok(rest);
        }
        let made = Pool::new(self.class, self.settings, self.slots_of_rest())?;
        Ok(self.rest.get_or_init(|| made))
    }

    fn prepare_rest(self: &Arc<Self>) {
        if self.told.swap(true, Ordering::Relaxed) {
            return;
        }
        let slots = self.clone();
        let thread = std::thread::Builder::new().name("slots".to_owned());
        // Without a thread, or if that fails, whoever needs a place makes it, or learns why not.
        let _ = thread.spawn(move || drop(slots.rest()));
    }

    pub(super) fn engines(&self) -> impl Iterator<Item = &Engine> {
        self.pools().map(|pool| &pool.engine)
    }

    /// Those that there are.
    fn pools(&self) -> impl Iterator<Item = &Pool> {
        std::iter::once(&self.first).chain(self.rest.get())
    }
}

impl Pool {
    fn new(class: StackClass, settings: Settings, slots: u32) -> Result<Self, Error> {
        let engine = engine(class, settings, slots)?;
        let linkers = host_calls::linkers(&engine, settings.core_modules, settings.is_seeded)?;
        Ok(Self {
            metrics: engine.pooling_allocator_metrics(),
            engine,
            linkers,
            slots,
        })
    }

    /// Slots that are taken, by memories or by stacks.
    fn taken(&self) -> u64 {
        let taken = self
            .metrics
            .as_ref()
            .map(|pool| pool.memories().max(pool.stacks()));
        taken.unwrap_or(0) as u64
    }
}
