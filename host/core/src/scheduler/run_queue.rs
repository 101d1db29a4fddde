//! The run queue: ready tasks in the order of their keys, and the workers that sleep until there
//! is one.
//!
//! A key is a virtual time, in nanoseconds: see `fair`, which states the order and the reasons.
//! Among the tasks that are not behind the first of those that compute, the woken ones are first,
//! then the senders; else it is the turn of who computes. The woken ones, and the senders, are first
//! in, first out as long as their keys lie in the same class.
//!
//! Invariants, whenever the lock is free:
//! - `first` is the key of the first task, or [`EMPTY`]. It may be read without the lock: whoever
//!   sees `EMPTY` sees all that came before the last task was taken.
//! - Each permit belongs to a sleeper that was notified and has not returned from its wait. So
//!   while fewer permits than sleepers are out, one more notification wakes one more sleeper.
//! - `announced` is at most the number of tasks. Sleepers take no more tasks than were announced:
//!   one for each [`Notify::One`], one for each sleeper at a tick. The others are left to the workers that are awake,
//!   one of which, the one that has pushed such a task, looks here before it sleeps.
//! - While a task is announced, no worker sleeps that was not notified.

use std::collections::BTreeMap;
use std::mem;
use std::sync::PoisonError;
use std::time::Duration;

use super::classes::Classes;
use crate::sync::{AtomicU64, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, lock};

/// The key of the first task where there is none.
pub(super) const EMPTY: u64 = u64::MAX;

/// Keys are no larger.
pub(super) const LAST: u64 = EMPTY - 1;

/// Senders are passed by those who were woken and are so many classes behind them, no more.
const PATIENCE: u64 = 2;

/// For every so many tasks, a lead of one class more counts as none.
const CROWD: u64 = 8;

/// Where no worker is meant.
const NO_WORKER: usize = usize::MAX;

/// `now` is written once it is this much behind: workers read it often.
const GRAIN: u64 = 20_000;

pub(super) struct RunQueue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Written under the lock.
    first: AtomicU64,
    /// Tasks that sleepers may take. Written under the lock.
    announced: AtomicUsize,
    /// The worker that pushed the only task, if that is a sender; else [`NO_WORKER`]. Written under the lock.
    lone_sender: AtomicUsize,
    /// How far the virtual time of those that run has come; it only grows.
    now: AtomicU64,
    /// How many tasks there are, ready or not.
    living: AtomicUsize,
    /// The width of a class.
    class: u64,
}

struct State<T> {
    woken: Classes<T>,
    senders: Classes<T>,
    /// The worker that pushed a sender last.
    sender_of: usize,
    computing: BTreeMap<(u64, u64), T>,
    /// How many have been put there.
    preempted: u64,
    sleepers: usize,
    permits: usize,
    /// One sleeper is to stop sleeping, though no task is there.
    called: bool,
    /// Nobody takes tasks any more.
    closed: bool,
}

/// Where a task goes, with its key.
#[derive(Copy, Clone, Debug)]
pub(super) enum Place {
    /// It was woken.
    Woken(u64),
    /// It was woken, and makes work for others: behind those that were woken.
    Sender(u64),
    /// It was preempted.
    Preempted(u64),
    /// It lets others run: behind all that are ready, and no further in front than its key.
    Last(u64),
}

/// Who is told of a task.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Notify {
    /// A worker that sleeps.
    One,
    /// Nobody: the worker that pushes it, which is this one, looks here before it sleeps.
    Worker(usize),
}

/// What ended a wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Waited<T> {
    Task(T),
    /// Somebody called, and this sleeper took the call.
    Called,
    /// It was told to stop.
    Stopped,
    TimedOut,
}

impl<T> RunQueue<T> {
    /// Tasks whose keys lie in the same multiple of `class` are first in, first out.
    pub(super) fn new(class: u64) -> Self {
        Self {
            state: Mutex::new(State {
                woken: Classes::new(class),
                senders: Classes::new(class),
                sender_of: NO_WORKER,
                computing: BTreeMap::new(),
                preempted: 0,
                sleepers: 0,
                permits: 0,
                called: false,
                closed: false,
            }),
            changed: Condvar::new(),
            first: AtomicU64::new(EMPTY),
            announced: AtomicUsize::new(0),
            lone_sender: AtomicUsize::new(NO_WORKER),
            now: AtomicU64::new(0),
            living: AtomicUsize::new(0),
            class,
        }
    }

