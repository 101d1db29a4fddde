//! Several workers: a global queue, and a slot per worker for the task that was just woken.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::lock;
use super::shared::Shared;
use super::task::TaskCell;
use crate::clock::coarse;

/// Ticks after which who can wait for all others has waited long enough.
pub(super) const PATIENCE: usize = 8;

/// `None` tells one worker to look whether it shall stop.
type Entry = Option<Arc<TaskCell>>;

pub(super) struct Parallel {
    queue: (Sender<Entry>, Receiver<Entry>),
    slots: Vec<Slot>,
    /// Tasks that all others go before.
    patient: (Sender<Arc<TaskCell>>, Receiver<Arc<TaskCell>>),
    ticks: AtomicUsize,
    /// Workers that wait for the queue.
    idle: AtomicUsize,
    /// Entries put into the queue, and entries that a worker has taken and isn't idle with.
    pushed: AtomicUsize,
    taken: AtomicUsize,
    holds: AtomicUsize,
    /// Nobody reads the queue any more.
    drained: AtomicBool,
}

/// Aligned, so that two workers' slots don't share a cache line.
#[derive(Default)]
#[repr(align(128))]
struct Slot(Mutex<SlotState>);

#[derive(Default)]
struct SlotState {
    task: Option<Arc<TaskCell>>,
    /// What is woken goes to the queue.
    closed: bool,
}

/// A worker's own record of whose turn it is.
#[derive(Default)]
pub(super) struct Turn {
    /// The last tick that it has seen.
    tick: usize,
    /// How many tasks of the queue come before the slot.
    queued: usize,
}

impl Parallel {
    pub(super) fn new(workers: usize) -> Self {
        Self {
            queue: unbounded(),
            slots: (0..workers).map(|_| Slot::default()).collect(),
            patient: unbounded(),
            ticks: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
            pushed: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
            holds: AtomicUsize::new(0),
            drained: AtomicBool::new(false),
        }
    }

    /// Puts a task into the slot of the worker that woke or spawned it. Wakes no other worker: one message
    /// would cost a system call. What was in the slot moves to the queue.
    pub(super) fn push_to_slot(&self, worker: usize, task: Arc<TaskCell>) {
        let mut slot = lock(&self.slots[worker].0);
        let queued = if slot.closed {
            Some(task)
        } else {
            slot.task.replace(task)
        };
        drop(slot);
        if let Some(queued) = queued {
            self.push(queued);
        }
    }

    /// Puts a task behind all others. Wakes no worker: the one that calls this looks here before
    /// it waits.
    pub(super) fn push_patient(&self, task: Arc<TaskCell>) {
        self.pushed.fetch_add(1, Ordering::SeqCst);
        // Both halves are in `self`: it cannot be disconnected.
        let _ = self.patient.0.send(task);
        self.empty_if_drained();
    }

    /// Puts a task at the end of the queue, which wakes an idle worker if there is one.
    pub(super) fn push(&self, task: Arc<TaskCell>) {
        self.send(Some(task));
        self.empty_if_drained();
    }

    /// A wake-up that came too late for a shutdown: the queues must not keep the task.
    fn empty_if_drained(&self) {
        if self.drained.load(Ordering::SeqCst) {
            self.queue.1.try_iter().for_each(drop);
            self.patient.1.try_iter().for_each(drop);
        }
    }

    fn send(&self, entry: Entry) {
        self.pushed.fetch_add(1, Ordering::SeqCst);
        // Both halves of the queue are in `self`: it cannot be disconnected.
        let _ = self.queue.0.send(entry);
    }

    /// The next task for this worker; waits for one. `None`: stop.
    pub(super) fn next(
        &self,
        worker: usize,
        turn: &mut Turn,
        shared: &Shared,
    ) -> Option<Arc<TaskCell>> {
        loop {
            if shared.is_stopping() {
                return None;
            }
            self.begin_round(worker, turn);
            let found = self
                .take_queued_in_round(worker, turn)
                .or_else(|| self.take_slot(worker))
                .or_else(|| self.take_queued())
                .or_else(|| self.steal(worker))
                .or_else(|| self.take_patient())
                .or_else(|| self.park(shared));
            if found.is_some() {
                return found;
            }
        }
    }

