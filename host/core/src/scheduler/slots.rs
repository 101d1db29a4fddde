//! The workers' slots, and how an idle worker gets at what lies too long in another's.
//!
//! A worker takes what is in its own slot as soon as its poll is over: after a message between
//! two processes, within a microsecond. Until then nobody else touches it, and nobody is notified:
//! notifying would cost a system call per message. But a poll may last, and then a worker that has
//! nothing to do takes the task over. So idle workers look at the slots now and then, but not
//! while there is nothing to see.
//!
//! # States
//!
//! A worker that has found nothing to run is *idle*, and counted. Of the idle ones at most one
//! *watches* the slots, and [`watched`](Slots::watched) says that one does, or has been called to;
//! the others *sleep* without limit, until a task is queued or they are called.
//!
//! The watcher looks at the slots; at one that stays filled with the same task for [`HOLD`], it
//! leaves the idle, then takes the task. Finding nothing to take, it sleeps for a step, and looks
//! again. Steps become longer as long as looks are in vain, and short again when one was not; in
//! ping-pong they are at their longest. A step in which no slot was filled or emptied is the last:
//! the watcher sleeps like the others. So nobody watches where nothing happens, and the first
//! to fill a slot after that *calls* one of the sleepers: one system call, and no more until that
//! one has given up.
//!
//! # Why no task is overlooked
//!
//! Somebody fills a slot while somebody else ceases to look. Each writes first, then reads what
//! the other writes:
//!
//! - who fills takes the slot's lock, fills it, then reads `watched` and `idle`;
//! - who ceases to watch clears `watched`, then takes each slot's lock and looks once more; so
//!   does who becomes idle, after it has been counted.
//!
//! Of the two holders of the slot's lock the second sees what the first wrote before. If that is
//! the one who looks, it sees the task, and watches on, unless another has been called meanwhile.
//! If it is the one who fills, it sees `watched` cleared and somebody idle, and calls. The lock
//! orders all of this; the atomics themselves need no order. (Modelled at the end of this file.)
//!
//! A call is an entry of a channel that only idle workers read. It is sent only by who has set
//! `watched`, and `watched` is cleared only by who has taken the call, or has set it itself: so
//! there is one call at a time, and one that no worker has taken yet is taken by the
//! next that becomes idle. Who stops watching because it has found work calls another idle
//! worker, if a slot is filled then.
//!
//! # Counting
//!
//! A watcher that looks is idle all the same. It ceases to be *before* it takes a task, and so,
//! whenever all are counted as idle, no slot is filled: a worker becomes idle only with its own
//! slot empty, and only its own polls fill it. It ceases to be idle only where it has seen a task.
//! The owner of that slot is not idle, and goes on to poll, so the timekeeper cannot take
//! a watcher that has come too late for the only one that was busy.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use crate::sync::{AtomicUsize, Mutex, Ordering, lock};

/// How long a watcher lets a task lie in a slot before it takes it: longer than most polls.
pub(super) const HOLD: Duration = Duration::from_micros(20);

/// The first step between two looks, and the longest.
pub(super) const STEPS: [Duration; 2] = [Duration::from_micros(20), Duration::from_micros(1_280)];

/// A slot for each worker, each for one `T`.
pub(super) struct Slots<T> {
    slots: Vec<Slot<T>>,
    /// Workers that have found nothing to run.
    idle: AtomicUsize,
    /// 1 if one of them watches, or is called to.
    watched: AtomicUsize,
}

/// Aligned, so that two workers' slots don't share a cache line.
#[repr(align(128))]
struct Slot<T> {
    state: Mutex<State<T>>,
    /// Changes with the state's task, under the lock; odd while there is one.
    changes: AtomicUsize,
    /// For how much longer than [`HOLD`] a watcher is to leave the task, in microseconds. A hint:
    /// nothing rests on when it is seen.
    longer: AtomicU32,
}

struct State<T> {
    task: Option<T>,
}

/// A task in a slot, as a watcher has seen it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    slot: usize,
    changes: usize,
}

/// What has to be done after a slot was filled.
#[must_use]
pub(super) struct Filled<T> {
    /// What goes to the queue.
    pub(super) queued: Option<T>,
    /// Whether an idle worker has to be called.
    pub(super) call: bool,
}

