//! From component to running process.
//!
//! All guest code of a process, its instantiation included, runs in the process's own task, so that
//! limits, preemption and kills apply from the first instruction.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use tokio::sync::oneshot;
use transputer_abi::Ports;
use transputer_abi::handles::{ReceiverHandle, SenderHandle};
use transputer_core::ProcessId;
use transputer_core::account::Over;
use transputer_core::scheduler::ThisTask;
use wasmtime::Store;

use super::exit::{ExitGuard, TellStart};
use super::in_place::Cut;
use super::instantiate::Body;
use super::metered::{Meter, Metered, Turn};
use super::{Outcome, Process, ProcessSpec, ProcessState};
use crate::error::SpawnFault;
use crate::limits::Held;
use crate::limits::{Budget, Count};
use crate::message::{Receiver, Sender};
use crate::network::permits::ProcessPermit;
use crate::network::state::NetworkState;
use crate::supervision::{ChildSlot, Swap};
use crate::text::Text;

/// A process to be, except for its ends.
pub(crate) struct SpawnRequest {
    pub(crate) network: Arc<NetworkState>,
    pub(crate) spec: ProcessSpec,
    /// What it shares with others from its beginning, if it was spawned by one of them.
    pub(crate) budget: Option<Arc<Budget>>,
    /// Counts the process among its parent's children while it lives.
    pub(crate) parent: Option<ChildGuard>,
    /// Its parent's number.
    pub(crate) spawned_by: Option<ProcessId>,
    /// Its slot in its group, if it is supervised.
    pub(crate) child_slot: Option<ChildSlot>,
    /// Its permit, if it has one already.
    pub(crate) permit: Option<ProcessPermit>,
    /// The incarnation before it, whose name it takes over.
    pub(crate) replaces: Option<Arc<Process>>,
}

/// One living child in its parent's count.
pub(crate) struct ChildGuard(Arc<Count>);

impl ChildGuard {
    /// One more, if that is allowed.
    pub(crate) fn new(children: &Arc<Count>) -> Result<Self, Over<()>> {
        children.take(1)?;
        Ok(Self(children.clone()))
    }
}

