//! Processes: one instance in one store each.
//!
//! [`Process`] is what others may know of a process and do to it; [`ProcessState`] is what
//! its store holds and its imports work on. A process begins in [`spawn`], ends when its
//! state is dropped, and whatever ended it, its ends are closed or poisoned there.

mod ends;
mod grants;
mod limits;
mod metered;
mod outcome;
mod spawn;
mod state;

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Poll, Waker};

use transputer_core::scheduler::Task;
use transputer_core::{ChannelId, ProcessId};

use crate::component::Component;
use crate::host::lock;
use crate::message::End;
use crate::supervision::{ChildSlot, InFlight};
use transputer_network::policies::RestartPolicy;

pub use outcome::{LimitKind, LimitOwner, Outcome, Overrun, Trap};

pub(crate) use crate::host_calls::Prepared;
pub(crate) use ends::Ends;
pub(crate) use grants::Seeded;
pub(crate) use limits::{MemoryLimiter, checked_limits};
pub(crate) use metered::Turn;
pub(crate) use spawn::{Body, ChildGuard, SpawnRequest, Wiring, spawn};
pub(crate) use state::{ExitSlot, ProcessState, Settings};

/// A port's channel and name.
type Port = (ChannelId, Box<str>);

/// What others may know of a process, and do to it.
pub(crate) struct Process {
    pub(crate) id: ProcessId,
    pub(crate) name: Arc<str>,
    pub(crate) component: Arc<str>,
    /// Its ports, by the channels that they were wired to.
    ports: OnceLock<Ports>,
    /// Counts when it parks in an operation on channels and when that is over; odd while parked.
    parkings: AtomicU64,
    life: Mutex<Life>,
    /// When it is restarted.
    pub(crate) policy: RestartPolicy,
    pub(crate) child_slot: Option<ChildSlot>,
    /// What it has received and not finished, where that matters.
    pub(crate) in_flight: InFlight,
    /// What its instance is made of.
    code: Mutex<Component>,
    pub(crate) settings: Arc<Settings>,
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
    /// What it was sentenced to from outside; decides the outcome of a task cut short.
    kill_reason: Option<Outcome>,
    outcome: Option<Outcome>,
    /// Who waits for its end.
    waiting: Vec<Waker>,
    /// Whom its failure ends.
    linked: Vec<Weak<Process>>,
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
    pub(crate) fn new(id: ProcessId, name: Arc<str>, request: &SpawnRequest) -> Self {
        let child_slot = request.child_slot.clone();
        Self {
            id,
            name,
            component: request.component_name.clone(),
            ports: OnceLock::new(),
            parkings: AtomicU64::new(0),
            life: Mutex::default(),
            policy: child_slot
                .as_ref()
                .map_or_else(Default::default, |child_slot| child_slot.policy),
            child_slot,
            in_flight: InFlight::default(),
            code: Mutex::new(request.component.clone()),
            settings: request.settings.clone(),
        }
    }

    /// Which of its incarnations this is, counted from 1.
    pub(crate) fn incarnation(&self) -> u64 {
        self.child_slot
            .as_ref()
            .map_or(1, |child_slot| child_slot.incarnation)
    }

    /// The code that it runs.
    pub(crate) fn code(&self) -> Component {
        lock(&self.code).clone()
    }

    /// Notes that it runs other code from now on.
    pub(crate) fn set_code(&self, component: Component) {
        *lock(&self.code) = component;
    }

    /// Remembers which ports the process was born with, for reports.
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

    /// The port that the process was born with at this channel.
    pub(crate) fn port(&self, channel: ChannelId) -> Option<&str> {
        let ports = self.ports.get()?.all.iter();
        let mut at_channel = ports.filter(|(wired, _)| *wired == channel);
        at_channel.next().map(|(_, name)| &**name)
    }

    /// Connects the process with the task that runs it. One that was sentenced before it
    /// could start is ended now.
    pub(crate) fn started(&self, task: Task) {
        let mut life = lock(&self.life);
        let doomed = life.kill_reason.is_some() && life.outcome.is_none();
        life.task = Some(task.clone());
        drop(life);
        if doomed {
            task.abort();
        }
    }

    /// Ends the process from outside: it leaves every queue, its channels are poisoned.
    /// The first kill_reason counts; one that comes after the end changes nothing.
    pub(crate) fn end(&self, kill_reason: Outcome) {
        let mut life = lock(&self.life);
        if life.outcome.is_some() || life.kill_reason.is_some() {
            return;
        }
        life.kill_reason = Some(kill_reason);
        let task = life.task.clone();
        drop(life);
        if let Some(task) = task {
            task.abort();
        }
    }

