//! Processes: each is one instance in one store.
//!
//! [`Process`] is what others may know of a process and do to it; [`ProcessState`] is what
//! its store holds and its imports work on. A process begins in [`spawn`], and ends in `exit`,
//! whatever ended it.

mod end;
mod ends;
mod exit;
mod grants;
mod in_place;
mod instantiate;
mod lifetime;
mod limits;
mod measures;
mod metered;
mod outcome;
mod pace;
mod printed;
mod processor_time;
mod resources;
mod spawn;
mod spec;
mod state;

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use transputer_core::channel::Poison;
use transputer_core::clock::{Clock, Time};
use transputer_core::scheduler::Task;
use transputer_core::{ChannelId, ProcessId};

use crate::component::Component;
use crate::host::lock;
use crate::limits::{Budget, Charge};
use crate::message::End;
use crate::supervision::{ChildSlot, InFlight};
use transputer_network::policies::RestartPolicy;

pub use lifetime::{HeardFrom, Lifetime};
pub use outcome::{LimitKind, LimitOwner, Outcome, Overrun, Peer, Trap};

pub(crate) use crate::host_calls::{Operation, Prepared};
pub(crate) use end::LINK;
use end::Listeners;
pub(crate) use ends::Ends;
pub(crate) use grants::{OpenDirectories, Seeded};
pub(crate) use instantiate::Body;
use lifetime::Lived;
pub(crate) use limits::{MESSAGE, MemoryLimiter, ProcessLimits, checked_limits};
pub(crate) use measures::Measures;
pub(crate) use metered::Turn;
pub(crate) use pace::Pace;
pub(crate) use spawn::{ChildGuard, SpawnRequest, Started, Wiring, spawn};
pub(crate) use spec::{Arguments, OwnLimits, ProcessSpec, Spawnable};
pub(crate) use state::ProcessState;

/// A port's channel and name.
type Port = (ChannelId, Box<str>);

/// What others may know of a process and do to it.
pub(crate) struct Process {
    pub(crate) id: ProcessId,
    /// Unique among the living processes of its network.
    pub(crate) name: Arc<str>,
    pub(crate) spec: ProcessSpec,
    /// Its ports, by the channels that they were wired to.
    ports: OnceLock<Ports>,
    /// Incremented when it parks in an operation on channels, and when that is over: odd while parked.
    /// A stackless process parks in all of its operations at once.
    parkings: AtomicU64,
    /// What is told of a stackless process while it is parked.
    stackless: Stackless,
    /// Whether somebody has ended it: checked at each poll of its task.
    killed: AtomicBool,
    life: Mutex<Life>,
    /// What it uses up, with all that share it.
    pub(crate) budget: Arc<Budget>,
    /// What is counted of it.
    pub(crate) measures: Arc<Measures>,
    /// When it began, and with whom it has to do.
    lived: Lived,
    /// When it began to wait, in a network that is traced.
    traced_wait: Option<TracedWait>,
    /// The charge for the texts of its outcome, as long as anybody keeps them.
    kept: OnceLock<Arc<Charge>>,
    /// What its channels are poisoned with, once that is decided.
    poison: OnceLock<Poison>,
    /// When it is restarted.
    pub(crate) policy: RestartPolicy,
    pub(crate) child_slot: Option<ChildSlot>,
    /// What it has received and not finished, where that matters.
    pub(crate) in_flight: InFlight,
    /// What its instance is made of: the component of `spec`, or what has replaced it.
    code: Mutex<Component>,
}

/// What others may know of the waits of a stackless process. Written by its own task, between its turns.
#[derive(Default)]
struct Stackless {
    /// Whether it is one.
    is: AtomicBool,
    /// Whether it goes on by itself: one of its calls ends with time, or by somebody who does not wait.
    live: AtomicBool,
    /// When the oldest of its operations on channels began to wait, in nanoseconds; 0 if none does, or if
    /// that is not limited.
    oldest: AtomicU64,
}

/// When a process that is traced last began to wait, until the step after that is told.
struct TracedWait {
    clock: Clock,
    since: AtomicU64,
}

const NOT_WAITING: u64 = u64::MAX;

