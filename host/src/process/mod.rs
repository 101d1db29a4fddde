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
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Poll, Waker};

use transputer_core::scheduler::Task;
use transputer_core::{ChannelId, ProcessId};

use crate::host::lock;

pub use outcome::{LimitKind, Outcome, Overrun, Trap};

#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub use crate::imports::Prepared;
pub(crate) use ends::Ends;
pub(crate) use grants::Seeded;
pub(crate) use limits::checked_limits;
pub(crate) use spawn::{Birth, Kin, Wiring, spawn};
pub(crate) use state::{ProcessState, Settings};

/// A port's channel and name.
type Port = (ChannelId, Box<str>);

/// What others may know of a process, and do to it.
pub(crate) struct Process {
    pub(crate) id: ProcessId,
    pub(crate) name: Arc<str>,
    pub(crate) component: Arc<str>,
    /// Its ports, by the channels that they were wired to.
    ports: OnceLock<Box<[Port]>>,
    life: Mutex<Life>,
}

/// A process from birth to end. Its lock is a leaf: nothing else is locked under it.
#[derive(Default)]
struct Life {
    task: Option<Task>,
    /// What it was sentenced to from outside; decides the outcome of a task cut short.
    sentence: Option<Outcome>,
    outcome: Option<Outcome>,
    /// Who waits for its end.
    waiting: Vec<Waker>,
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
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
#[derive(Clone)]
pub struct Child(pub(crate) Arc<Process>);

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Child").field(&self.0.name).finish()
    }
}

impl Process {
    pub(crate) fn new(id: ProcessId, name: Arc<str>, component: Arc<str>) -> Self {
        Self {
            id,
            name,
            component,
            ports: OnceLock::new(),
            life: Mutex::default(),
        }
    }

    /// Remembers which ports the process was born with, for reports.
    pub(crate) fn wired(&self, wiring: &Wiring) {
        let inputs = wiring.inputs.iter();
        let inputs = inputs.map(|(name, end)| (end.id(), name.as_str().into()));
        let outputs = wiring.outputs.iter();
        let outputs = outputs.map(|(name, end)| (end.id(), name.as_str().into()));
        // A process is wired once; nobody can have been here before.
        let _ = self.ports.set(inputs.chain(outputs).collect());
    }

    /// The port that the process was born with at this channel.
    pub(crate) fn port(&self, channel: ChannelId) -> Option<&str> {
        let ports = self.ports.get()?.iter();
        let mut at_channel = ports.filter(|(wired, _)| *wired == channel);
        at_channel.next().map(|(_, name)| &**name)
    }

    /// Connects the process with the task that runs it. One that was sentenced before it
    /// could start is ended now.
    pub(crate) fn started(&self, task: Task) {
        let mut life = lock(&self.life);
        let doomed = life.sentence.is_some() && life.outcome.is_none();
        life.task = Some(task.clone());
        drop(life);
        if doomed {
            task.abort();
        }
    }

    /// Ends the process from outside: it leaves every queue, its channels are poisoned.
    /// The first sentence counts; one that comes after the end changes nothing.
    pub(crate) fn end(&self, sentence: Outcome) {
        let mut life = lock(&self.life);
        if life.outcome.is_some() || life.sentence.is_some() {
            return;
        }
        life.sentence = Some(sentence);
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
    pub(crate) fn sentence(&self) -> Outcome {
        lock(&self.life)
            .sentence
            .clone()
            .unwrap_or_else(|| Outcome::Stopped("the host cut it short".to_owned()))
    }

    /// Records the end, and wakes who waited for it.
    pub(crate) fn ended(&self, outcome: Outcome) {
        let mut life = lock(&self.life);
        debug_assert!(life.outcome.is_none(), "a process ends once");
        life.outcome = Some(outcome);
        life.task = None;
        let waiting = std::mem::take(&mut life.waiting);
        drop(life);
        waiting.into_iter().for_each(Waker::wake);
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
