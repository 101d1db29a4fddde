use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::Time;

/// A timer's place: by deadline, then by age.
pub(super) type Key = (Time, u64);

/// What [`Timers::set`] did.
pub(super) struct Added {
    pub(super) key: Key,
    /// The clock's driver would look too late for this one.
    pub(super) earliest: bool,
}

/// A clock's queue of timers.
///
/// Wakers are called and dropped outside the lock: dropping one may drop a task, and with it
/// other sleeps of the same clock.
#[derive(Default)]
pub(super) struct Timers {
    queue: Mutex<Queue>,
}

struct Queue {
    waiting: BTreeMap<Key, Waker>,
    next: u64,
    /// When the driver looks again. Setting a later timer needn't disturb it.
    look_at: Time,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            next: 0,
            look_at: Time::MAX,
        }
    }
}

impl Timers {
    /// Sets `waker` to be called at the deadline, in place of the timer `key` if that is still queued.
    pub(super) fn set(&self, key: Option<Key>, deadline: Time, waker: &Waker) -> Added {
        let mut queue = self.lock();
        if let Some(key) = key
            && let Some(held) = queue.waiting.get_mut(&key)
        {
            let replaced = (!held.will_wake(waker)).then(|| std::mem::replace(held, waker.clone()));
            drop(queue);
            drop(replaced);
            return Added {
                key,
                earliest: false,
            };
        }
        let key = (deadline, queue.next);
        queue.next += 1;
        queue.waiting.insert(key, waker.clone());
        let earliest = deadline < queue.look_at;
        if earliest {
            // The driver is told once; later timers before its look compare with this one.
            queue.look_at = deadline;
        }
        Added { key, earliest }
    }

    pub(super) fn remove(&self, key: Key) -> Option<Waker> {
        self.lock().waiting.remove(&key)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Takes out what is due at `now`, and returns when the next timer is due.
    pub(super) fn due_at(&self, now: Time) -> (Vec<Waker>, Option<Time>) {
        let mut queue = self.lock();
        let due = queue.take_due(now);
        let next = queue.waiting.keys().next().map(|key| key.0);
        queue.look_at = next.unwrap_or(Time::MAX);
        (due, next)
    }

    /// Takes out what is due at the time that `step` sets, under the lock.
    pub(super) fn due_after(&self, step: impl FnOnce() -> Time) -> Vec<Waker> {
        let mut queue = self.lock();
        let now = step();
        queue.take_due(now)
    }

    /// Takes out the timers with the next deadline, after telling `step` that deadline. The
    /// caller must come back, unless there are none: then it is told about the next one.
    pub(super) fn due_next(&self, step: impl FnOnce(Time)) -> Vec<Waker> {
        let mut queue = self.lock();
        let Some(deadline) = queue.waiting.keys().next().map(|key| key.0) else {
            queue.look_at = Time::MAX;
            return Vec::new();
        };
        queue.look_at = Time::ZERO;
        step(deadline);
        queue.take_due(deadline)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No step under the lock leaves the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn take_due(&mut self, now: Time) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(first) = self.waiting.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
        due
    }
}
