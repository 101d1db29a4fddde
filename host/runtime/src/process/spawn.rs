//! From component to running process.
//!
//! All guest code of a process, its instantiation included, runs in the process's own task,
//! so that limits, preemption and kills hold from the first instruction on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use tokio::sync::oneshot;
use transputer_abi::handles::{ReceiverHandle, SenderHandle};
use transputer_core::scheduler;
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::WasiCtxBuilder;

use super::limits::ProcessLimits;
use super::metered::{Meter, Metered, Turn};
use super::outcome::{Outcome, Overrun};
use super::state::{ExitRecord, ExitSlot, ProcessState, Settings};
use super::{Process, grants};
use crate::component::Component;
use crate::error::SpawnFault;
use crate::host::lock;
use crate::message::{Receiver, Sender};
use crate::network::permits::ProcessPermit;
use crate::network::state::NetworkState;
use crate::supervision::{ChildSlot, Handover, Swap};
use transputer_abi::{Instance, Ports};

/// What a new process is made of.
pub(crate) struct SpawnRequest {
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
    pub(crate) parent: Option<ChildGuard>,
    /// Its place among those that are supervised, if it is.
    pub(crate) child_slot: Option<ChildSlot>,
    /// Its place among those that may live, if it has one already.
    pub(crate) place: Option<ProcessPermit>,
    /// The incarnation before it, whose name it takes over.
    pub(crate) replaces: Option<Arc<Process>>,
}

/// One living child in its parent's count.
pub(crate) struct ChildGuard(Arc<AtomicUsize>);

impl ChildGuard {
    pub(crate) fn new(children: &Arc<AtomicUsize>) -> Self {
        children.fetch_add(1, Ordering::AcqRel);
        Self(children.clone())
    }
}

impl Drop for ChildGuard {
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
/// Without a place for it, or while its network is being stopped; the wiring comes back.
pub(crate) fn spawn(
    mut request: SpawnRequest,
    wiring: Wiring,
) -> Result<(Arc<Process>, Started), (SpawnFault, Wiring)> {
    let host = request.network.host.clone();
    let place = request.place.take();
    let place = match place.map_or_else(|| request.network.try_acquire_for_child(), Ok) {
        Ok(place) => place,
        Err(fault) => return Err((fault, wiring)),
    };
    let process = match request.network.enrol(&request) {
        Ok(process) => process,
        Err(fault) => return Err((fault, wiring)),
    };
    if let Some(child_slot) = &request.child_slot {
        child_slot.taken(&process, host.scheduler().clock().now());
    }
    let (tell, mut started) = oneshot::channel();
    if request.parent.is_none() {
        // Nobody listens: how it starts is in its outcome, for everybody.
        started.close();
    }
    let fate = ExitSlot::default();
    let ending = ExitGuard {
        process: process.clone(),
        network: request.network.clone(),
        fate: fate.clone(),
        place: Some(place),
        parent: request.parent.take(),
        child_slot: request.child_slot.clone(),
        wiring: Some(wiring),
    };
    let task = host.scheduler().spawn(live(ending, fate, request, tell));
    process.started(task);
    Ok((process, started))
}

/// The life of a process. `ending` is the first parameter because parameters are dropped
/// last to first: the process has ended only when its store is gone.
async fn live(
    mut ending: ExitGuard,
    fate: ExitSlot,
    request: SpawnRequest,
    tell: oneshot::Sender<Result<(), (SpawnFault, Wiring)>>,
) {
    let process = ending.process.clone();
    let limits = request.settings.limits;
    let clock = request.network.host.scheduler().clock().clone();
    let turn = Turn::new(request.network.host.ticks());
    let mut meter = Meter::new(&process, &turn, &limits, &request.network.totals, &clock);
    let body = Body {
        process: &process,
        network: &request.network,
        component: &request.component,
        settings: &request.settings,
    };
    let (mut store, mut instance) = match body
        .begin_metered(Some(fate.clone()), &turn, &mut meter)
        .await
    {
        Ok(begun) => begun,
        Err(fault) => return ending.unborn(fault, tell),
    };
    let wiring = ending.wiring.take().unwrap_or_default();
    process.wired(&wiring);
    if let Some(child_slot) = request
        .child_slot
        .as_ref()
        .filter(|child_slot| child_slot.keeps_ends())
    {
        process
            .in_flight
            .start(process.input_channels(), child_slot.tried());
    }
    let (mut inputs, mut outputs) = hand_over(&mut store, wiring);
    // The parent may have been killed meanwhile; its child lives all the same.
    let _ = tell.send(Ok(()));
    loop {
        let ports = Ports {
            arguments: &request.arguments,
            inputs: &inputs,
            outputs: &outputs,
        };
        let run = instance.run(&mut store, &ports);
        let run = Metered::new(until_replaced(run, &process), &mut meter);
        match run.await {
            Ok(Run::Ended(result)) => return conclude(store.data_mut(), Ok(result)),
            Err(overrun) => return conclude(store.data_mut(), Err(overrun)),
            Ok(Run::Replaced(swap)) => {
                let handover = store.data_mut().retire();
                let next = swap.take_over(store, handover, fate.clone(), &process);
                (store, instance) = (next.store, next.instance);
                meter.take_turn(next.turn);
                (inputs, outputs) = hand_over(&mut store, next.wiring);
                // Whoever asked for it may have gone.
                let _ = next.done.send(());
            }
        }
    }
}

/// How one call of a guest's `run` was over.
enum Run<T> {
    Ended(T),
    /// Another component takes the place of its own.
    Replaced(Swap),
}

/// Runs a guest until it ends, or until it is at a place where it is to be replaced.
async fn until_replaced<T>(run: impl Future<Output = T>, process: &Process) -> Run<T> {
    let mut run = std::pin::pin!(run);
    std::future::poll_fn(|context| match run.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Run::Ended(result)),
        Poll::Pending => match process.in_flight.due() {
            Some(swap) => Poll::Ready(Run::Replaced(swap)),
            None => Poll::Pending,
        },
    })
    .await
}

