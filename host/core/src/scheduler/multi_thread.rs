//! Several workers: a global queue, and a slot per worker for the task that was just woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::low_priority::LowPriorityQueue;
use super::shared::{Shared, is_low_priority};
use super::slots::Slots;
use super::task::TaskCell;

/// Ticks after which who can wait for all others has waited long enough.
pub(super) const LOW_PRIORITY_TICKS: usize = 8;

/// `None` tells one worker to look whether it shall stop.
pub(super) type Entry = Option<Arc<TaskCell>>;

pub(super) struct MultiThread {
    pub(super) queue: (Sender<Entry>, Receiver<Entry>),
    pub(super) slots: Slots<Arc<TaskCell>>,
    /// Read by idle workers only: whoever takes a call watches the slots.
    pub(super) calls: (Sender<()>, Receiver<()>),
    /// How long the watcher sleeps between two looks, in microseconds.
    pub(super) step: AtomicU64,
    /// Tasks that all others go before.
    low_priority: LowPriorityQueue<Arc<TaskCell>>,
    ticks: AtomicUsize,
    /// Entries put into the queue, and entries of it that a worker has taken and isn't idle with.
    pushed: AtomicUsize,
    pub(super) taken: AtomicUsize,
    holds: AtomicUsize,
    /// Nobody reads the queue any more.
    drained: AtomicBool,
}

/// A worker's own record of whose turn it is.
#[derive(Default)]
pub(super) struct Turn {
    /// The last tick that it has seen.
    tick: usize,
    /// How many tasks of the queue come before the slot.
    queued: usize,
    /// What it has just polled, and is to poll again behind the others.
    pub(super) again: Option<Arc<TaskCell>>,
}

impl MultiThread {
    pub(super) fn new(workers: usize) -> Self {
        Self {
            queue: unbounded(),
            slots: Slots::new(workers),
            calls: bounded(1),
            step: AtomicU64::new(0),
            low_priority: LowPriorityQueue::new(),
            ticks: AtomicUsize::new(0),
            pushed: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
            holds: AtomicUsize::new(0),
            drained: AtomicBool::new(false),
        }
    }

    /// Queues a task that was woken or spawned in a worker's poll.
    pub(super) fn push_here(&self, worker: usize, task: Arc<TaskCell>) {
        if is_low_priority() {
            self.push_low_priority(task);
        } else {
            self.push_to_slot(worker, task);
        }
    }

    /// Puts a task into the slot of the worker that woke or spawned it. Wakes no other worker, unless
    /// none of them looks: one message would cost a system call. What was in the slot moves to the queue.
    pub(super) fn push_to_slot(&self, worker: usize, task: Arc<TaskCell>) {
        let filled = self.slots.fill(worker, task);
        if let Some(queued) = filled.queued {
            self.push(queued);
        }
        if filled.call {
            self.call();
        }
    }

    /// Puts a task behind all others. Wakes no worker: the one that calls this, in a poll, looks
    /// here before it waits.
    pub(super) fn push_low_priority(&self, task: Arc<TaskCell>) {
        self.low_priority.push(task);
        self.empty_if_drained();
    }

    /// Puts a task at the end of the queue, which wakes an idle worker if there is one.
    #[inline(never)]
    pub(super) fn push(&self, task: Arc<TaskCell>) {
        self.send(Some(task));
        self.empty_if_drained();
    }

    /// A wake-up that came too late for a shutdown: the queues must not keep the task.
    fn empty_if_drained(&self) {
        if self.drained.load(Ordering::SeqCst) {
            self.queue.1.try_iter().for_each(drop);
            drop(self.low_priority.take_all());
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
                .go_on(worker, turn)
                .or_else(|| self.take_queued_in_round(worker, turn))
                .or_else(|| self.slots.take_own(worker))
                .or_else(|| self.take_queued())
                .or_else(|| self.low_priority.take())
                .or_else(|| self.park(worker, shared));
            if found.is_some() {
                return found;
            }
        }
    }

