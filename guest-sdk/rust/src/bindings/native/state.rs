//! Processes and channels that are alive.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::{self, Thread};

use transputer_core::channel::{Inspect, KeepAlive, Poison, PoisonKind};
use transputer_core::{Clock, Holder, Mode, ProcessId, Scheduler, SchedulerOptions, Side};

use super::channel::{End, Envelope, Outcome, Peer};

/// A process: a thread.
pub(super) struct Process {
    pub(super) id: u64,
    pub(super) name: String,
    thread: Thread,
    life: Mutex<Life>,
}

#[derive(Default)]
struct Life {
    outcome: Option<Outcome>,
    /// Why it is to stop.
    killed: Option<String>,
    /// The process whose end it waits for without a deadline, and the number of that wait.
    awaits: Option<(u64, u64)>,
    /// Who waits for its end.
    waiters: Vec<Thread>,
    linked: Vec<Weak<Process>>,
    monitors: Vec<transputer_core::Sender<Envelope>>,
}

/// What is thrown through a process that was killed.
pub(super) struct Killed;

#[derive(Default)]
struct Registry {
    processes: HashMap<u64, Arc<Process>>,
    /// Channels and barriers.
    inspected: HashMap<u64, Arc<dyn Inspect>>,
}

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);
static NUMBERS: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static CURRENT: OnceCell<Current> = const { OnceCell::new() };
    /// Ends that a failing process leaves to be poisoned.
    static ABANDONED: RefCell<Vec<End>> = const { RefCell::new(Vec::new()) };
}

/// The process of a thread; the end of the thread is its end.
struct Current(Arc<Process>);

impl Drop for Current {
    fn drop(&mut self) {
        self.0.finish(Outcome::Finished);
    }
}

/// Locks a mutex whose contents are whole at every moment.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The clock of all processes, driven by a scheduler that has no tasks.
pub(super) fn clock() -> &'static Clock {
    static SCHEDULER: OnceLock<Scheduler> = OnceLock::new();
    let scheduler = SCHEDULER.get_or_init(|| {
        let options = SchedulerOptions::new(Mode::Parallel { workers: 1 });
        Scheduler::new(options).expect("a test can start threads")
    });
    scheduler.clock()
}

/// The process of this thread.
pub(super) fn current() -> Arc<Process> {
    CURRENT.with(|current| {
        let made = || {
            let thread = thread::current();
            let name = thread.name().unwrap_or("main");
            Current(Process::enrol(name.to_owned()))
        };
        current.get_or_init(made).0.clone()
    })
}

/// Whoever holds what this thread has; nobody in particular while the thread ends.
pub(super) fn holder() -> Holder {
    let id = CURRENT.try_with(|current| current.get().map(|current| current.0.id));
    match id {
        Ok(Some(id)) => Holder::Process(ProcessId(id)),
        Ok(None) => Holder::Process(ProcessId(current().id)),
        Err(_) => Holder::Host,
    }
}

/// Leaves ends open, so that they are poisoned when the process has failed.
pub(in crate::bindings) fn abandon(ends: Vec<End>) {
    ABANDONED.with_borrow_mut(|abandoned| abandoned.extend(ends));
}

/// Closes what was left open.
pub(super) fn close_abandoned() {
    drop(ABANDONED.take());
}

/// A number that nothing else has.
pub(super) fn number() -> u64 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// Ends the record of a channel or barrier with its last end.
pub(super) struct Registered(u64);

impl Registered {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(number()))
    }

    pub(super) fn keep_alive(self: &Arc<Self>) -> KeepAlive {
        self.clone()
    }

    /// Records what it belongs to.
    pub(super) fn record(&self, inspected: Arc<dyn Inspect>) {
        lock(&REGISTRY).inspected.insert(self.0, inspected);
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let gone = lock(&REGISTRY).inspected.remove(&self.0);
        // Not under the lock.
        drop(gone);
    }
}

/// All channels and barriers.
pub(super) fn inspected() -> Vec<Arc<dyn Inspect>> {
    lock(&REGISTRY).inspected.values().cloned().collect()
}

/// All processes that have not ended.
pub(super) fn processes() -> Vec<Arc<Process>> {
    lock(&REGISTRY).processes.values().cloned().collect()
}

impl Process {
    /// A process of this thread, which has none yet.
    fn enrol(name: String) -> Arc<Self> {
        let process = Arc::new(Self {
            id: number(),
            name,
            thread: thread::current(),
            life: Mutex::default(),
        });
        lock(&REGISTRY)
            .processes
            .insert(process.id, process.clone());
        process
    }