/// Leaves the outcome of a `run` to the state, whose drop tells it.
fn conclude(
    state: &mut ProcessState,
    result: Result<wasmtime::Result<Result<(), String>>, Overrun>,
) {
    let panic = state.panic.take();
    state.outcome = Some(match result {
        Ok(Ok(Ok(()))) => Outcome::Finished,
        Ok(Ok(Err(text))) => Outcome::Failed(text),
        Ok(Err(error)) => Outcome::of_error(&error, panic),
        Err(overrun) => Outcome::Killed(overrun),
    });
}

/// What an instance is made of.
pub(crate) struct Body<'a> {
    pub(crate) process: &'a Arc<Process>,
    pub(crate) network: &'a Arc<NetworkState>,
    pub(crate) component: &'a Component,
    pub(crate) settings: &'a Arc<Settings>,
}

impl Body<'_> {
    /// Instantiates it, within the process's limits.
    pub(crate) async fn begin(
        &self,
        fate: Option<ExitSlot>,
        turn: &Turn,
    ) -> Result<(Store<ProcessState>, Instance), SpawnFault> {
        let clock = self.network.host.scheduler().clock();
        let (limits, totals) = (&self.settings.limits, &self.network.totals);
        let mut meter = Meter::new(self.process, turn, limits, totals, clock);
        self.begin_metered(fate, turn, &mut meter).await
    }

    async fn begin_metered(
        &self,
        fate: Option<ExitSlot>,
        turn: &Turn,
        meter: &mut Meter,
    ) -> Result<(Store<ProcessState>, Instance), SpawnFault> {
        Metered::new(self.instantiate(fate, turn), meter)
            .await
            .map_err(SpawnFault::Overrun)
            .flatten()
    }

    async fn instantiate(
        &self,
        fate: Option<ExitSlot>,
        turn: &Turn,
    ) -> Result<(Store<ProcessState>, Instance), SpawnFault> {
        let host = &self.network.host;
        let wasi = self.directories().map_err(SpawnFault::Instantiation)?;
        let state = ProcessState::new(
            self.process.clone(),
            self.network.clone(),
            self.settings.clone(),
            wasi,
            fate,
        );
        let mut store = Store::new(host.engine(), state);
        store.limiter(|state| &mut state.memory);
        store.set_max_component_handles(handles(&self.settings.limits));
        let preemption = if host.is_seeded() {
            preempt_by_fuel(&mut store)
        } else {
            preempt_by_epoch(&mut store, turn.clone());
            Ok(())
        };
        preemption.map_err(|error| SpawnFault::Instantiation(format!("{error:#}")))?;
        match self.component.code().instantiate(&mut store).await {
            Ok(instance) => Ok((store, instance)),
            Err(error) => Err(match Outcome::of_error(&error, None) {
                Outcome::Killed(overrun) => SpawnFault::Overrun(overrun),
                Outcome::Trapped(_) => SpawnFault::Instantiation(format!("{error:#}")),
                other => SpawnFault::Instantiation(other.to_string()),
            }),
        }
    }

    /// A WASI context with the directories that are granted, if any are: whether they can be
    /// opened must be known now.
    fn directories(&self) -> Result<Option<WasiCtxBuilder>, String> {
        let grants = &self.settings.grants;
        if grants.directories.is_empty() {
            return Ok(None);
        }
        let host = &self.network.host;
        let clock = host.scheduler().clock();
        let mut builder = grants::wasi(grants, clock, clock.now(), host.seeded());
        grants::directories(&mut builder, grants)?;
        Ok(Some(builder))
    }
}

