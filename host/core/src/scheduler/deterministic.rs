//! One worker that takes ready tasks in an order drawn from a seed, in virtual time.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::Waker;

use fastrand::Rng;

use super::lock;
use super::shared::Shared;
use super::task::TaskCell;

pub(super) struct Deterministic {
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    ready: Vec<Arc<TaskCell>>,
    random: Rng,
    /// The worker is in a poll, or wakes sleeps.
    running: bool,
    /// While above 0, time stands still and nothing counts as quiet.
    time_holds: usize,
    /// While above 0, no task is taken.
    task_holds: usize,
    /// A report of quiet is under way: no task is taken.
    reporting: bool,
    /// The worker has run out of work since the last report.
    unreported: bool,
    drained: bool,
}

impl Deterministic {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            inner: Mutex::new(Inner {
                ready: Vec::new(),
                random: Rng::with_seed(seed),
                running: false,
                time_holds: 0,
                task_holds: 0,
                reporting: false,
                unreported: false,
                drained: false,
            }),
            changed: Condvar::new(),
        }
    }

    pub(super) fn push(&self, task: Arc<TaskCell>) {
        let mut inner = lock(&self.inner);
        if inner.drained {
            drop(inner);
            drop(task);
            return;
        }
        inner.ready.push(task);
        let waits = !inner.running;
        drop(inner);
        if waits {
            self.changed.notify_one();
        }
    }

    /// The next task; waits for one, and moves time on when nothing else is left. `None`: stop.
    pub(super) fn next(&self, shared: &Shared) -> Option<Arc<TaskCell>> {
        let mut inner = lock(&self.inner);
        inner.running = false;
        loop {
            if shared.is_stopping() {
                return None;
            }
            if inner.task_holds == 0 && !inner.reporting {
                if !inner.ready.is_empty() {
                    let count = inner.ready.len();
                    let choice = inner.random.usize(..count);
                    inner.running = true;
                    inner.unreported = true;
                    return Some(inner.ready.swap_remove(choice));
                }
                if inner.time_holds == 0 {
                    // Under the lock, so that nobody holds the time while it moves.
                    let due = shared.clock.jump();
                    if !due.is_empty() {
                        inner.running = true;
                        drop(inner);
                        due.into_iter().for_each(Waker::wake);
                        inner = lock(&self.inner);
                        inner.running = false;
                        continue;
                    }
                    if inner.unreported {
                        shared.parker.ring();
                    }
                }
            }
            inner = self
                .changed
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
            shared.parker.stir();
        }
    }

    pub(super) fn is_quiet(&self, shared: &Shared) -> bool {
        let inner = lock(&self.inner);
        inner.is_quiet(shared)
    }

    pub(super) fn is_idle(&self) -> bool {
        let inner = lock(&self.inner);
        inner.ready.is_empty() && !inner.running
    }

    /// Runs `report` if everything has become quiet since the last report, and no task is taken
    /// meanwhile: what it wakes is one set to choose from, however long it takes.
    pub(super) fn report_quiet(&self, shared: &Shared, report: impl FnOnce()) {
        let mut inner = lock(&self.inner);
        if !inner.unreported || !inner.is_quiet(shared) {
            return;
        }
        inner.unreported = false;
        inner.reporting = true;
        drop(inner);
        report();
        lock(&self.inner).reporting = false;
        self.wake_worker();
    }

    pub(super) fn hold_time(&self) {
        lock(&self.inner).time_holds += 1;
    }

    pub(super) fn release_time(&self) {
        lock(&self.inner).time_holds -= 1;
        self.wake_worker();
    }

    pub(super) fn hold_tasks(&self) {
        lock(&self.inner).task_holds += 1;
    }

    pub(super) fn release_tasks(&self) {
        lock(&self.inner).task_holds -= 1;
        self.wake_worker();
    }

    /// Makes the worker look again. The lock keeps this from falling between its look and its
    /// wait.
    pub(super) fn wake_worker(&self) {
        drop(lock(&self.inner));
        self.changed.notify_one();
    }

    /// Drops what is ready, for good. Only when the worker has stopped.
    pub(super) fn drain(&self) {
        let mut inner = lock(&self.inner);
        inner.drained = true;
        let left = std::mem::take(&mut inner.ready);
        drop(inner);
        drop(left);
    }
}

impl Inner {
    fn is_quiet(&self, shared: &Shared) -> bool {
        self.ready.is_empty()
            && !self.running
            && self.time_holds == 0
            && self.task_holds == 0
            && shared.clock.timers_pending() == 0
    }
}