    /// Once a tick, what waits in the queue comes before the slot, which is closed meanwhile.
    fn begin_round(&self, worker: usize, turn: &mut Turn) {
        let tick = self.ticks.load(Ordering::Relaxed);
        if turn.tick == tick {
            return;
        }
        turn.tick = tick;
        turn.queued = self.queue.1.len();
        let closed = turn.queued > 0;
        lock(&self.slots[worker].0).closed = closed;
        if closed {
            self.release_slot(worker);
        }
    }

    fn take_queued_in_round(&self, worker: usize, turn: &mut Turn) -> Option<Arc<TaskCell>> {
        turn.queued = turn.queued.checked_sub(1)?;
        let task = self.take_queued();
        // Other workers may have emptied the queue.
        if turn.queued == 0 || task.is_none() {
            turn.queued = 0;
            lock(&self.slots[worker].0).closed = false;
        }
        task
    }

    /// A task of the queue, if one is there: `None` is also a call to stop.
    fn take_queued(&self) -> Option<Arc<TaskCell>> {
        let entry = self.queue.1.try_recv().ok()?;
        self.taken.fetch_add(1, Ordering::SeqCst);
        entry
    }

    fn take_patient(&self) -> Option<Arc<TaskCell>> {
        let task = self.patient.1.try_recv().ok()?;
        self.taken.fetch_add(1, Ordering::SeqCst);
        Some(task)
    }

    fn take_slot(&self, worker: usize) -> Option<Arc<TaskCell>> {
        lock(&self.slots[worker].0).task.take()
    }

    /// Takes what another worker would get to later.
    fn steal(&self, worker: usize) -> Option<Arc<TaskCell>> {
        let count = self.slots.len();
        (1..count).find_map(|step| self.take_slot((worker + step) % count))
    }

    /// Waits for the queue. `idle` falls before `taken` rises: see [`is_idle`](Self::is_idle).
    fn park(&self, shared: &Shared) -> Option<Arc<TaskCell>> {
        if shared.is_stopping() {
            // This worker's call to stop may have been taken out of the queue just now.
            return None;
        }
        self.idle.fetch_add(1, Ordering::SeqCst);
        let entry = self.queue.1.recv();
        self.idle.fetch_sub(1, Ordering::SeqCst);
        self.taken.fetch_add(1, Ordering::SeqCst);
        coarse::refresh();
        shared.bell.stir();
        // The queue cannot be disconnected, as above.
        entry.ok().flatten()
    }

    /// Gives the queue its turn at every worker.
    pub(super) fn tick(&self) {
        let tick = self.ticks.fetch_add(1, Ordering::Relaxed);
        let due = if tick.is_multiple_of(PATIENCE) {
            usize::MAX
        } else {
            self.idle.load(Ordering::SeqCst)
        };
        for _ in 0..due {
            let Some(task) = self.take_patient() else {
                break;
            };
            self.push(task);
        }
    }

    /// Moves a slot's task to the queue, where another worker finds it.
    pub(super) fn release_slot(&self, worker: usize) {
        if let Some(task) = self.take_slot(worker) {
            self.push(task);
        }
    }

    /// Whether nothing is ready or running.
    ///
    /// The three looks are one snapshot: `taken` and `pushed` only grow, and `taken` never
    /// passes `pushed`. If `taken`, read first, equals `pushed`, read last, then neither changed
    /// in between, so the queue was empty when every worker was seen idle. A worker that has got
    /// an entry and still counts as idle hasn't raised `taken` yet, so it spoils the equality.
    /// An idle worker's slot is empty: only its own polls fill it, and it looked there last.
    pub(super) fn is_idle(&self) -> bool {
        let taken = self.taken.load(Ordering::SeqCst);
        let idle = self.idle.load(Ordering::SeqCst);
        let pushed = self.pushed.load(Ordering::SeqCst);
        idle == self.slots.len() && taken == pushed
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

    /// Makes every idle worker look whether it shall stop.
    pub(super) fn wake_workers(&self) {
        for _ in &self.slots {
            self.send(None);
        }
    }

    /// Empties the queue and the slots for good. Only when the workers have stopped.
    pub(super) fn drain(&self) {
        self.drained.store(true, Ordering::SeqCst);
        self.empty_if_drained();
        for worker in 0..self.slots.len() {
            drop(self.take_slot(worker));
        }
    }
}
