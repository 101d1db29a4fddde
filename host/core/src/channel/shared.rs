//! What all ends of one channel share.
//!
//! Lock order: channels are locked in the order of their ids (only an alternation holds
//! more than one), then the waker of a claim (see `claim`), under which nothing is
//! locked. No foreign code runs under a lock, except `Waker::clone`, what the caller passes to
//! `Receiver::drain`, `prefetch` and `Sender::try_send_all`, and the methods of payloads and
//! batches; wakers are called, and messages and wakers dropped, after unlocking (see `deferred`).

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};

use super::deferred::Deferred;
use super::metrics::{LiveCount, MoveCount, Moves, Totals};
use super::options::{Options, Payload};
use super::state::State;
use crate::ids::ChannelId;
use crate::sync::{Arc, Mutex, MutexGuard, lock};

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A number that no channel and no barrier has.
pub(crate) fn next_id() -> ChannelId {
    ChannelId(NEXT_ID.fetch_add(1, Ordering::Relaxed))
}

pub(crate) struct Shared<T: Payload> {
    pub(crate) id: ChannelId,
    pub(crate) label: Option<Arc<str>>,
    pub(crate) capacity: usize,
    totals: Option<std::sync::Arc<Totals>>,
    live_count: Option<std::sync::Arc<LiveCount>>,
    moves: MoveCount,
    state: Mutex<State<T>>,
}

impl<T: Payload> Shared<T> {
    pub(crate) fn new(mut options: Options) -> Self {
        if let Some(live_count) = &options.live_count {
            live_count.opened();
        }
        Shared {
            id: next_id(),
            capacity: options.capacity,
            state: Mutex::new(State::new(&mut options)),
            label: options.label,
            totals: options.totals,
            live_count: options.live_count,
            moves: MoveCount::default(),
        }
    }

    /// Counts a new end.
    pub(crate) fn count_end(&self) {
        if let Some(live_count) = &self.live_count {
            live_count.end_added();
        }
    }

    /// Counts an end out.
    pub(crate) fn discount_end(&self) {
        if let Some(live_count) = &self.live_count {
            live_count.end_dropped();
        }
    }

    /// Counts a move of ends that begins.
    pub(super) fn begin_move(&self) {
        self.moves.begin();
        if let Some(totals) = &self.totals {
            totals.count_move();
        }
    }

    /// Counts a move of ends that is over.
    pub(super) fn end_move(&self) {
        self.moves.end();
    }

    /// The moves of ends so far.
    pub(super) fn moves(&self) -> Moves {
        self.moves.look()
    }

    /// The lock itself. The caller wakes nobody and drops nothing before it is released.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.state)
    }
}

impl<T: Payload> Shared<T> {
    /// Takes a step under the lock, and does what it leaves to be done after it. Always inlined:
    /// a message would be moved into the step, and out of it, one time more.
    #[inline(always)]
    pub(crate) fn with<R>(&self, step: impl FnOnce(&mut State<T>, &mut Deferred<T>) -> R) -> R {
        let mut later = Deferred::new();
        let mut state = self.lock();
        let result = step(&mut state, &mut later);
        state.check();
        drop(state);
        later.finish(|later| self.tell_of_drops(later));
        // Nothing is in it any more: this spares the looks of its drop.
        mem::forget(later);
        result
    }

    /// Tells of the messages that a step at this channel has dropped. No lock may be held.
    pub(crate) fn tell_of_drops(&self, later: &mut Deferred<T>) {
        if let Some(totals) = &self.totals
            && totals.is_listened_to()
        {
            later.show_dropped(|message| totals.dropping(self.label.as_deref(), message));
        }
    }
}

impl<T: Payload> Drop for Shared<T> {
    fn drop(&mut self) {
        if let Some(totals) = &self.totals {
            let seen = self.lock().statistics();
            totals.sent.fetch_add(seen.sent, Ordering::AcqRel);
            totals.dropped.fetch_add(seen.dropped, Ordering::AcqRel);
        }
        if let Some(live_count) = &self.live_count {
            live_count.freed();
        }
    }
}
