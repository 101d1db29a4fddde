use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::lock;

/// Wakes the timekeeper. A ring before the wait isn't lost.
#[derive(Default)]
pub(super) struct Parker {
    rung: Mutex<bool>,
    changed: Condvar,
    /// The timekeeper has stopped ticking, because nothing runs.
    dozing: AtomicBool,
}

impl Parker {
    pub(super) fn ring(&self) {
        *lock(&self.rung) = true;
        self.changed.notify_one();
    }

    /// Tells that a worker has found work: rings if the timekeeper dozes. One load otherwise.
    pub(super) fn stir(&self) {
        if self.dozing.load(Ordering::SeqCst) && self.dozing.swap(false, Ordering::SeqCst) {
            self.ring();
        }
    }

    /// Called by the timekeeper before its last look at the workers: either that look sees a
    /// worker's work, or the worker sees this.
    pub(super) fn set_dozing(&self, dozing: bool) {
        self.dozing.store(dozing, Ordering::SeqCst);
    }

    pub(super) fn is_dozing(&self) -> bool {
        self.dozing.load(Ordering::SeqCst)
    }

    /// Waits for a ring, at most until then.
    pub(super) fn wait(&self, until: Option<Instant>) {
        let mut rung = lock(&self.rung);
        while !*rung {
            match until {
                None => {
                    rung = self
                        .changed
                        .wait(rung)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    rung = self
                        .changed
                        .wait_timeout(rung, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0;
                }
            }
        }
        *rung = false;
    }
}
