//! From component to running process.
//!
//! All guest code of a process, its instantiation included, runs in the process's own task,
//! so that limits, preemption and kills hold from the first instruction on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use wasmtime::component::Resource;
use wasmtime::{Store, UpdateDeadline};

use super::metered::{Metered, Turn};
use super::outcome::Outcome;
use super::state::{Fate, ProcessState, Settings};
use super::{Process, grants};
use crate::bindings;
use crate::component::Component;
use crate::error::SpawnFault;
use crate::host::{Place, lock};
use crate::message::{Receiver, Sender};
use crate::network::state::NetworkState;

/// What a new process is made of.
pub(crate) struct Birth {
    pub(crate) network: Arc<NetworkState>,
    pub(crate) component: Component,
    /// What it shall be called; a number is added if the name is taken.
    pub(crate) name: String,
    /// What its component is called in the network.
    pub(crate) component_name: Arc<str>,
    pub(crate) settings: Arc<Settings>,
    /// A CBOR map, or nothing.
    pub(crate) arguments: Vec<u8>,
    /// Counts the process among its parent's children while it lives.
    pub(crate) parent: Option<Kin>,
}

/// One living child in its parent's count.
pub(crate) struct Kin(Arc<AtomicUsize>);

impl Kin {
    pub(crate) fn new(children: &Arc<AtomicUsize>) -> Self {
        children.fetch_add(1, Ordering::AcqRel);
        Self(children.clone())
    }
}

impl Drop for Kin {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The ends that become a process's ports, by name.
#[derive(Debug, Default)]
pub(crate) struct Wiring {
    pub(crate) inputs: Vec<(String, Receiver)>,
    pub(crate) outputs: Vec<(String, Sender)>,
}

/// Tells when a process has been instantiated; or why it could not be, with its wiring.
pub(crate) type Started = oneshot::Receiver<Result<(), (SpawnFault, Wiring)>>;

/// Starts a process in a task of its own.
///
/// # Errors
/// Without a place for it among the host's processes, or while its network is being
/// stopped; the wiring comes back.
pub(crate) fn spawn(
    mut birth: Birth,
    wiring: Wiring,
) -> Result<(Arc<Process>, Started), (SpawnFault, Wiring)> {
    let host = birth.network.host.clone();
    let place = match host.place() {
        Ok(place) => place,
        Err(fault) => return Err((fault, wiring)),
    };
    let process = match birth.network.enrol(&birth.name, &birth.component_name) {
        Ok(process) => process,
        Err(fault) => return Err((fault, wiring)),
    };
    let (tell, started) = oneshot::channel();
    let fate = Fate::default();
    let ending = Ending {
        process: process.clone(),
        network: birth.network.clone(),
        fate: fate.clone(),
        place: Some(place),
        parent: birth.parent.take(),
    };
    let task = host
        .scheduler()
        .spawn(live(ending, fate, birth, wiring, tell));
    process.started(task);
    Ok((process, started))
}

/// The life of a process. `ending` is the first parameter because parameters are dropped
/// last to first: the process has ended only when its store is gone.
async fn live(
    mut ending: Ending,
    fate: Fate,
    birth: Birth,
    wiring: Wiring,
    tell: oneshot::Sender<Result<(), (SpawnFault, Wiring)>>,
) {
    let process = ending.process.clone();
    let limits = birth.settings.limits;
    let clock = birth.network.host.scheduler().clock().clone();
    let turn = Turn::new(birth.network.host.ticks());
    let (mut store, instance) = match Metered::new(
        instantiate(&process, &birth, fate, &turn),
        &turn,
        &limits,
        &clock,
    )
    .await
    .map_err(SpawnFault::Overrun)
    .flatten()
    {
        Ok(instance) => instance,
        Err(fault) => {
            // Nobody to tell: a process of the network's own, reported by its outcome.
            match tell.send(Err((fault, wiring))) {
                Ok(()) => ending.forget(),
                Err(unheard) => ending.stillborn(unheard),
            }
            return;
        }
    };
    process.wired(&wiring);
    let (inputs, outputs) = hand_over(&mut store, wiring);
    // The parent may have been killed meanwhile; its child lives all the same.
    let _ = tell.send(Ok(()));
    let run = instance.call_run(&mut store, &birth.arguments, &inputs, &outputs);
    let result = Metered::new(run, &turn, &limits, &clock).await;
    let state = store.data_mut();
    let panic = state.panic.take();
    state.outcome = Some(match result {
        Ok(Ok(Ok(()))) => Outcome::Finished,
        Ok(Ok(Err(text))) => Outcome::Failed(text),
        Ok(Err(error)) => Outcome::of_error(&error, panic),
        Err(overrun) => Outcome::Killed(overrun),
    });
}

async fn instantiate(
    process: &Arc<Process>,
    birth: &Birth,
    fate: Fate,
    turn: &Turn,
) -> Result<(Store<ProcessState>, bindings::Guest), SpawnFault> {
    let host = &birth.network.host;
    let wasi =
        grants::wasi(&birth.settings.grants, host.seeded()).map_err(SpawnFault::Instantiation)?;
    let state = ProcessState::new(
        process.clone(),
        birth.network.clone(),
        birth.settings.clone(),
        wasi,
        fate,
    );
    let mut store = Store::new(host.engine(), state);
    store.limiter(|state| &mut state.memory);
    let preemption = if host.is_seeded() {
        preempt_by_fuel(&mut store)
    } else {
        preempt_by_epoch(&mut store, turn.clone());
        Ok(())
    };
    preemption.map_err(|error| SpawnFault::Instantiation(format!("{error:#}")))?;
    match birth.component.pre().instantiate_async(&mut store).await {
        Ok(instance) => Ok((store, instance)),
        Err(error) => Err(match Outcome::of_error(&error, None) {
            Outcome::Killed(overrun) => SpawnFault::Overrun(overrun),
            Outcome::Trapped(_) => SpawnFault::Instantiation(format!("{error:#}")),
            other => SpawnFault::Instantiation(other.to_string()),
        }),
    }
}

/// Has the process yield when it has computed on past a tick.
fn preempt_by_epoch(store: &mut Store<ProcessState>, turn: Turn) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        Ok(if turn.is_over() {
            UpdateDeadline::Yield(1)
        } else {
            UpdateDeadline::Continue(1)
        })
    });
}

