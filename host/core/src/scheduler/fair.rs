//! The order in which workers run ready tasks: fair by processor time.
//!
//! Each task has a *virtual time*, the processor time that it has used, and each ready task a key:
//! its virtual time when it was queued. A worker runs the task with the smallest key, with the
//! exceptions below, none of which lasts for longer than a dozen slices (a slice is a tick). So a task
//! that was woken runs before those that have used more than it, and takes turns with them once it
//! has used as much: a process that communicates and one that computes get the same time, however
//! often the first waits. The queue has a virtual time as well, which follows the smallest key.
//! Nobody comes back more than a slice behind it: a task that has slept, or is new, has a head start of
//! one slice, not of all that it might have used.
//!
//! The exceptions:
//!
//! - Each worker has a *slot* for the task that was woken or spawned there last: after a message
//!   between two processes the receiver runs next, on the same processor. What is in the slot
//!   runs before the queue as long as it is at most a slice ahead of the queue's first.
//! - Among the woken, keys within 4 slices count as the same, and are first in, first out: by exact
//!   keys the last processes of a pipeline, which have used least, would run after every single
//!   message, and the first would fill the channels meanwhile. The more tasks there are,
//!   the less it says that one of them has used more than another: of a thousand, one has because all others wait
//!   for what it does next, and if it had to let each of them come as far, these would do what nobody wants yet.
//!   So a lead of 4 slices for every 8 tasks counts as none. Those that compute are not bound by that: to
//!   them a lead is a lead.
//! - A sender that waited for room, or for a receiver, lets those go first that were woken, up to 2
//!   such classes further, but not those that compute: whoever took its message is behind already. So a
//!   pipeline is emptied from its end before more is put in at its beginning.
//! - A task that lets others run goes behind all that are ready: the queue's, and the slot's. Only a sender that
//!   another worker has just woken, and is about to run, it leaves to that for a few turns. One
//!   that was preempted did not ask for that, and goes where its virtual time puts it.
//!
//! # Measuring
//!
//! A reading of the clock costs as much as a message. So a worker reads it when it turns from its
//! slot to the queue, and after 16 polls, not at each poll; and what has passed
//! is charged to the tasks that it has polled since, in equal parts for each poll. So what tasks use
//! that wake each other is charged to these tasks together, exactly. Nor does it read the clock when it turns to a
//! queue that holds nothing but a sender: the receiver that has just taken that sender's message waits for it.

use std::time::Duration;

use super::run_queue::{EMPTY, Notify, Place, RunQueue};
use super::slots::Slots;

/// The most that is charged at once, in slices: the machine may have slept.
const MOST: u64 = 64;

/// The width, in slices, of a class of keys within which tasks run first in, first out.
const CLASS: u64 = 4;

/// Polls between two readings of the clock, at most.
const POLLS: usize = 16;

/// How often in a row a task that lets others run leaves a sender to the worker that woke it: for some
/// microseconds, in which a receiver takes what a channel holds.
const LEFT: usize = 32;

/// What a task has used.
pub(super) trait Timed {
    /// Its virtual time, in nanoseconds.
    fn virtual_time(&self) -> u64;

    /// Adds what it has used, and returns the sum. The worker that has polled it may be late: others
    /// may have queued the task meanwhile. If both change the time at once, one change may be lost.
    fn charge(&self, spent: u64) -> u64;

    /// Raises its virtual time to at least this.
    fn raise_to(&self, least: u64);

    /// Notes whether it has been preempted since it last waited, and returns what was noted before.
    fn note_preempted(&self, preempted: bool) -> bool;
}

pub(super) struct Fair<T> {
    pub(super) queue: RunQueue<T>,
    pub(super) slots: Slots<T>,
    /// In nanoseconds.
    slice: u64,
}

/// A worker's own record.
pub(super) struct Turn<T> {
    /// The time up to which all has been charged.
    charged: u64,
    /// Who has been polled since, in order.
    polled: Vec<T>,
    /// The slot's task runs next.
    slot_next: bool,
    /// What each of those was charged that were charged last, in nanoseconds.
    each: u64,
    /// How often in a row a sender was [left](LEFT) to another worker.
    left: usize,
}

impl<T> Turn<T> {
    pub(super) fn new(now: u64) -> Self {
        Self {
            charged: now,
            polled: Vec::with_capacity(POLLS),
            slot_next: false,
            each: 0,
            left: 0,
        }
    }

    /// The worker has had nothing to do until `now`.
    pub(super) fn begin(&mut self, now: u64) {
        self.charged = now;
    }

    /// What was polled is not charged any more.
    pub(super) fn forget(&mut self) {
        self.polled.clear();
    }
}