    /// How it ended, if it has.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        lock(&self.life).outcome.clone()
    }

    /// What a process ends with that did not end by itself.
    pub(crate) fn kill_reason(&self) -> Outcome {
        lock(&self.life)
            .kill_reason
            .clone()
            .unwrap_or_else(|| Outcome::Stopped("the host cut it short".to_owned()))
    }

    /// Poisons ends that it leaves behind, if it was ended or did not finish; but not those of the
    /// channels of its ports if another incarnation takes them over.
    pub(crate) fn poison(&self, ends: &[End]) {
        let life = lock(&self.life);
        let outcome = life.outcome.as_ref().or(life.kill_reason.as_ref());
        let poison = outcome.and_then(|outcome| outcome.poison(&self.name));
        drop(life);
        let Some(poison) = poison else { return };
        for end in ends {
            let kept = |channel| self.child_slot.is_some() && self.port(channel).is_some();
            if !end.channel().is_some_and(kept) {
                end.poison(&poison);
            }
        }
    }

    /// Records the end, and wakes who waited for it.
    pub(crate) fn ended(&self, outcome: Outcome) {
        let mut life = lock(&self.life);
        debug_assert!(life.outcome.is_none(), "a process ends once");
        life.outcome = Some(outcome.clone());
        life.task = None;
        let waiting = std::mem::take(&mut life.waiting);
        drop(life);
        self.in_flight.end();
        waiting.into_iter().for_each(Waker::wake);
        self.end_linked(&outcome);
    }

    /// If the process did not finish, ends those that it is linked with. Comes before its ends are
    /// poisoned: what they end with must not depend on which of the two they hear of first.
    pub(crate) fn end_linked(&self, outcome: &Outcome) {
        let linked = std::mem::take(&mut lock(&self.life).linked);
        if !outcome.is_finished() {
            for other in linked.iter().filter_map(Weak::upgrade) {
                other.end_with(&self.name, outcome);
            }
        }
    }

    /// Has the failure of each of two processes end the other. If one has failed already, the
    /// other is ended now.
    pub(crate) fn link(self: &Arc<Self>, other: &Arc<Self>) {
        for (one, other) in [(self, other), (other, self)] {
            let mut life = lock(&one.life);
            life.linked.retain(|linked| linked.strong_count() > 0);
            match life.outcome.clone() {
                None => life.linked.push(Arc::downgrade(other)),
                Some(outcome) => {
                    drop(life);
                    if !outcome.is_finished() {
                        other.end_with(&one.name, &outcome);
                    }
                }
            }
        }
    }

    /// Ends the process because one that it is linked with has failed.
    pub(crate) fn end_with(&self, name: &str, outcome: &Outcome) {
        self.end(Outcome::Stopped(format!(
            "linked process `{name}` {outcome}"
        )));
    }

    /// Has its task look around.
    pub(crate) fn wake(&self) {
        let task = lock(&self.life).task.clone();
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Waits for the end. Dropping the future stops waiting.
    pub(crate) async fn wait(&self) -> Outcome {
        std::future::poll_fn(|context| {
            let mut life = lock(&self.life);
            if let Some(outcome) = &life.outcome {
                return Poll::Ready(outcome.clone());
            }
            if !life
                .waiting
                .iter()
                .any(|waker| waker.will_wake(context.waker()))
            {
                life.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    /// The number of the operation on channels that it is parked in. For its own task.
    fn parked_operation(&self) -> Option<u64> {
        let parkings = self.parkings.load(Ordering::Relaxed);
        (parkings % 2 == 1).then_some(parkings)
    }

    /// How often it has parked in an operation on channels, or gone on. For its own task.
    #[inline]
    pub(crate) fn parkings(&self) -> u64 {
        self.parkings.load(Ordering::Relaxed)
    }

    /// Notes that it parks in an operation on channels, or goes on. For its own task.
    #[inline]
    pub(crate) fn note_parking(&self) {
        let parkings = self.parkings();
        self.parkings.store(parkings + 1, Ordering::Relaxed);
    }

    /// Runs an operation on channels of this process, which notes when it is parked there.
    pub(crate) async fn operate<F: Future>(&self, operation: F) -> F::Output {
        let mut operation = pin!(operation);
        let mut parked = false;
        poll_fn(|context| {
            let polled = operation.as_mut().poll(context);
            if polled.is_pending() != parked {
                parked = !parked;
                self.note_parking();
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

/// A wait for another process's end; over when dropped.
pub(crate) struct Joining(Arc<Process>);

impl Drop for Joining {
    fn drop(&mut self) {
        lock(&self.0.life).joining = None;
    }
}