    /// The key of the first task, or [`EMPTY`].
    pub(super) fn first(&self) -> u64 {
        self.first.load(Ordering::Acquire)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first() == EMPTY
    }

    /// Whether there is nothing but one sender, whose turn it is whatever anybody's virtual time is.
    pub(super) fn is_lone_sender(&self) -> bool {
        self.worker_of_lone_sender().is_some()
    }

    /// The worker that pushed the only task, if that is a sender.
    pub(super) fn worker_of_lone_sender(&self) -> Option<usize> {
        let worker = self.lone_sender.load(Ordering::Relaxed);
        (worker != NO_WORKER).then_some(worker)
    }

    /// Whether a sleeper would find a task.
    pub(super) fn is_announced(&self) -> bool {
        self.announced.load(Ordering::Relaxed) > 0
    }

    pub(super) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// A task is new.
    pub(super) fn joined(&self) {
        self.living.fetch_add(1, Ordering::Relaxed);
    }

    /// A task has ended.
    pub(super) fn left(&self) {
        self.living.fetch_sub(1, Ordering::Relaxed);
    }

    /// The key that decides on the class of a task with this one: with a lead of no more than a class for
    /// every [`CROWD`] tasks, it is among the first.
    fn level(&self, key: u64) -> u64 {
        let now = self.now();
        let crowds = self.living.load(Ordering::Relaxed) as u64 / CROWD;
        let level = key.saturating_sub(now) <= self.class.saturating_mul(crowds);
        if level { key.min(now) } else { key.min(LAST) }
    }

    /// Somebody who runs has come so far: so has the queue, up to its first task.
    pub(super) fn advance(&self, key: u64) {
        self.come_to(key.min(self.first.load(Ordering::Relaxed)));
    }

    fn come_to(&self, key: u64) {
        if key > self.now().saturating_add(GRAIN) {
            self.now.fetch_max(key, Ordering::Relaxed);
        }
    }

    /// After the queue was closed, the task is dropped.
    pub(super) fn push(&self, place: Place, task: T, notify: Notify) {
        let mut state = lock(&self.state);
        if state.closed {
            drop(state);
            drop(task);
            return;
        }
        state.insert(place, task, |key| self.level(key));
        if let Notify::Worker(worker) = notify {
            state.sender_of = worker;
            return self.write_first(&state);
        }
        self.write_first(&state);
        let announced = self.announced.load(Ordering::Relaxed) + 1;
        self.announced.store(announced, Ordering::Relaxed);
        self.notify(&mut state);
    }

    /// The first task, if there is one.
    pub(super) fn pop(&self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        self.pop_locked(&mut lock(&self.state))
    }

    fn pop_locked(&self, state: &mut State<T>) -> Option<T> {
        let (key, task) = state.pop()?;
        let announced = self.announced.load(Ordering::Relaxed);
        if announced > state.len() {
            self.announced.store(state.len(), Ordering::Relaxed);
        }
        self.write_first(state);
        self.come_to(key.min(state.least()));
        Some(task)
    }

    fn write_first(&self, state: &State<T>) {
        let is_lone_sender = state.len() == 1 && state.senders.len() == 1;
        let lone_sender = if is_lone_sender {
            state.sender_of
        } else {
            NO_WORKER
        };
        self.lone_sender.store(lone_sender, Ordering::Relaxed);
        self.first.store(state.first(), Ordering::Release);
    }

    fn notify(&self, state: &mut State<T>) {
        if state.permits < state.sleepers {
            state.permits += 1;
            self.changed.notify_one();
        }
    }

    /// The first task, if one was announced.
    fn take_announced(&self, state: &mut State<T>) -> Option<T> {
        let announced = self.announced.load(Ordering::Relaxed).checked_sub(1)?;
        self.announced.store(announced, Ordering::Relaxed);
        self.pop_locked(state)
    }