impl<T> Slots<T> {
    pub(super) fn new(workers: usize) -> Self {
        let slot = |_| Slot {
            state: Mutex::new(State { task: None }),
            changes: AtomicUsize::new(0),
            longer: AtomicU32::new(0),
        };
        Self {
            slots: (0..workers).map(slot).collect(),
            idle: AtomicUsize::new(0),
            watched: AtomicUsize::new(0),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Puts a task into a worker's slot. What was in it has to be queued.
    pub(super) fn fill(&self, worker: usize, task: T) -> Filled<T> {
        let slot = &self.slots[worker];
        let mut state = lock(&slot.state);
        let queued = state.task.replace(task);
        slot.longer.store(0, Ordering::Relaxed);
        slot.changed(if queued.is_some() { 2 } else { 1 });
        drop(state);
        Filled {
            queued,
            call: self.has_to_call(),
        }
    }

    pub(super) fn take(&self, worker: usize) -> Option<T> {
        self.take_with(worker, |task| task)
    }

    /// Takes what is in the worker's own slot. Only its own polls fill it, so that it can see
    /// without the lock that it is empty.
    pub(super) fn take_own(&self, worker: usize) -> Option<T> {
        if self.is_empty(worker) {
            return None;
        }
        self.take(worker)
    }

    /// Takes a slot's task, and lets `use_it` run under the slot's lock.
    pub(super) fn take_with<R>(&self, worker: usize, use_it: impl FnOnce(T) -> R) -> Option<R> {
        let slot = &self.slots[worker];
        let mut state = lock(&slot.state);
        let task = state.task.take()?;
        slot.changed(1);
        Some(use_it(task))
    }

    /// Whether a worker's own slot is empty; others may empty it at any time.
    pub(super) fn is_empty(&self, worker: usize) -> bool {
        self.slots[worker]
            .changes
            .load(Ordering::Relaxed)
            .is_multiple_of(2)
    }

    /// Looks at a slot's task, under the slot's lock.
    pub(super) fn peek<R>(&self, worker: usize, look: impl FnOnce(&T) -> R) -> Option<R> {
        if self.is_empty(worker) {
            return None;
        }
        lock(&self.slots[worker].state).task.as_ref().map(look)
    }

    pub(super) fn idle(&self) -> usize {
        self.idle.load(Ordering::SeqCst)
    }

    /// Counts a worker as idle, whose own slot is empty.
    pub(super) fn enter_idle(&self) {
        self.idle.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn leave_idle(&self) {
        self.idle.fetch_sub(1, Ordering::SeqCst);
    }

    /// Makes an idle worker the watcher, if there is something to watch and nobody does.
    pub(super) fn begin_to_watch(&self, worker: usize) -> bool {
        self.any_filled(worker) && self.watched.swap(1, Ordering::AcqRel) == 0
    }

    /// Ends the watch of who has found work. `true`: another idle worker has to be called.
    pub(super) fn hand_over_watch(&self, worker: usize) -> bool {
        self.cease_to_watch();
        self.idle() > 0 && self.any_filled(worker) && self.has_to_call()
    }

    /// Ends the watch of who has found nothing; it must look once more before it sleeps.
    pub(super) fn cease_to_watch(&self) {
        self.watched.store(0, Ordering::Release);
    }

    /// The tasks in other workers' slots, as they are seen without a lock: by the watcher, who
    /// looks again.
    pub(super) fn filled(&self, worker: usize) -> impl Iterator<Item = Seen> {
        self.others(worker).filter_map(|slot| {
            let changes = self.slots[slot].changes.load(Ordering::Relaxed);
            (changes % 2 == 1).then_some(Seen { slot, changes })
        })
    }

    /// Whether that task is still there.
    pub(super) fn is_still(&self, seen: Seen) -> bool {
        self.slots[seen.slot].changes.load(Ordering::Relaxed) == seen.changes
    }

    /// Has watchers leave what is in a worker's slot for so much longer.
    pub(super) fn keep(&self, worker: usize, longer: Duration) {
        let longer = u32::try_from(longer.as_micros()).unwrap_or(u32::MAX);
        self.slots[worker].longer.store(longer, Ordering::Relaxed);
    }

    /// How long a watcher leaves that task where it is.
    pub(super) fn hold(&self, seen: Seen) -> Duration {
        let longer = self.slots[seen.slot].longer.load(Ordering::Relaxed);
        HOLD + Duration::from_micros(longer.into())
    }

    /// Takes that task, or whatever has come in its place meanwhile.
    pub(super) fn take_seen(&self, seen: Seen) -> Option<T> {
        self.take(seen.slot)
    }

    /// A number that any change of another worker's slot changes.
    pub(super) fn changes(&self, worker: usize) -> usize {
        self.others(worker).fold(0, |sum: usize, slot| {
            sum.wrapping_add(self.slots[slot].changes.load(Ordering::Relaxed))
        })
    }

    fn any_filled(&self, worker: usize) -> bool {
        self.others(worker)
            .any(|slot| lock(&self.slots[slot].state).task.is_some())
    }

    fn others(&self, worker: usize) -> impl Iterator<Item = usize> + use<T> {
        let count = self.slots.len();
        (1..count).map(move |step| (worker + step) % count)
    }

    /// Whether somebody is idle and nobody watches: the caller then calls, and nobody else.
    fn has_to_call(&self) -> bool {
        self.watched.load(Ordering::Relaxed) == 0
            && self.idle.load(Ordering::Relaxed) > 0
            && self.watched.swap(1, Ordering::AcqRel) == 0
    }
}

impl<T> Slot<T> {
    /// Under the lock, after the task has changed so many times.
    fn changed(&self, times: usize) {
        let changes = self.changes.load(Ordering::Relaxed);
        self.changes
            .store(changes.wrapping_add(times), Ordering::Relaxed);
    }
}

#[cfg(test)]
#[cfg(loom)]
mod models {
    use super::Slots;
    use crate::sync::{Arc, AtomicUsize, Ordering};
    use loom::thread;

    /// Slots, and the calls that have been sent and not taken.
    struct Model {
        slots: Slots<u32>,
        calls: AtomicUsize,
    }

    impl Model {
        fn new(workers: usize) -> Arc<Self> {
            Arc::new(Self {
                slots: Slots::new(workers),
                calls: AtomicUsize::new(0),
            })
        }

        fn call(&self) {
            let before = self.calls.fetch_add(1, Ordering::Relaxed);
            assert_eq!(before, 0, "one call at a time");
        }

        /// A worker in a poll wakes a task.
        fn fill(&self, worker: usize) {
            let filled = self.slots.fill(worker, 7);
            assert!(filled.queued.is_none());
            if filled.call {
                self.call();
            }
        }

        /// What a worker does before it sleeps. Whether it watches instead.
        fn becomes_idle(&self, worker: usize) -> bool {
            self.slots.enter_idle();
            self.slots.begin_to_watch(worker)
        }

        fn is_filled(&self, worker: usize) -> bool {
            self.slots.take(worker).is_some()
        }

        fn called(&self) -> bool {
            self.calls.load(Ordering::Relaxed) == 1
        }
    }

    #[test]
    fn a_slot_filled_while_a_worker_becomes_idle_is_watched() {
        loom::model(|| {
            let model = Model::new(2);
            let filler = thread::spawn({
                let model = model.clone();
                move || model.fill(0)
            });
            let watches = model.becomes_idle(1);
            filler.join().unwrap();
            assert!(watches != model.called(), "by one, and once");
        });
    }

    #[test]
    fn a_slot_filled_while_the_watcher_gives_up_is_watched() {
        loom::model(|| {
            let model = Model::new(2);
            model.fill(0);
            assert!(model.becomes_idle(1));
            assert!(model.is_filled(0));
            let filler = thread::spawn({
                let model = model.clone();
                move || model.fill(0)
            });
            model.slots.cease_to_watch();
            let watches = model.slots.begin_to_watch(1);
            filler.join().unwrap();
            assert!(watches != model.called(), "by one, and once");
        });
    }

    #[test]
    fn a_slot_filled_while_the_watcher_leaves_with_work_is_watched() {
        loom::model(|| {
            let model = Model::new(3);
            model.fill(0);
            assert!(model.becomes_idle(1));
            assert!(!model.becomes_idle(2));
            assert!(model.is_filled(0));
            let filler = thread::spawn({
                let model = model.clone();
                move || model.fill(0)
            });
            model.slots.leave_idle();
            if model.slots.hand_over_watch(1) {
                model.call();
            }
            filler.join().unwrap();
            assert!(model.called());
        });
    }

    #[test]
    fn two_slots_filled_at_once_call_one_worker() {
        let mut builder = loom::model::Builder::new();
        // Three threads: all interleavings would take minutes.
        builder.preemption_bound = Some(3);
        builder.check(|| {
            let model = Model::new(3);
            let fillers = [0, 1].map(|worker| {
                let model = model.clone();
                thread::spawn(move || model.fill(worker))
            });
            let watches = model.becomes_idle(2);
            for filler in fillers {
                filler.join().unwrap();
            }
            assert!(watches != model.called(), "by one, and once");
        });
    }

    #[test]
    fn while_a_watcher_has_a_task_not_all_are_idle() {
        loom::model(|| {
            let model = Model::new(2);
            model.fill(0);
            assert!(model.becomes_idle(1));
            let seen = model.slots.filled(1).next().unwrap();
            let ready = Arc::new(AtomicUsize::new(1));
            let owner = thread::spawn({
                let (model, ready) = (model.clone(), ready.clone());
                move || {
                    // Its poll is over: it runs what is in its slot.
                    if model.slots.take(0).is_some() {
                        ready.store(0, Ordering::Relaxed);
                    }
                    model.slots.enter_idle();
                    if model.slots.idle() == 2 {
                        assert_eq!(ready.load(Ordering::Relaxed), 0);
                    }
                }
            });
            model.slots.leave_idle();
            if model.slots.take_seen(seen).is_some() {
                ready.store(0, Ordering::Relaxed);
            }
            model.slots.enter_idle();
            owner.join().unwrap();
        });
    }
}
