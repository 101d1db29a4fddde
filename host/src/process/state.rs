//! What a process's store holds.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use slab::Slab;
use transputer_core::alternation::{Alternation, Order};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::limits::{MemoryLimiter, ProcessLimits};
use super::{Child, Ends, Outcome, Prepared, Process};
use crate::component::Component;
use crate::host::lock;
use crate::network::plan::Grants;
use crate::network::state::NetworkState;

/// What a process may do. Its children get the same, never more.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) limits: ProcessLimits,
    pub(crate) grants: Grants,
    /// The components that it may spawn, by name.
    pub(crate) spawnable: BTreeMap<String, Component>,
}

/// The outcome of a process, from when its store is dropped.
pub(super) type Fate = Arc<Mutex<Option<Outcome>>>;

/// What a process's store holds, and its imports work on.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct ProcessState {
    pub(crate) process: Arc<Process>,
    pub(crate) network: Arc<NetworkState>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) ends: Ends,
    pub(crate) children: Slab<Child>,
    pub(crate) prepared: Slab<Prepared>,
    /// How many of its children live, whether it holds their handles or not.
    pub(crate) living_children: Arc<AtomicUsize>,
    pub(crate) memory: MemoryLimiter,
    pub(crate) fair: Alternation,
    pub(crate) priority: Alternation,
    /// How many channels it has opened.
    pub(crate) opened: u64,
    /// The last panic that the guest reported, which says more than the trap after it.
    pub(crate) panic: Option<String>,
    /// How the process's `run` ended; `None` while it runs, or if it was cut short.
    pub(crate) outcome: Option<Outcome>,
    /// Where the outcome is left when this state is dropped.
    fate: Fate,
    wasi: WasiCtx,
    wasi_table: ResourceTable,
}

impl ProcessState {
    pub(super) fn new(
        process: Arc<Process>,
        network: Arc<NetworkState>,
        settings: Arc<Settings>,
        wasi: WasiCtx,
        fate: Fate,
    ) -> Self {
        let scheduler = network.host.scheduler();
        Self {
            ends: Ends::new(process.id, settings.limits.ends),
            children: Slab::new(),
            prepared: Slab::new(),
            living_children: Arc::default(),
            memory: MemoryLimiter::new(settings.limits.memory),
            fair: Alternation::seeded(Order::Fair, scheduler.random_seed()),
            priority: Alternation::seeded(Order::Priority, scheduler.random_seed()),
            opened: 0,
            panic: None,
            outcome: None,
            fate,
            wasi,
            wasi_table: ResourceTable::new(),
            process,
            network,
            settings,
        }
    }
}

impl WasiView for ProcessState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.wasi_table,
        }
    }
}

/// The end of every process, whatever ended it: its channels are poisoned if it did not
/// finish, and its ends are closed.
impl Drop for ProcessState {
    fn drop(&mut self) {
        let outcome = match self.outcome.take() {
            Some(outcome) => outcome,
            None => self.process.sentence(),
        };
        if let Some(poison) = outcome.poison(&self.process.name) {
            self.ends.poison(&poison);
        }
        *lock(&self.fate) = Some(outcome);
    }
}