    /// Waits for a task to be announced, at most for `timeout`, and without one for a call, too.
    /// `taken` runs under the lock if there is a task.
    pub(super) fn wait(
        &self,
        timeout: Option<Duration>,
        is_stopping: impl Fn() -> bool,
        taken: impl FnOnce(),
    ) -> Waited<T> {
        let mut state = lock(&self.state);
        let mut waited = false;
        loop {
            if is_stopping() {
                return Waited::Stopped;
            }
            if let Some(task) = self.take_announced(&mut state) {
                taken();
                return Waited::Task(task);
            }
            if timeout.is_none() && mem::take(&mut state.called) {
                return Waited::Called;
            }
            if timeout.is_some() && mem::replace(&mut waited, true) {
                return Waited::TimedOut;
            }
            state.sleepers += 1;
            state = self.sleep(state, timeout);
            state.sleepers -= 1;
            // Its own, or that of one who will find nothing to do: at worst somebody is notified
            // in vain later.
            state.permits = state.permits.saturating_sub(1);
        }
    }

    fn sleep<'a>(
        &self,
        state: MutexGuard<'a, State<T>>,
        timeout: Option<Duration>,
    ) -> MutexGuard<'a, State<T>> {
        match timeout {
            None => self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => {
                let woken = self.changed.wait_timeout(state, timeout);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    /// Has one worker stop sleeping, or the next that would go to sleep.
    pub(super) fn call(&self) {
        let mut state = lock(&self.state);
        state.called = true;
        self.notify(&mut state);
    }

    /// Announces as many tasks as there are sleepers.
    pub(super) fn wake_sleepers(&self) {
        if self.is_empty() {
            return;
        }
        let mut state = lock(&self.state);
        let found = state.len().min(state.sleepers);
        let announced = self.announced.load(Ordering::Relaxed);
        self.announced
            .store(announced.max(found), Ordering::Relaxed);
        for _ in 0..found {
            self.notify(&mut state);
        }
    }

    /// Has all sleepers check whether they are to stop.
    pub(super) fn wake_all(&self) {
        let mut state = lock(&self.state);
        state.permits = state.sleepers;
        self.changed.notify_all();
    }

    /// Whether no task is there, and `also` holds at the same moment.
    pub(super) fn is_empty_and(&self, also: impl FnOnce() -> bool) -> bool {
        let state = lock(&self.state);
        state.len() == 0 && also()
    }

    /// Refuses tasks from now on, and hands over those that are left.
    pub(super) fn close(&self) -> impl Iterator<Item = T> + use<T> {
        let mut state = lock(&self.state);
        state.closed = true;
        let woken = state.woken.take_all();
        let senders = state.senders.take_all();
        let computing = mem::take(&mut state.computing);
        self.announced.store(0, Ordering::Relaxed);
        self.write_first(&state);
        woken.chain(senders).chain(computing.into_values())
    }
}

impl<T> State<T> {
    fn len(&self) -> usize {
        self.woken.len() + self.senders.len() + self.computing.len()
    }

    /// `level`: see [`RunQueue::level`].
    fn insert(&mut self, place: Place, task: T, level: impl Fn(u64) -> u64) {
        match place {
            Place::Woken(key) => self.woken.insert(level(key), key.min(LAST), task),
            Place::Sender(key) => self.senders.insert(level(key), key.min(LAST), task),
            Place::Preempted(key) => self.insert_computing(key, task),
            Place::Last(key) => self.insert_computing(key.max(self.last()), task),
        }
    }

    fn insert_computing(&mut self, key: u64, task: T) {
        self.preempted += 1;
        self.computing.insert((key.min(LAST), self.preempted), task);
    }

    /// The largest key. It takes as long as it will be until all those are through.
    fn last(&self) -> u64 {
        let computing = self.computing.last_key_value();
        let computing = computing.map_or(0, |(&(key, _), _)| key);
        computing.max(self.woken.last()).max(self.senders.last())
    }

    fn first_computing(&self) -> u64 {
        let first = self.computing.first_key_value();
        first.map_or(EMPTY, |(&(key, _), _)| key)
    }

    /// The smallest of the keys of those who may be next.
    fn first(&self) -> u64 {
        let woken = self.woken.first().min(self.senders.first());
        woken.min(self.first_computing())
    }

    /// No key is smaller.
    fn least(&self) -> u64 {
        let woken = self.woken.least().min(self.senders.least());
        woken.min(self.first_computing())
    }

    /// The next task, and its key.
    fn pop(&mut self) -> Option<(u64, T)> {
        let computing = self.first_computing();
        let may_be = |class: &Classes<T>| class.len() > 0 && class.first() <= computing;
        let patience = self.senders.class_of_first().saturating_add(PATIENCE);
        let waited = patience < self.woken.class_of_first();
        if may_be(&self.senders) && (waited || !may_be(&self.woken)) {
            self.senders.pop()
        } else if may_be(&self.woken) {
            self.woken.pop()
        } else {
            let ((key, _), task) = self.computing.pop_first()?;
            Some((key, task))
        }
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::{EMPTY, Notify, Place, RunQueue};

    fn order(queue: &RunQueue<char>) -> String {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn the_smallest_key_runs_first_and_equal_ones_in_order() {
        let queue = RunQueue::new(1);
        for (key, task) in [(5, 'c'), (1, 'a'), (5, 'd'), (4, 'b')] {
            queue.push(Place::Woken(key), task, Notify::One);
        }
        assert_eq!(queue.first(), 1);
        assert_eq!(order(&queue), "abcd");
        assert_eq!(queue.first(), EMPTY);
        assert_eq!(queue.now(), 0, "it is written once it is worth it");
    }

    #[test]
    fn who_lets_others_run_is_behind_all_that_are_ready() {
        let queue = RunQueue::new(1);
        queue.push(Place::Preempted(9), 'a', Notify::One);
        queue.push(Place::Last(1), 'b', Notify::One);
        queue.push(Place::Woken(8), '0', Notify::One);
        queue.push(Place::Preempted(10), 'd', Notify::One);
        queue.push(Place::Preempted(9), 'c', Notify::One);
        assert_eq!(order(&queue), "0abcd");
    }

    #[test]
    fn within_a_class_the_first_in_is_first_out() {
        let queue = RunQueue::new(10);
        for (key, task) in [(25, 'c'), (9, 'a'), (3, 'b'), (21, 'd')] {
            queue.push(Place::Woken(key), task, Notify::One);
        }
        assert_eq!(order(&queue), "abcd");
    }

    /// Whatever it has used; but to those that compute it is as far ahead as it is.
    #[test]
    fn in_a_crowd_who_leads_takes_turns() {
        let order_among = |others: u64| {
            let queue = RunQueue::new(10);
            for _ in 0..others {
                queue.joined();
            }
            queue.push(Place::Woken(1), 'a', Notify::One);
            queue.push(Place::Woken(25), 'b', Notify::One);
            queue.push(Place::Woken(1), 'c', Notify::One);
            queue.push(Place::Preempted(5), 'd', Notify::One);
            order(&queue)
        };
        assert_eq!(order_among(8), "acdb");
        assert_eq!(order_among(24), "adbc");
    }

    #[test]
    fn senders_let_those_pass_that_were_woken_but_not_for_ever() {
        let queue = RunQueue::new(1);
        queue.push(Place::Sender(2), 'c', Notify::One);
        queue.push(Place::Woken(3), 'a', Notify::One);
        queue.push(Place::Woken(4), 'b', Notify::One);
        queue.push(Place::Woken(5), 'd', Notify::One);
        assert_eq!(order(&queue), "abcd");
    }

    #[test]
    fn senders_take_turns_with_those_that_compute() {
        let queue = RunQueue::new(10);
        queue.push(Place::Sender(2), 'b', Notify::One);
        queue.push(Place::Preempted(1), 'a', Notify::One);
        queue.push(Place::Preempted(3), 'c', Notify::One);
        // It is behind the one that computes, which is behind the sender.
        queue.push(Place::Woken(4), 'd', Notify::One);
        assert_eq!(order(&queue), "abcd");
    }

    #[test]
    fn a_closed_queue_keeps_nothing() {
        let queue = RunQueue::new(1);
        queue.push(Place::Woken(1), 'a', Notify::One);
        assert_eq!(queue.close().collect::<String>(), "a");
        queue.push(Place::Woken(1), 'b', Notify::One);
        assert_eq!(queue.pop(), None);
    }
}

#[cfg(test)]
#[cfg(loom)]
#[path = "run_queue_models.rs"]
mod models;