/// How a stackless process waits, as deadlock detection sees it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// It runs, or goes on by itself.
    Live,
    /// It is parked for the time of this number.
    Parked(u64),
}

/// Inputs first.
struct Ports {
    all: Box<[Port]>,
    inputs: usize,
}

/// A process from request to end. Its lock is a leaf: nothing else is locked under it.
#[derive(Default)]
struct Life {
    task: Option<Task>,
    /// What it ends with because somebody has ended it.
    kill_reason: Option<Outcome>,
    /// How it has ended, from the moment when its monitors are being told.
    ending: Option<Outcome>,
    /// The same, from the moment when all of them have been told.
    outcome: Option<Outcome>,
    listeners: Listeners,
    /// Whose end it waits for itself, and the number of that wait.
    joining: Option<Join>,
    joins: u64,
}

/// A process that waits for another one's end.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Join {
    /// Whose end.
    pub(crate) target: ProcessId,
    /// Tells this wait from every other of the same process.
    pub(crate) ticket: u64,
}

/// A child, as the guest that spawned it holds it.
#[derive(Clone)]
pub(crate) struct Child(pub(crate) Arc<Process>);

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Child").field(&self.0.name).finish()
    }
}

impl Process {
    pub(crate) fn new(
        id: ProcessId,
        name: Arc<str>,
        request: &SpawnRequest,
        budget: Arc<Budget>,
    ) -> Self {
        let child_slot = request.child_slot.clone();
        Self {
            id,
            name,
            spec: request.spec.clone(),
            ports: OnceLock::new(),
            parkings: AtomicU64::new(0),
            stackless: Stackless::default(),
            killed: AtomicBool::new(false),
            life: Mutex::default(),
            budget,
            measures: Arc::default(),
            lived: Lived::begins(request),
            traced_wait: request.network.notes.steps.then(|| TracedWait {
                clock: request.network.host.scheduler().clock().clone(),
                since: AtomicU64::new(NOT_WAITING),
            }),
            kept: OnceLock::new(),
            poison: OnceLock::new(),
            policy: child_slot
                .as_ref()
                .map_or_else(Default::default, |child_slot| child_slot.policy),
            child_slot,
            in_flight: InFlight::default(),
            code: Mutex::new(request.spec.component.clone()),
        }
    }

    /// Which of its incarnations this is, counted from 1.
    pub(crate) fn incarnation(&self) -> u64 {
        self.child_slot
            .as_ref()
            .map_or(1, |child_slot| child_slot.incarnation)
    }

    /// What its component is called in the network.
    pub(crate) fn component_name(&self) -> &str {
        &self.spec.component_name
    }

    /// The code that it runs.
    pub(crate) fn code(&self) -> Component {
        lock(&self.code).clone()
    }

    /// Notes that it runs this code from now on.
    pub(crate) fn set_code(&self, component: Component) {
        *lock(&self.code) = component;
    }

    /// Remembers which ports the process started with, for reports.
    pub(crate) fn wired(&self, wiring: &Wiring) {
        let inputs = wiring.inputs.iter();
        let inputs = inputs.map(|(name, end)| (end.id(), name.as_str().into()));
        let outputs = wiring.outputs.iter();
        let outputs = outputs.map(|(name, end)| (end.id(), name.as_str().into()));
        // A process is wired once; nobody can have been here before.
        let _ = self.ports.set(Ports {
            all: inputs.chain(outputs).collect(),
            inputs: wiring.inputs.len(),
        });
        self.in_flight.wired(|| self.input_channels());
    }

    /// Its input and its output ports, each with the channel that it was wired to.
    pub(crate) fn ports(&self) -> (&[Port], &[Port]) {
        match self.ports.get() {
            Some(ports) => ports.all.split_at(ports.inputs),
            None => (&[], &[]),
        }
    }

    /// The channels of its input ports.
    pub(crate) fn input_channels(&self) -> Vec<ChannelId> {
        self.ports().0.iter().map(|(channel, _)| *channel).collect()
    }

