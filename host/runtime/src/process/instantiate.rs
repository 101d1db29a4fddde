//! From a component to an instance in a store of its own.

use std::sync::Arc;
use std::time::Duration;

use transputer_abi::{Code, HostCalls as _, Instance};
use transputer_core::scheduler::{self, ThisTask};
use wasmtime::{Engine, PoolConcurrencyLimitError, Store, UpdateDeadline, WasmCoreDump};

use super::Process;
use super::limits::ProcessLimits;
use super::metered::{Meter, Metered, Turn};
use super::outcome::Outcome;
use super::state::ProcessState;
use crate::component::{Codes, Component};
use crate::error::SpawnFault;
use crate::network::state::NetworkState;
use crate::text::Text;

/// How often a process that found no slot looks again, and after how long, if some are free.
const TRIES: u32 = 100;
const BETWEEN_TRIES: Duration = Duration::from_micros(100);

/// What an instance is made of.
pub(crate) struct Body<'a> {
    pub(crate) process: &'a Arc<Process>,
    pub(crate) network: &'a Arc<NetworkState>,
    pub(crate) component: &'a Component,
    /// The one that instantiates it.
    pub(crate) task: &'a ThisTask,
}

impl Body<'_> {
    /// Instantiates it, within the process's limits.
    pub(crate) async fn begin(
        &self,
        turn: &Turn,
    ) -> Result<(Store<ProcessState>, Instance), SpawnFault> {
        let clock = self.network.host.scheduler().clock();
        let limits = &self.process.spec.limits;
        let mut meter = Meter::new(self.process, turn, limits, clock);
        self.begin_metered(turn, &mut meter).await
    }

    /// Likewise, with the time counted by `meter`.
    pub(super) async fn begin_metered(
        &self,
        turn: &Turn,
        meter: &mut Meter,
    ) -> Result<(Store<ProcessState>, Instance), SpawnFault> {
        Metered::new(self.instantiate(turn), meter)
            .await
            .map_err(SpawnFault::Overrun)
            .flatten()
    }

    async fn instantiate(
        &self,
        turn: &Turn,
    ) -> Result<(Store<ProcessState>, Instance), SpawnFault> {
        let host = &self.network.host;
        let codes = self.component.codes();
        if !host.engines().has(codes.slots()) {
            let text = "the component was loaded by another host";
            return Err(SpawnFault::Instantiation(text.to_owned()));
        }
        let seeds = [(); 2].map(|()| host.scheduler().random_seed());
        let mut tries = 0;
        loop {
            match self.instantiate_in_a_pool(codes, turn, seeds).await {
                // A slot is being cleared of a component that was dropped: it is nobody's for a moment.
                Err(SpawnFault::NoSlot(_)) if tries < TRIES && codes.slots().has_free() => {
                    tries += 1;
                    host.scheduler().clock().sleep(BETWEEN_TRIES).await;
                }
                other => return other,
            }
        }
    }

    /// In the pool that the host began with, or in the one with the rest of the slots.
    async fn instantiate_in_a_pool(
        &self,
        codes: &Codes,
        turn: &Turn,
        seeds: [u64; 2],
    ) -> Result<(Store<ProcessState>, Instance), SpawnFault> {
        if !codes.slots().is_first_full() {
            match self.instantiate_in(codes.in_first(), turn, seeds).await {
                // Others have just taken the last places, or it needs several.
                Err(SpawnFault::NoSlot(_)) if codes.slots().has_rest() => {}
                other => return other,
            }
        }
        let rest = codes
            .in_rest()
            .map_err(|error| SpawnFault::Instantiation(error.to_string()))?;
        self.instantiate_in(rest, turn, seeds).await
    }

    /// `seeds` are those of its alternations.
    async fn instantiate_in(
        &self,
        (engine, code): (&Engine, &Code<ProcessState>),
        turn: &Turn,
        seeds: [u64; 2],
    ) -> Result<(Store<ProcessState>, Instance), SpawnFault> {
        let state = ProcessState::new(
            self.process.clone(),
            self.network.clone(),
            turn,
            self.task.clone(),
            seeds,
        );
        let mut store = Store::new(engine, state);
        if let Some(profiles) = self.network.host.profiles() {
            store.data_mut().sampling = profiles.begin(self.process, engine, code);
        }
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(self.process.spec.limits.call_bytes());
        store.set_max_component_handles(handles(&self.process.spec.limits));
        let preemption = if self.network.host.is_seeded() {
            preempt_by_fuel(&mut store)
        } else {
            preempt_by_epoch(&mut store, turn.clone());
            Ok(())
        };
        preemption.map_err(|error| SpawnFault::Instantiation(format!("{error:#}")))?;
        match code.instantiate(&mut store).await {
            Ok(instance) => Ok((store, instance)),
            Err(error) if error.is::<PoolConcurrencyLimitError>() => {
                Err(SpawnFault::no_slot(&error))
            }
            Err(error) => Err(match Outcome::of_error(&error, None) {
                Outcome::Killed(overrun) => SpawnFault::Overrun(overrun),
                Outcome::Trapped(_) => SpawnFault::Instantiation(text_of(&error).into_string()),
                other => SpawnFault::Instantiation(Text::of(other).into_string()),
            }),
        }
    }
}

/// What is said of an error: all of it, but for a core dump, which would be told as text.
fn text_of(error: &wasmtime::Error) -> Text {
    match error.is::<WasmCoreDump>() {
        true => Text::of(error.root_cause()),
        false => Text::of(format_args!("{error:#}")),
    }
}

/// How many handles a process can hold within its limits: for its ends and children, and some for
/// prepared alternations and WASI. More than that is a trap, while going over a limit is an error.
fn handles(limits: &ProcessLimits) -> usize {
    const OTHERS: usize = 10_000;
    OTHERS
        .saturating_add(limits.ends)
        .saturating_add(limits.children)
}

/// Has the process yield when it has computed past a tick.
fn preempt_by_epoch(store: &mut Store<ProcessState>, turn: Turn) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut context| {
        if !turn.is_over() {
            return Ok(UpdateDeadline::Continue(1));
        }
        if let Some(mut sampling) = context.data_mut().sampling.take() {
            sampling.sample(&context);
            context.data_mut().sampling = Some(sampling);
        }
        let state = context.data_mut();
        if state.abi().is_in_place() {
            state.give_way()?;
            return Ok(UpdateDeadline::Continue(1));
        }
        scheduler::preempted();
        Ok(UpdateDeadline::Yield(1))
    });
}

/// After roughly this many instructions a seeded process lets others run.
const TURN: u64 = 1_000_000;

fn preempt_by_fuel(store: &mut Store<ProcessState>) -> wasmtime::Result<()> {
    store.set_fuel(u64::MAX)?;
    store.fuel_async_yield_interval(Some(TURN))
}