    /// Makes a new thread a process. Called on it.
    pub(super) fn begin(wanted: &str) -> Arc<Self> {
        let taken: Vec<String> = processes().iter().map(|it| it.name.clone()).collect();
        let numbered = (2..).map(|number| format!("{wanted}-{number}"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        let name = names.find(|name| !taken.contains(name)).unwrap_or_default();
        let process = Self::enrol(name);
        CURRENT.with(|current| drop(current.set(Current(process.clone()))));
        process
    }

    pub(super) fn outcome(&self) -> Option<Outcome> {
        lock(&self.life).outcome.clone()
    }

    /// Why it was killed, if it was.
    pub(super) fn killed(&self) -> Option<String> {
        lock(&self.life).killed.clone()
    }

    pub(super) fn awaits(&self) -> Option<(u64, u64)> {
        lock(&self.life).awaits
    }

    /// Says whose end it waits for, until the next call.
    pub(super) fn set_awaits(&self, awaits: Option<(u64, u64)>) {
        lock(&self.life).awaits = awaits;
    }

    /// Has this thread woken when it ends; false if it has ended already.
    pub(super) fn wake_at_end(&self) -> bool {
        let mut life = lock(&self.life);
        if life.outcome.is_some() {
            return false;
        }
        life.waiters.push(thread::current());
        true
    }

    /// Tells this channel of its end; false if it has ended already.
    pub(super) fn monitor(&self, sender: transputer_core::Sender<Envelope>) -> bool {
        let mut life = lock(&self.life);
        let lives = life.outcome.is_none();
        if lives {
            life.monitors.push(sender);
        }
        lives
    }

    /// The failure of either stops the other.
    pub(super) fn link(self: &Arc<Self>, other: &Arc<Self>) {
        for (from, to) in [(self, other), (other, self)] {
            let failed = {
                let mut life = lock(&from.life);
                life.linked.push(Arc::downgrade(to));
                let outcome = life.outcome.clone();
                outcome.filter(|outcome| !matches!(outcome, Outcome::Finished))
            };
            if let Some(outcome) = failed {
                to.kill(&from.reason(&outcome));
            }
        }
    }

    /// Has it stopped where it next waits, or does anything with a channel; poisons its channels now.
    pub(super) fn kill(&self, reason: &str) {
        {
            let mut life = lock(&self.life);
            if life.outcome.is_some() || life.killed.is_some() {
                return;
            }
            life.killed = Some(reason.to_owned());
        }
        self.poison(&Outcome::Stopped(reason.to_owned()));
        self.thread.unpark();
    }

    /// It has ended: who is linked with it is stopped, its channels are poisoned unless it finished, and
    /// whoever waits for it is told.
    pub(super) fn finish(&self, outcome: Outcome) {
        if self.outcome().is_some() {
            return;
        }
        if !matches!(outcome, Outcome::Finished) {
            let linked = std::mem::take(&mut lock(&self.life).linked);
            let reason = self.reason(&outcome);
            for other in linked.iter().filter_map(Weak::upgrade) {
                other.kill(&reason);
            }
            self.poison(&outcome);
        }
        lock(&REGISTRY).processes.remove(&self.id);
        let (waiters, monitors) = {
            let mut life = lock(&self.life);
            life.outcome = Some(outcome.clone());
            let waiters = std::mem::take(&mut life.waiters);
            (waiters, std::mem::take(&mut life.monitors))
        };
        for monitor in monitors {
            // It has room for this one; if nobody wants it, it is not sent.
            let _ = monitor.try_send(Envelope::of_outcome(&outcome));
        }
        waiters.iter().for_each(Thread::unpark);
    }

    /// Poisons every channel of which it holds an end.
    fn poison(&self, outcome: &Outcome) {
        let kind = match outcome {
            Outcome::Trapped(_) => PoisonKind::PeerTrapped,
            Outcome::Failed(_) => PoisonKind::PeerFailed,
            _ => PoisonKind::PeerKilled,
        };
        let peer = Peer {
            name: self.name.clone(),
            id: self.id,
            outcome: outcome.clone(),
        };
        let poison = Poison::new(kind, self.reason(outcome)).caused_by(Arc::new(peer));
        let me = Holder::Process(ProcessId(self.id));
        let monitors: Vec<_> = lock(&self.life).monitors.iter().map(|it| it.id()).collect();
        for inspected in inspected() {
            if monitors.contains(&inspected.id()) {
                continue;
            }
            let look = inspected.snapshot();
            let waits = look.waiting.iter();
            let arrived = waits
                .filter(|it| it.side == Side::Sync)
                .map(|it| &it.holder);
            let mut holders = look
                .senders
                .iter()
                .chain(&look.receivers)
                .chain(&look.absent);
            if holders.any(|holder| *holder == me) || arrived.into_iter().any(|it| *it == me) {
                inspected.poison(poison.clone());
            }
        }
    }

    fn reason(&self, outcome: &Outcome) -> String {
        let how = match outcome {
            Outcome::Finished => "finished".to_owned(),
            Outcome::Failed(text) => format!("failed: {text}"),
            Outcome::Trapped(text) => format!("trapped: {text}"),
            Outcome::Killed(overrun) => format!("was killed: {}", overrun.text),
            Outcome::Stopped(text) => format!("was stopped: {text}"),
        };
        format!("process `{}` {how}", self.name)
    }
}