    /// The port that the process started with at this channel.
    pub(crate) fn port(&self, channel: ChannelId) -> Option<&str> {
        let ports = self.ports.get()?.all.iter();
        let mut at_channel = ports.filter(|(wired, _)| *wired == channel);
        at_channel.next().map(|(_, name)| &**name)
    }

    /// Connects the process with the task that runs it. If it has been ended already, the task is told now.
    pub(crate) fn started(&self, task: Task) {
        let mut life = lock(&self.life);
        if life.outcome.is_some() {
            return;
        }
        life.task = Some(task.clone());
        let ended = life.kill_reason.is_some();
        drop(life);
        if ended {
            task.wake();
        }
    }

    /// Ends the process from outside: its task leaves every queue and finishes it, when it is next
    /// polled or after the poll that it is in. The first reason counts; one that comes after the
    /// end changes nothing.
    pub(crate) fn end(&self, reason: Outcome) {
        let mut life = lock(&self.life);
        if life.outcome.is_some() || life.kill_reason.is_some() {
            return;
        }
        life.kill_reason = Some(reason);
        self.killed.store(true, Ordering::Release);
        let task = life.task.clone();
        drop(life);
        if let Some(task) = task {
            task.wake();
        }
    }

    /// How it ended, if it has.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        lock(&self.life).outcome.clone()
    }

    /// The outcome that it is to have, if somebody has ended it.
    pub(crate) fn kill_reason(&self) -> Option<Outcome> {
        if !self.killed.load(Ordering::Acquire) {
            return None;
        }
        lock(&self.life).kill_reason.clone()
    }

    /// The outcome that it has if its task is never polled again.
    pub(crate) fn cut_short(&self) -> Outcome {
        let stopped = || Outcome::Stopped("the host cut it short".to_owned());
        self.kill_reason().unwrap_or_else(stopped)
    }

    /// Poisons ends that it leaves behind, if it was ended or did not finish; except the ends at its
    /// ports, if another incarnation takes them over.
    pub(crate) fn poison(&self, ends: &[End]) {
        let life = lock(&self.life);
        let outcome = life.outcome.as_ref().or(life.kill_reason.as_ref());
        let outcome = outcome.cloned();
        drop(life);
        let poison = outcome.and_then(|outcome| match self.poison.get() {
            Some(poison) => Some(poison.clone()),
            None => outcome.poison(self),
        });
        let Some(poison) = poison else { return };
        for end in ends {
            let kept = |channel| self.child_slot.is_some() && self.port(channel).is_some();
            if !end.channel().is_some_and(kept) {
                end.poison(&poison);
            }
        }
    }

    /// Keeps the charge for the texts of its outcome.
    pub(crate) fn keep(&self, charge: Charge) {
        // A process ends once.
        let _ = self.kept.set(Arc::new(charge));
    }

    /// The same, for whoever keeps a copy of its outcome.
    pub(crate) fn kept(&self) -> Option<Arc<Charge>> {
        self.kept.get().cloned()
    }

    /// What its channels are poisoned with after this outcome, which is its final one. One text is
    /// shared by all of them.
    pub(crate) fn poison_for(&self, outcome: &Outcome) -> Option<Poison> {
        if self.poison.get().is_none()
            && let Some(poison) = outcome.poison(self)
        {
            // Another thread can only have decided the same.
            let _ = self.poison.set(poison);
        }
        self.poison.get().cloned()
    }

    /// Has its task look around.
    pub(crate) fn wake(&self) {
        let task = lock(&self.life).task.clone();
        if let Some(task) = task {
            task.wake();
        }
    }

    /// The number of the operation on channels that it is parked in. For its own task.
    fn parked_operation(&self) -> Option<u64> {
        let parkings = self.parkings.load(Ordering::Relaxed);
        (parkings % 2 == 1).then_some(parkings)
    }

    /// How often it has parked in an operation on channels, or gone on since. For its own task.
    #[inline]
    pub(crate) fn parkings(&self) -> u64 {
        self.parkings.load(Ordering::Relaxed)
    }

    /// Notes that it parks in an operation on channels, and goes on when the guard is dropped. For
    /// its own task.
    #[inline]
    pub(crate) fn park(&self) -> Parked<'_> {
        self.note_parking();
        Parked(self)
    }

    #[inline]
    fn note_parking(&self) {
        let parkings = self.parkings();
        self.parkings.store(parkings + 1, Ordering::Relaxed);
        if parkings.is_multiple_of(2) {
            self.begins_to_wait();
        }
    }

    /// Notes when it begins to wait, if it is traced. For its own task.
    #[inline]
    pub(crate) fn begins_to_wait(&self) {
        if let Some(traced) = &self.traced_wait {
            traced
                .since
                .store(traced.clock.now().as_nanos(), Ordering::Relaxed);
        }
    }

    /// Since when it has waited for the step that it tells next. For its own task.
    pub(crate) fn take_wait(&self) -> Option<u64> {
        let since = self
            .traced_wait
            .as_ref()?
            .since
            .swap(NOT_WAITING, Ordering::Relaxed);
        (since != NOT_WAITING).then_some(since)
    }

    /// Notes that it is parked in its calls. For its own task, if it is stackless.
    pub(crate) fn stackless_parks(&self, live: bool, oldest: Option<Time>) {
        self.stackless.is.store(true, Ordering::Relaxed);
        self.stackless.live.store(live, Ordering::Relaxed);
        let oldest = oldest.map_or(0, |time| time.as_nanos().max(1));
        self.stackless.oldest.store(oldest, Ordering::Relaxed);
        if self.parked_operation().is_none() {
            self.begins_to_wait();
            self.step_parkings();
        }
    }

    /// Notes that it goes on, likewise.
    pub(crate) fn stackless_goes_on(&self) {
        if self.parked_operation().is_some() {
            self.step_parkings();
        }
    }

    /// Only its own task writes it.
    fn step_parkings(&self) {
        self.parkings.store(self.parkings() + 1, Ordering::Release);
    }

    /// How it waits, if it is stackless.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        let parkings = self.parkings.load(Ordering::Acquire);
        if !self.stackless.is.load(Ordering::Relaxed) {
            return None;
        }
        let live = self.stackless.live.load(Ordering::Relaxed);
        Some(match parkings % 2 == 1 && !live {
            true => Waiting::Parked(parkings),
            false => Waiting::Live,
        })
    }

    /// The number of the operation on channels that it is parked in, if that has a limit to keep to. For
    /// its own task.
    fn limited_operation(&self) -> Option<u64> {
        let stackless = self.stackless.is.load(Ordering::Relaxed);
        let unlimited = stackless && self.oldest_operation().is_none();
        self.parked_operation().filter(|_| !unlimited)
    }

    /// When its oldest operation on channels began to wait, if it is stackless and that is limited.
    fn oldest_operation(&self) -> Option<Time> {
        let oldest = self.stackless.oldest.load(Ordering::Relaxed);
        (oldest > 0).then(|| Time::from_nanos(oldest))
    }

    /// Runs an operation on channels of this process, which notes when it is parked there.
    pub(crate) async fn operate<F: Future>(&self, operation: F) -> F::Output {
        let mut operation = pin!(operation);
        let mut parked = None;
        poll_fn(|context| {
            let polled = operation.as_mut().poll(context);
            if polled.is_pending() && parked.is_none() {
                parked = Some(self.park());
            }
            polled
        })
        .await
    }

    /// Notes that this process waits for `target`, until the guard is dropped.
    pub(crate) fn joining(self: &Arc<Self>, target: ProcessId) -> Joining {
        let mut life = lock(&self.life);
        life.joins += 1;
        life.joining = Some(Join {
            target,
            ticket: life.joins,
        });
        Joining(self.clone())
    }

    /// Whose end this process waits for.
    pub(crate) fn join(&self) -> Option<Join> {
        lock(&self.life).joining
    }
}

/// A process is parked in an operation on channels as long as this lives: until the operation is
/// over, or is dropped with the instance that made it.
pub(crate) struct Parked<'a>(&'a Process);

impl Drop for Parked<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.note_parking();
    }
}

/// A wait for another process's end; over when dropped.
pub(crate) struct Joining(Arc<Process>);

impl Drop for Joining {
    fn drop(&mut self) {
        lock(&self.0.life).joining = None;
    }
}