    /// Once a tick, what waits in the queue comes before the slot, which is closed meanwhile.
    fn begin_round(&self, worker: usize, turn: &mut Turn) {
        let tick = self.ticks.load(Ordering::Relaxed);
        if turn.tick != tick {
            self.begin_next_round(worker, turn, tick);
        }
    }

    #[cold]
    fn begin_next_round(&self, worker: usize, turn: &mut Turn, tick: usize) {
        turn.tick = tick;
        turn.queued = self.queue.1.len();
        let closed = turn.queued > 0;
        self.slots.set_closed(worker, closed);
        if closed {
            self.release_slot(worker);
        }
    }

    /// What it has just polled, if nothing else is ready: no other worker need be woken for it.
    /// Otherwise it goes to the end of the queue.
    fn go_on(&self, worker: usize, turn: &mut Turn) -> Option<Arc<TaskCell>> {
        let task = turn.again.take()?;
        if self.queue.1.is_empty() && self.slots.is_empty(worker) {
            return Some(task);
        }
        self.push(task);
        None
    }

    fn take_queued_in_round(&self, worker: usize, turn: &mut Turn) -> Option<Arc<TaskCell>> {
        turn.queued = turn.queued.checked_sub(1)?;
        let task = self.take_queued();
        // Other workers may have emptied the queue.
        if turn.queued == 0 || task.is_none() {
            turn.queued = 0;
            self.slots.set_closed(worker, false);
        }
        task
    }

    /// A task of the queue, if one is there: `None` is also a call to stop.
    fn take_queued(&self) -> Option<Arc<TaskCell>> {
        // Mostly there is none, and this look is cheaper.
        if self.queue.1.is_empty() {
            return None;
        }
        let entry = self.queue.1.try_recv().ok()?;
        self.taken.fetch_add(1, Ordering::SeqCst);
        entry
    }

    /// Gives the queue its turn at every worker.
    pub(super) fn tick(&self) {
        let tick = self.ticks.fetch_add(1, Ordering::Relaxed);
        let due = if tick.is_multiple_of(LOW_PRIORITY_TICKS) {
            usize::MAX
        } else {
            self.slots.idle()
        };
        for _ in 0..due {
            // Counted before a worker can find it gone, and become idle.
            let count = || {
                self.pushed.fetch_add(1, Ordering::SeqCst);
            };
            let Some(task) = self.low_priority.take_after(count) else {
                break;
            };
            let _ = self.queue.0.send(Some(task));
        }
        self.empty_if_drained();
    }

    /// Moves a slot's task to the queue, where another worker finds it.
    pub(super) fn release_slot(&self, worker: usize) {
        // Under the slot's lock: its owner must not find the slot empty, and become idle, before
        // the task has been counted.
        self.slots.take_with(worker, |task| self.send(Some(task)));
        self.empty_if_drained();
    }

    /// Whether nothing is ready or running.
    ///
    /// The three looks are one snapshot: `taken` and `pushed` only grow, and `taken` never
    /// passes `pushed`. If `taken`, read first, equals `pushed`, read last, then neither changed
    /// in between, so the queue was empty when every worker was seen idle. A worker that has got
    /// an entry and still counts as idle hasn't raised `taken` yet, so it spoils the equality.
    /// An idle worker's slot is empty: only its own polls fill it, and it looked there last. Who takes
    /// a task out of another's slot ceases to be idle before. Likewise while all are idle no task is
    /// of low priority: who made it so, in a poll, has taken it since, or found that another worker has, which
    /// looked for more in turn, or that a tick has moved it to the queue.
    pub(super) fn is_idle(&self) -> bool {
        let taken = self.taken.load(Ordering::SeqCst);
        let idle = self.slots.idle();
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
        for _ in 0..self.slots.len() {
            self.send(None);
        }
    }

    /// Empties the queue and the slots for good. Only when the workers have stopped.
    pub(super) fn drain(&self) {
        self.drained.store(true, Ordering::SeqCst);
        self.empty_if_drained();
        for worker in 0..self.slots.len() {
            drop(self.slots.take(worker));
        }
    }
}