impl<T: Timed> Fair<T> {
    pub(super) fn new(workers: usize, slice: Duration) -> Self {
        let slice = u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX);
        Self {
            queue: RunQueue::new(slice.saturating_mul(CLASS)),
            slots: Slots::new(workers),
            slice,
        }
    }

    /// Gives up what a task that has slept would have had more than a slice of.
    fn admit(&self, task: &T) -> u64 {
        let least = self.queue.now().saturating_sub(self.slice);
        let time = task.virtual_time();
        if time < least {
            task.raise_to(least);
        }
        time.max(least)
    }

    /// Queues a task that was woken.
    pub(super) fn push(&self, task: T) {
        let key = self.admit(&task);
        self.queue.push(Place::Woken(key), task, Notify::One);
    }

    /// Queues a sender that was woken in a worker's poll. Wakes no other worker, which would cost a system
    /// call per message: a tick tells them.
    pub(super) fn push_sender(&self, worker: usize, task: T) {
        let key = self.admit(&task);
        let notify = Notify::Worker(worker);
        self.queue.push(Place::Sender(key), task, notify);
    }

    /// Whether a task that lets others run may go on, since the only one that is ready is a sender which another
    /// worker is about to run: if it ran here, a stream would be torn apart, and each message would cross from one
    /// processor to the other.
    pub(super) fn leaves_sender(&self, worker: usize, turn: &mut Turn<T>) -> bool {
        let elsewhere = self.queue.worker_of_lone_sender();
        let leaves = turn.left < LEFT
            && elsewhere.is_some_and(|elsewhere| elsewhere != worker)
            && self.slots.is_empty(worker);
        turn.left = if leaves { turn.left + 1 } else { 0 };
        leaves
    }

    /// Queues a task that was preempted, after what it has used was charged. It may have been woken just before
    /// the tick: that it happened to run then does not make it one that computes.
    pub(super) fn push_preempted(&self, turn: &Turn<T>, task: T) {
        let was_preempted = task.note_preempted(true);
        if !was_preempted && turn.each < self.slice / 2 {
            return self.push(task);
        }
        let key = self.admit(&task);
        self.queue.push(Place::Preempted(key), task, Notify::One);
    }

    /// Queues a task behind all that are ready, those in the worker's slot included.
    pub(super) fn push_last(&self, worker: usize, task: T) {
        let in_slot = self.slots.peek(worker, T::virtual_time).unwrap_or(0);
        let key = self.admit(&task).max(in_slot);
        self.queue.push(Place::Last(key), task, Notify::One);
    }

    /// Puts a task into a worker's slot; what was in it goes to the queue. `true`: an idle worker has
    /// to be called.
    pub(super) fn push_to_slot(&self, worker: usize, task: T) -> bool {
        let filled = self.slots.fill(worker, task);
        if let Some(displaced) = filled.queued {
            self.push(displaced);
        }
        filled.call
    }

    /// Moves a slot's task to the queue, where other workers find it.
    pub(super) fn release_slot(&self, worker: usize) {
        // Under the slot's lock: its owner must not find the slot empty, and become idle, before
        // the task is in the queue.
        self.slots.take_with(worker, |task| self.push(task));
    }

    /// After a poll: decides whether the slot's task runs next, and charges what is due. `again`: the task that
    /// was polled is ready already.
    #[inline]
    pub(super) fn settle(
        &self,
        worker: usize,
        turn: &mut Turn<T>,
        polled: T,
        again: bool,
        now: impl FnOnce() -> u64,
    ) {
        turn.slot_next = self.is_slot_next(worker);
        if !again {
            polled.note_preempted(false);
        }
        turn.polled.push(polled);
        let order_matters = || !turn.slot_next && !self.queue.is_lone_sender();
        if again || turn.polled.len() == POLLS || order_matters() {
            self.charge(turn, now());
        }
    }

    /// Charges what is due to those that were polled, if that has been put off.
    pub(super) fn charge_rest(&self, turn: &mut Turn<T>, now: impl FnOnce() -> u64) {
        if !turn.polled.is_empty() {
            self.charge(turn, now());
        }
    }

    /// Charges what is due, to those that were polled and to one that is in its poll still.
    pub(super) fn charge_with(&self, turn: &mut Turn<T>, polling: T, now: impl FnOnce() -> u64) {
        turn.polled.push(polling);
        self.charge(turn, now());
    }

    #[inline]
    fn is_slot_next(&self, worker: usize) -> bool {
        if self.slots.is_empty(worker) {
            return false;
        }
        let first = self.queue.first();
        first == EMPTY || self.is_slot_before(worker, first)
    }

    fn is_slot_before(&self, worker: usize, first: u64) -> bool {
        let limit = first.saturating_add(self.slice);
        self.slots
            .peek(worker, |task| self.admit(task) <= limit)
            .unwrap_or(false)
    }

    fn charge(&self, turn: &mut Turn<T>, now: u64) {
        let spent = now.saturating_sub(turn.charged);
        let spent = spent.min(self.slice.saturating_mul(MOST));
        let each = spent / turn.polled.len() as u64;
        turn.each = each;
        let times = turn.polled.drain(..).map(|task| task.charge(each));
        if let Some(least) = times.min() {
            self.queue.advance(least);
        }
        turn.charged = now;
    }

    /// The worker's next task, if one is ready.
    #[inline]
    pub(super) fn next(&self, worker: usize, turn: &mut Turn<T>) -> Option<T> {
        if turn.slot_next
            && let Some(task) = self.slots.take_own(worker)
        {
            return Some(task);
        }
        if !self.slots.is_empty(worker) {
            self.release_slot(worker);
        }
        self.queue.pop()
    }
}

#[cfg(test)]
#[cfg(not(loom))]
#[path = "fair_tests.rs"]
mod tests;
