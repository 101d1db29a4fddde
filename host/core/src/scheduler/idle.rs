//! What a worker does when it has found nothing to run: it sleeps, or watches the slots of the others.
//! `slots` states the protocol.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::multi_thread::MultiThread;
use super::run_queue::Waited;
use super::shared::Shared;
use super::slots::{STEPS, Seen};
use super::task::TaskCell;
use crate::clock::coarse;

/// What a watch has come to.
enum Watched {
    Found(Arc<TaskCell>),
    /// Nothing happens.
    GivenUp,
    Stopped,
}

impl MultiThread {
    /// Waits for a task. `None`: it may be time to stop.
    #[cold]
    pub(super) fn park(&self, worker: usize, shared: &Shared) -> Option<Arc<TaskCell>> {
        self.fair.slots.enter_idle();
        let found = self.wait(worker, shared);
        if found.is_none() {
            self.fair.slots.leave_idle();
        }
        coarse::refresh();
        shared.parker.stir();
        found
    }

    /// A task. With it, this worker is no longer idle.
    fn wait(&self, worker: usize, shared: &Shared) -> Option<Arc<TaskCell>> {
        let slots = &self.fair.slots;
        loop {
            if !slots.begin_to_watch(worker) {
                let waited =
                    self.fair
                        .queue
                        .wait(None, || shared.is_stopping(), || slots.leave_idle());
                match waited {
                    Waited::Task(task) => return Some(task),
                    // This makes it the watcher.
                    Waited::Called => {}
                    Waited::Stopped | Waited::TimedOut => return None,
                }
            }
            match self.watch(worker, shared) {
                Watched::Found(task) => {
                    if slots.hand_over_watch(worker) {
                        self.fair.queue.call();
                    }
                    return Some(task);
                }
                Watched::GivenUp => {}
                Watched::Stopped => return None,
            }
        }
    }

    /// Watches the slots of the others and the queue until there is a task, or as long as
    /// something happens.
    fn watch(&self, worker: usize, shared: &Shared) -> Watched {
        let slots = &self.fair.slots;
        loop {
            if let Some(seen) = self.overdue(worker) {
                slots.leave_idle();
                if let Some(task) = slots.take_seen(seen) {
                    self.set_step(Duration::ZERO);
                    return Watched::Found(task);
                }
                slots.enter_idle();
            }
            let step = self.step().max(STEPS[0]);
            let changes = slots.changes(worker);
            let waited =
                self.fair
                    .queue
                    .wait(Some(step), || shared.is_stopping(), || slots.leave_idle());
            match waited {
                Waited::Task(task) => return Watched::Found(task),
                Waited::Stopped => return Watched::Stopped,
                Waited::TimedOut | Waited::Called => {}
            }
            self.set_step((2 * step).min(STEPS[1]));
            if slots.changes(worker) == changes {
                slots.cease_to_watch();
                return Watched::GivenUp;
            }
        }
    }

    /// A task that has been in another worker's slot for too long. What is queued goes first.
    fn overdue(&self, worker: usize) -> Option<Seen> {
        let slots = &self.fair.slots;
        let stays = |seen: &Seen| {
            let until = Instant::now() + slots.hold(*seen);
            while slots.is_still(*seen) && !self.fair.queue.is_announced() {
                if Instant::now() >= until {
                    return true;
                }
                std::hint::spin_loop();
            }
            false
        };
        slots.filled(worker).find(stays)
    }

    fn step(&self) -> Duration {
        Duration::from_micros(self.step.load(Ordering::Relaxed))
    }

    fn set_step(&self, step: Duration) {
        let step = u64::try_from(step.as_micros()).unwrap_or(u64::MAX);
        self.step.store(step, Ordering::Relaxed);
    }
}
