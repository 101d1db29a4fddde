//! Counting channels and barriers while they have an end.

use std::sync::{Arc, OnceLock};

use super::{Charge, Held, Total};
use crate::process::Overrun;

/// What the host needs for a channel or a barrier, in bytes: its state, its ends, the queues of who waits,
/// and its entry in the network.
pub(crate) const CHANNEL: u64 = 1 << 10;

/// One channel or barrier in the counts, and what it counts for if a process has opened it.
pub(crate) type OpenChannel = Held<Counted>;

/// A place in a count; given back when dropped.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// Where it is counted. A network that doesn't run yet has none.
    total: OnceLock<Arc<Total>>,
}

impl OpenChannel {
    /// One more of a process.
    ///
    /// # Errors
    /// Over the process's limit, or over a total.
    pub(crate) fn of_process(total: &Arc<Total>, charge: Charge) -> Result<Arc<Self>, Overrun> {
        total.take(1)?;
        Ok(Arc::new(Self::by_process(Counted::of(total), charge)))
    }

    /// One more of the program, which is told of no limit.
    pub(crate) fn of_program(total: &Arc<Total>) -> Arc<Self> {
        total.add(1);
        Arc::new(Self::by_program(Counted::of(total)))
    }

    /// One that a network begins with, which is not counted before it runs.
    pub(crate) fn of_network() -> Arc<Self> {
        Arc::new(Self::by_program(Counted::default()))
    }

    /// Counts one that a network begins with, from now on.
    ///
    /// # Errors
    /// Over a total.
    pub(crate) fn count(&self, total: &Arc<Total>) -> Result<(), Overrun> {
        total.take(1)?;
        // Nobody else sets it: a network starts once.
        let _ = self.total.set(total.clone());
        Ok(())
    }
}

impl Counted {
    fn of(total: &Arc<Total>) -> Self {
        let total = OnceLock::from(total.clone());
        Self { total }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(total) = self.total.get() {
            total.give(1);
        }
    }
}
