//! Several workers: one run queue, and a slot per worker for the task that was just woken. `fair`
//! states the order.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use super::fair::{Fair, Turn};
use super::shared::{Shared, takes_its_turn, was_preempted};
use super::task::TaskCell;

pub(super) struct MultiThread {
    pub(super) fair: Fair<Arc<TaskCell>>,
    /// How long the watcher sleeps between two looks, in microseconds.
    pub(super) step: AtomicU64,
    holds: AtomicUsize,
}

/// The time that is charged to tasks, in nanoseconds.
pub(super) fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let passed = START.elapsed();
    passed.as_secs() * 1_000_000_000 + u64::from(passed.subsec_nanos())
}

impl MultiThread {
    pub(super) fn new(workers: usize, tick: Duration) -> Self {
        Self {
            fair: Fair::new(workers, tick),
            step: AtomicU64::new(0),
            holds: AtomicUsize::new(0),
        }
    }

    /// Queues a task that was woken or spawned in a worker's poll.
    pub(super) fn push_here(&self, worker: usize, task: Arc<TaskCell>) {
        if takes_its_turn() {
            self.fair.push_sender(worker, task);
        } else if self.fair.push_to_slot(worker, task) {
            self.fair.queue.call();
        }
    }

    /// Queues a task that was woken or spawned outside, which wakes an idle worker if there is one.
    #[inline(never)]
    pub(super) fn push(&self, task: Arc<TaskCell>) {
        self.fair.push(task);
    }

    /// After a poll. `again`: the task was woken meanwhile, by itself if it is to let others run.
    #[inline]
    pub(super) fn end_poll(
        &self,
        worker: usize,
        turn: &mut Turn<Arc<TaskCell>>,
        task: Arc<TaskCell>,
        again: bool,
    ) -> Option<Arc<TaskCell>> {
        if again {
            self.fair.settle(worker, turn, task.clone(), true, now);
            return self.go_on(worker, turn, task);
        }
        self.fair.settle(worker, turn, task, false, now);
        None
    }

    /// What was just polled, if nothing else is ready: no other worker need be woken for it.
    #[cold]
    fn go_on(
        &self,
        worker: usize,
        turn: &mut Turn<Arc<TaskCell>>,
        task: Arc<TaskCell>,
    ) -> Option<Arc<TaskCell>> {
        let preempted = was_preempted();
        if self.has_nobody_else(worker) || !preempted && self.fair.leaves_sender(worker, turn) {
            return Some(task);
        }
        self.push_again(worker, turn, task, preempted);
        None
    }

    /// Whether nothing is ready but what this worker polls.
    pub(super) fn has_nobody_else(&self, worker: usize) -> bool {
        self.fair.queue.is_empty() && self.fair.slots.is_empty(worker)
    }

    /// Queues a task that was woken in its poll, by itself if it is to let others run.
    pub(super) fn push_again(
        &self,
        worker: usize,
        turn: &Turn<Arc<TaskCell>>,
        task: Arc<TaskCell>,
        preempted: bool,
    ) {
        if preempted {
            self.fair.push_preempted(turn, task);
        } else {
            self.fair.push_last(worker, task);
        }
    }

    /// The next task for this worker; waits for one. `None`: stop.
    pub(super) fn next(
        &self,
        worker: usize,
        turn: &mut Turn<Arc<TaskCell>>,
        shared: &Shared,
    ) -> Option<Arc<TaskCell>> {
        loop {
            if shared.is_stopping() {
                return None;
            }
            if let Some(task) = self.fair.next(worker, turn) {
                return Some(task);
            }
            self.fair.charge_rest(turn, now);
            let found = self.park(worker, shared);
            turn.begin(now());
            if found.is_some() {
                return found;
            }
        }
    }

    /// Has idle workers look for tasks that were queued without telling anybody.
    pub(super) fn tick(&self) {
        if self.fair.slots.idle() > 0 {
            self.fair.queue.wake_sleepers();
        }
    }

    /// Whether nothing is ready or running.
    ///
    /// A worker ceases to be idle under the queue's lock when it takes a task there, and before it
    /// takes one out of another's slot. An idle worker's own slot is empty: only its own polls fill it,
    /// and it looked there last. So at the moment at which all are idle and the queue is empty, nobody
    /// has a task.
    pub(super) fn is_idle(&self) -> bool {
        let slots = &self.fair.slots;
        self.fair.queue.is_empty_and(|| slots.idle() == slots.len())
    }

    /// Idle, and not held.
    pub(super) fn is_quiet(&self) -> bool {
        self.holds.load(Ordering::SeqCst) == 0 && self.is_idle()
    }

    pub(super) fn hold(&self) {
        self.holds.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn release(&self) {
        self.holds.fetch_sub(1, Ordering::SeqCst);
    }

    /// Empties the queue and the slots for good. Only when the workers have stopped.
    pub(super) fn drain(&self) {
        self.fair.queue.close().for_each(drop);
        for worker in 0..self.fair.slots.len() {
            drop(self.fair.slots.take(worker));
        }
    }
}