impl Drop for ChildGuard {
    fn drop(&mut self) {
        self.0.give(1);
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
/// If there is no permit for it, or its network is being stopped. The wiring comes back.
pub(crate) fn spawn(
    mut request: SpawnRequest,
    wiring: Wiring,
) -> Result<(Arc<Process>, Started), (SpawnFault, Wiring)> {
    let host = request.network.host.clone();
    let permit = request.permit.take();
    let permit = match permit.map_or_else(|| request.network.try_acquire_for_child(), Ok) {
        Ok(permit) => permit,
        Err(fault) => return Err((fault, wiring)),
    };
    let budget = request.budget.take();
    let given = &request.spec.limits.given;
    let budget = budget.unwrap_or_else(|| Budget::new(given, &request.network));
    let process = match request.network.enrol(&request, budget) {
        Ok(process) => process,
        Err(fault) => return Err((fault, wiring)),
    };
    if let Some(child_slot) = &request.child_slot {
        child_slot.taken(&process, host.scheduler().clock().now());
    }
    let (tell, mut started) = oneshot::channel();
    if request.parent.is_none() {
        // Nobody listens: its outcome tells everybody whether it started.
        started.close();
    }
    let guard = ExitGuard {
        process: process.clone(),
        network: request.network.clone(),
        wiring: Some(wiring),
        store: None,
        permit: Some(permit),
        parent: request.parent.take(),
        child_slot: request.child_slot,
        ending: None,
        finished: false,
    };
    let task = host.scheduler().spawn_with(|task| live(guard, tell, task));
    process.started(task);
    Ok((process, started))
}

/// The life of a process, from its instantiation to its end.
async fn live(mut guard: ExitGuard, tell: TellStart, task: ThisTask) {
    let outcome = run(&mut guard, tell, &task).await;
    // Whoever ended it did so before poisoning its channels, which it may have come upon first.
    // A stop of the whole network takes them one after the other: until it has come to this one, others are gone.
    let ended = || {
        guard
            .process
            .kill_reason()
            .or_else(|| guard.network.stopped())
    };
    let outcome = match outcome {
        Outcome::Finished => outcome,
        other => ended().unwrap_or(other),
    };
    guard.finish(outcome).await;
}

/// Instantiates a process, and runs it until it ends.
async fn run(guard: &mut ExitGuard, tell: TellStart, task: &ThisTask) -> Outcome {
    let process = guard.process.clone();
    let network = guard.network.clone();
    let spec = &process.spec;
    let clock = network.host.scheduler().clock();
    let turn = Turn::new(network.host.ticks());
    let mut meter = Meter::new(&process, &turn, &spec.limits, clock);
    let body = Body {
        process: &process,
        network: &network,
        component: &spec.component,
        task,
    };
    let begun = unless_ended(&process, body.begin_metered(&turn, &mut meter));
    let (store, mut instance) = match begun.await {
        Ok(Ok(begun)) => begun,
        Ok(Err(fault)) => return guard.not_started(fault, tell),
        Err(reason) => return reason,
    };
    let wiring = guard.wiring.take().unwrap_or_default();
    process.wired(&wiring);
    let child_slot = guard.child_slot.as_ref().filter(|slot| slot.keeps_ends());
    if child_slot.is_some() || spec.finished.is_wanted() {
        let tried = child_slot.map_or_else(Vec::new, ChildSlot::tried);
        let finished = spec.finished.clone();
        process
            .in_flight
            .start(process.input_channels(), tried, finished);
    }
    let store = guard.store.insert(store);
    let (mut inputs, mut outputs) = hand_over(store, wiring);
    store.data().trace(|| "begins to run");
    // The parent may have been killed meanwhile; its child lives all the same.
    let _ = tell.send(Ok(()));
    loop {
        let ports = Ports {
            arguments: &process.code().handed(&spec.arguments),
            inputs: &inputs,
            outputs: &outputs,
        };
        // Before it runs: it can have operations that wait before it is first parked.
        let stackless = &process.stackless.is;
        stackless.store(instance.is_stackless(), Ordering::Release);
        let run = until_replaced(instance.run(store, &ports), &process);
        match unless_ended(&process, Metered::new(run, &mut meter)).await {
            Ok(Ok(Run::Ended(result))) => return outcome_of(result, store),
            Ok(Err(overrun)) => return Outcome::Killed(overrun),
            Err(reason) => return reason,
            Ok(Ok(Run::Replaced(swap))) => {
                let next = swap.take_over(store, &process);
                instance = next.instance;
                meter.take_turn(next.turn);
                (inputs, outputs) = hand_over(store, next.wiring);
                // Whoever asked for it may have gone.
                let _ = next.done.send(());
            }
        }
    }
}

/// Polls `work` until it is done, or until somebody has ended the process: then the outcome is the error.
async fn unless_ended<T>(process: &Process, work: impl Future<Output = T>) -> Result<T, Outcome> {
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Some(reason) = process.kill_reason() {
            return Poll::Ready(Err(reason));
        }
        match work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            // It may have been ended while it was polled, by itself even.
            Poll::Pending => match process.kill_reason() {
                Some(reason) => Poll::Ready(Err(reason)),
                None => Poll::Pending,
            },
        }
    })
    .await
}

/// How one call of a guest's `run` ended.
enum Run<T> {
    Ended(T),
    /// Another component replaces its own.
    Replaced(Swap),
}

/// Runs a guest until it ends, or until it is at a point where it is to be replaced.
async fn until_replaced<T>(
    run: impl Future<Output = wasmtime::Result<T>>,
    process: &Process,
) -> Run<wasmtime::Result<T>> {
    let mut run = pin!(run);
    poll_fn(|context| {
        let polled = run.as_mut().poll(context);
        if let Poll::Ready(result) = &polled
            && !matches!(result, Err(error) if error.downcast_ref::<Cut>().is_some())
        {
            return polled.map(Run::Ended);
        }
        match process.in_flight.due() {
            Some(swap) => Poll::Ready(Run::Replaced(swap)),
            None => polled.map(Run::Ended),
        }
    })
    .await
}

/// What the result of a guest's `run` means.
fn outcome_of(
    result: wasmtime::Result<Result<(), String>>,
    store: &mut Store<ProcessState>,
) -> Outcome {
    match result {
        Ok(Ok(())) => Outcome::Finished,
        Ok(Err(text)) => Outcome::Failed(Text::new(text).into_string()),
        Err(error) => {
            let panic = store.data_mut().panic.take().map(Held::into_inner);
            let mut outcome = Outcome::of_error(&error, panic);
            let host = store.data().network.host.clone();
            if let (Outcome::Trapped(trap), Some(dumper)) = (&mut outcome, host.dumper()) {
                trap.core_dump = dumper.write(store, &error);
            }
            outcome
        }
    }
}

/// The ends at a process's ports, by name, as handles.
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