/// Instructions, roughly, after which a seeded process lets others run.
const TURN: u64 = 1_000_000;

fn preempt_by_fuel(store: &mut Store<ProcessState>) -> wasmtime::Result<()> {
    store.set_fuel(u64::MAX)?;
    store.fuel_async_yield_interval(Some(TURN))
}

type Ports<T> = Vec<(String, Resource<T>)>;

fn hand_over(store: &mut Store<ProcessState>, wiring: Wiring) -> (Ports<Receiver>, Ports<Sender>) {
    let ends = &mut store.data_mut().ends;
    let inputs = wiring.inputs.into_iter();
    let outputs = wiring.outputs.into_iter();
    (
        inputs
            .map(|(name, receiver)| (name, ends.add_receiver(receiver)))
            .collect(),
        outputs
            .map(|(name, sender)| (name, ends.add_sender(sender)))
            .collect(),
    )
}

/// Dropped when everything of a process is gone: frees its place, then tells everybody.
struct Ending {
    process: Arc<Process>,
    network: Arc<NetworkState>,
    fate: Arc<Mutex<Option<Outcome>>>,
    place: Option<Place>,
    parent: Option<Kin>,
}

impl Ending {
    /// The process was never born, and its parent knows.
    fn forget(&mut self) {
        self.network.forget(&self.process);
    }

    /// The process was never born, and nobody has been told.
    fn stillborn(&mut self, unheard: Result<(), (SpawnFault, Wiring)>) {
        let Err((fault, wiring)) = unheard else {
            return;
        };
        let outcome = match fault {
            SpawnFault::Overrun(overrun) => Outcome::Killed(overrun),
            other => Outcome::Failed(other.to_string()),
        };
        if let Some(poison) = outcome.poison(&self.process.name) {
            for (_, receiver) in &wiring.inputs {
                receiver.poison(poison.clone());
            }
            for (_, sender) in &wiring.outputs {
                sender.poison(poison.clone());
            }
        }
        *lock(&self.fate) = Some(outcome);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        drop(self.place.take());
        drop(self.parent.take());
        let fate = lock(&self.fate).take();
        let outcome = match fate {
            Some(outcome) => outcome,
            None => self.process.sentence(),
        };
        self.network.ended(&self.process, outcome);
    }
}
