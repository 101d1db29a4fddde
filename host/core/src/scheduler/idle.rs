//! What a worker does that has found nothing to run: it sleeps, or watches the others' slots.
//! `slots` states the protocol.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::select;

use super::multi_thread::{Entry, MultiThread};
use super::shared::Shared;
use super::slots::{STEPS, Seen};
use super::task::TaskCell;
use crate::clock::coarse;

/// What ends a wait.
enum Found {
    Queued(Entry),
    InSlot(Arc<TaskCell>),
}

impl MultiThread {
    /// Waits for a task. `None`: it may be time to stop.
    #[cold]
    pub(super) fn park(&self, worker: usize, shared: &Shared) -> Option<Arc<TaskCell>> {
        if shared.is_stopping() {
            // This worker's call to stop may have been taken out of the queue just now.
            return None;
        }
        self.slots.enter_idle();
        let found = loop {
            if !self.slots.begin_to_watch(worker)
                && let Some(entry) = self.sleep()
            {
                break Found::Queued(self.accept(entry));
            }
            if let Some(found) = self.watch(worker) {
                if self.slots.hand_over_watch(worker) {
                    self.call();
                }
                break found;
            }
        };
        coarse::refresh();
        shared.parker.stir();
        match found {
            Found::Queued(entry) => entry,
            Found::InSlot(task) => Some(task),
        }
    }

    /// Sleeps until something is queued; or until it is called, which makes it the watcher.
    fn sleep(&self) -> Option<Entry> {
        // Both halves of both channels are in `self`: they cannot be disconnected.
        select! {
            recv(self.queue.1) -> entry => Some(entry.ok().flatten()),
            recv(self.calls.1) -> _ => None,
        }
    }

    /// Watches the slots of the others and the queue until there is a task, or as long as
    /// something happens.
    fn watch(&self, worker: usize) -> Option<Found> {
        loop {
            if let Some(seen) = self.overdue(worker) {
                self.slots.leave_idle();
                if let Some(task) = self.slots.take_seen(seen) {
                    self.set_step(Duration::ZERO);
                    return Some(Found::InSlot(task));
                }
                self.slots.enter_idle();
            }
            let step = self.step().max(STEPS[0]);
            let changes = self.slots.changes(worker);
            if let Ok(entry) = self.queue.1.recv_timeout(step) {
                return Some(Found::Queued(self.accept(entry)));
            }
            self.set_step((2 * step).min(STEPS[1]));
            if self.slots.changes(worker) == changes {
                self.slots.cease_to_watch();
                return None;
            }
        }
    }

    /// A task that has been in another worker's slot for too long. What is queued goes first.
    fn overdue(&self, worker: usize) -> Option<Seen> {
        let stays = |seen: &Seen| {
            let until = Instant::now() + self.slots.hold(*seen);
            while self.slots.is_still(*seen) && self.queue.1.is_empty() {
                if Instant::now() >= until {
                    return true;
                }
                std::hint::spin_loop();
            }
            false
        };
        self.slots.filled(worker).find(stays)
    }

    /// Leaves the idle with an entry of the queue. `idle` falls before `taken` rises: see
    /// [`is_idle`](Self::is_idle).
    fn accept(&self, entry: Entry) -> Entry {
        self.slots.leave_idle();
        self.taken.fetch_add(1, Ordering::SeqCst);
        entry
    }

    /// Has an idle worker watch the slots.
    pub(super) fn call(&self) {
        // There is room: one call at a time.
        let _ = self.calls.0.try_send(());
    }

    fn step(&self) -> Duration {
        Duration::from_micros(self.step.load(Ordering::Relaxed))
    }

    fn set_step(&self, step: Duration) {
        let step = u64::try_from(step.as_micros()).unwrap_or(u64::MAX);
        self.step.store(step, Ordering::Relaxed);
    }
}