/// How many handles a process can come to hold within its limits: of its ends, its children, and
/// some for prepared alternations and WASI. Going over this is a trap, over a limit an error.
fn handles(limits: &ProcessLimits) -> usize {
    const OTHERS: usize = 10_000;
    OTHERS
        .saturating_add(limits.ends)
        .saturating_add(limits.children)
}

/// Has the process yield when it has computed on past a tick.
fn preempt_by_epoch(store: &mut Store<ProcessState>, turn: Turn) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        Ok(if turn.is_over() {
            scheduler::preempted();
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

/// The ends at a process's ports, by their names, as its handles stand for them.
type Inputs = Vec<(String, ReceiverHandle)>;
type Outputs = Vec<(String, SenderHandle)>;

/// Gives an instance the ends of its ports.
fn hand_over(store: &mut Store<ProcessState>, wiring: Wiring) -> (Inputs, Outputs) {
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
struct ExitGuard {
    process: Arc<Process>,
    network: Arc<NetworkState>,
    fate: ExitSlot,
    place: Option<ProcessPermit>,
    parent: Option<ChildGuard>,
    child_slot: Option<ChildSlot>,
    /// The ends of its ports, until its instance has them.
    wiring: Option<Wiring>,
}

impl ExitGuard {
    /// The process could not be born: its parent is told or, if there is none, everybody is.
    fn unborn(
        &mut self,
        fault: SpawnFault,
        tell: oneshot::Sender<Result<(), (SpawnFault, Wiring)>>,
    ) {
        let supervised = self.child_slot.is_some();
        if !supervised && !tell.is_closed() {
            let wiring = self.wiring.take().unwrap_or_default();
            match tell.send(Err((fault.clone(), wiring))) {
                Ok(()) => return self.network.forget(&self.process),
                // The parent has gone in this moment.
                Err(unheard) => self.wiring = unheard.err().map(|(_, wiring)| wiring),
            }
        }
        lock(&self.fate).outcome = Some(match fault {
            SpawnFault::Overrun(overrun) => Outcome::Killed(overrun),
            other => Outcome::Failed(other.to_string()),
        });
    }

    /// Ends the ports of a process that never had them, or leaves them to its supervisor.
    fn end_wiring(&self, wiring: Wiring, outcome: &Outcome) -> Option<Handover> {
        if self.child_slot.as_ref().is_some_and(ChildSlot::keeps_ends) {
            return Some(Handover::of_wiring(wiring));
        }
        self.process.end_linked(outcome);
        if let Some(poison) = outcome.poison(&self.process.name) {
            for (_, receiver) in &wiring.inputs {
                receiver.poison(poison.clone());
            }
            for (_, sender) in &wiring.outputs {
                sender.poison(poison.clone());
            }
        }
        None
    }
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        drop(self.parent.take());
        let ExitRecord { outcome, handover } = std::mem::take(&mut *lock(&self.fate));
        let outcome = outcome.unwrap_or_else(|| self.process.kill_reason());
        let handover = match self.wiring.take() {
            Some(wiring) => self.end_wiring(wiring, &outcome),
            None => handover,
        };
        match self.child_slot.take() {
            Some(child_slot) => child_slot.ended(
                &self.network,
                &self.process,
                outcome,
                handover.unwrap_or_default(),
                self.place.take(),
            ),
            None => {
                drop(self.place.take());
                self.network.ended(&self.process, outcome);
            }
        }
    }
}
