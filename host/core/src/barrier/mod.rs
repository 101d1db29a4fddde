//! Barriers: where a number of processes wait for each other, CSP's multiway synchronisation.
//!
//! A [`Barrier`] is one membership. Each time that all members have arrived, all go on
//! together: a *phase* is over, and the next begins. Members may enrol and resign at any
//! time, as with occam-π's and JCSP's barriers.
//!
//! ```
//! use transputer_core::{Barrier, Holder};
//!
//! let first = Barrier::new("generation");
//! let second = first.enrol_for(Holder::Host);
//! let neighbour = std::thread::spawn(move || {
//!     for _ in 0..3 {
//!         second.sync_blocking().unwrap();
//!     }
//!     // Dropped here, it resigns.
//! });
//! for _ in 0..3 {
//!     first.sync_blocking().unwrap();
//! }
//! neighbour.join().unwrap();
//! assert_eq!(first.members(), 1);
//! // Nobody else is left to wait for.
//! assert_eq!(first.sync_blocking(), Ok(()));
//! ```
//!
//! A barrier cannot be a guard of an alternation: all members of all barriers concerned would have to
//! agree on the choice at once.

mod error;
mod inspect;
mod state;
mod sync;

use std::convert::Infallible;
use std::fmt;

use crate::channel::deferred::Deferred;
use crate::channel::shared::next_id;
use crate::channel::{Inspect, KeepAlive, Poison, block_on};
use crate::clock::Sleep;
use crate::ids::{ChannelId, Holder};
use crate::sync::{Arc, Mutex, MutexGuard, lock};
use state::{MemberKey, State};

pub use error::{SyncError, SyncTimeoutError};
pub use sync::{BarrierDeadline, BarrierFuture};

/// Nothing is sent over a barrier: there are only members to wake.
type Later = Deferred<Infallible>;

struct Shared {
    id: ChannelId,
    label: Option<Arc<str>>,
    state: Mutex<State>,
}

impl Shared {
    /// Takes a step under the lock, and does what it leaves to be done after it.
    fn with<R>(&self, step: impl FnOnce(&mut State, &mut Later) -> R) -> R {
        let mut later = Deferred::new();
        let mut state = self.lock();
        let result = step(&mut state, &mut later);
        state.check();
        drop(state);
        later.run();
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// One membership of a barrier.
///
/// [`enrol_for`](Self::enrol_for) makes another one; dropping it resigns. If all others have
/// arrived by then, they go on.
pub struct Barrier {
    shared: Arc<Shared>,
    key: MemberKey,
}

impl Barrier {
    /// A new barrier with one member, held by [`Holder::Host`]. An empty label counts as none.
    pub fn new(label: impl Into<Arc<str>>) -> Self {
        Self::open(label.into(), None)
    }

    /// Like [`new`](Self::new), with something that is dropped when the last member is gone.
    pub fn keeping(label: impl Into<Arc<str>>, keep_alive: KeepAlive) -> Self {
        Self::open(label.into(), Some(keep_alive))
    }

    fn open(label: Arc<str>, keep_alive: Option<KeepAlive>) -> Self {
        let shared = Arc::new(Shared {
            id: next_id(),
            label: (!label.is_empty()).then_some(label),
            state: Mutex::new(State::new(keep_alive)),
        });
        let key = shared.lock().enrol(Holder::Host);
        Barrier { shared, key }
    }

    /// Another membership of the same barrier, for this holder. The present phase waits for it, too.
    #[must_use = "it resigns when it is dropped"]
    pub fn enrol_for(&self, holder: Holder) -> Self {
        let shared = Arc::clone(&self.shared);
        let key = shared.lock().enrol(holder);
        Barrier { shared, key }
    }

    /// Arrives, and waits until all members have. Does not wait for members that resign.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future takes the arrival back, unless all have arrived already.
    ///
    /// # Errors
    ///
    /// [`Poisoned`](SyncError::Poisoned); and [`Overloaded`](SyncError::Overloaded) if another
    /// sync of this same membership waits, or has not been polled to its end.
    pub fn sync(&self) -> BarrierFuture<'_> {
        BarrierFuture::new(self, false)
    }

    /// Like [`sync`](Self::sync), but takes the arrival back at `deadline`. If all arrive at
    /// the same time, that wins.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](SyncTimeoutError::TimedOut); otherwise as [`sync`](Self::sync).
    pub fn sync_by(&self, deadline: Sleep) -> BarrierDeadline<'_> {
        BarrierDeadline {
            sync: BarrierFuture::new(self, true),
            deadline,
        }
    }

    /// Like [`sync`](Self::sync), parking the calling thread. Not for code that runs on a
    /// scheduler's worker.
    ///
    /// # Errors
    ///
    /// As [`sync`](Self::sync).
    pub fn sync_blocking(&self) -> Result<(), SyncError> {
        block_on(self.sync())
    }

    /// Ends the barrier at once: whoever waits, now or later, fails with
    /// [`Poisoned`](SyncError::Poisoned). A phase that is over stays so, also for
    /// members that have not looked yet. Returns false, and changes nothing, if the barrier
    /// was poisoned already.
    pub fn poison(&self, poison: Poison) -> bool {
        self.shared.with(|state, later| state.poison(poison, later))
    }

    /// Why the barrier was poisoned, if it was.
    pub fn poisoned(&self) -> Option<Poison> {
        self.shared.lock().poison.clone()
    }

    /// How many members there are, this one included.
    pub fn members(&self) -> usize {
        self.shared.lock().members()
    }

    /// The barrier's number, from the same sequence as those of channels.
    pub fn id(&self) -> ChannelId {
        self.shared.id
    }

    /// The barrier's name, if it was given one.
    pub fn label(&self) -> Option<Arc<str>> {
        self.shared.label.clone()
    }

    /// Who holds this membership.
    pub fn holder(&self) -> Holder {
        self.shared.lock().holder(self.key)
    }

    /// Records that this membership has a new holder.
    pub fn set_holder(&self, holder: Holder) {
        self.shared.lock().set_holder(self.key, holder);
    }

    /// The barrier as reports and deadlock detection see it.
    pub fn inspect(&self) -> Arc<dyn Inspect> {
        Arc::<Shared>::clone(&self.shared)
    }
}

impl Drop for Barrier {
    /// Resigns. If all other members have arrived, they go on.
    fn drop(&mut self) {
        let last = self
            .shared
            .with(|state, later| state.resign(self.key, later));
        drop(last);
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("barrier", &self.shared.id)
            .field("label", &self.shared.label)
            .finish_non_exhaustive()
    }
}
