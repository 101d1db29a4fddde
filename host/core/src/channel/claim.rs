//! The one winner of a waiting alternation.
//!
//! A waiting alternation has an entry in the queue of each of its channels, and all
//! of them point to one claim. Whoever wants to communicate with it first wins the
//! claim by compare-exchange, holding the lock of the channel concerned; then fills
//! the entry in that channel, and wakes the alternation after unlocking.
//!
//! Invariants:
//! - The winner is written once.
//! - A guard's number is written only under the lock of that guard's channel, which
//!   is held on until the entry is settled. So an alternation that sees itself won,
//!   and then locks that channel, finds the entry settled.
//! - The alternation stores its waker before it looks at the winner; a counterpart
//!   writes the winner before it takes the waker. One of them sees the other.
//!
//! Lock order: channels, then the waker's lock, under which nothing else is locked.

use std::task::Waker;

use crate::sync::{AtomicUsize, Mutex, Ordering, lock};

const OPEN: usize = usize::MAX;
const WITHDRAWN: usize = usize::MAX - 1;

pub(crate) struct Claim {
    winner: AtomicUsize,
    waker: Mutex<Option<Waker>>,
}

/// Who has won a claim.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Winner {
    Guard(usize),
    /// The alternation itself: it timed out, or was dropped.
    Withdrawn,
}

impl Claim {
    pub(crate) fn new(waker: Waker) -> Self {
        Claim {
            winner: AtomicUsize::new(OPEN),
            waker: Mutex::new(Some(waker)),
        }
    }

    /// Wins the claim for a guard. The caller holds the lock of the guard's channel.
    pub(crate) fn win(&self, guard: usize) -> bool {
        debug_assert!(guard < WITHDRAWN);
        self.write(guard)
    }

    /// The alternation takes itself out. False if a guard has won before.
    pub(crate) fn withdraw(&self) -> bool {
        self.write(WITHDRAWN)
    }

    fn write(&self, winner: usize) -> bool {
        self.winner
            .compare_exchange(OPEN, winner, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    pub(crate) fn winner(&self) -> Option<Winner> {
        match self.winner.load(Ordering::Acquire) {
            OPEN => None,
            WITHDRAWN => Some(Winner::Withdrawn),
            guard => Some(Winner::Guard(guard)),
        }
    }

    pub(crate) fn take_waker(&self) -> Option<Waker> {
        lock(&self.waker).take()
    }

    /// Stores the waker of the latest poll.
    pub(crate) fn set_waker(&self, waker: &Waker) {
        let mut stored = lock(&self.waker);
        if stored.as_ref().is_some_and(|old| old.will_wake(waker)) {
            return;
        }
        let old = stored.replace(waker.clone());
        drop(stored);
        drop(old);
    }
}
