//! Counting channels and barriers while they have an end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::total::{Totals, Which};
use crate::process::{LimitKind, LimitOwner, Overrun};

const CHANNELS: Which = |totals| &totals.channels;

/// One channel, or barrier, in the counts; not there any more when dropped.
#[derive(Debug, Default)]
pub(crate) struct OpenChannel {
    /// How many its opener has, if that is a process.
    opened: Option<Arc<AtomicUsize>>,
    /// Where it is counted. A network that doesn't run yet has none.
    totals: OnceLock<Arc<Totals>>,
}

impl OpenChannel {
    /// One more of a process that may have `allowed`.
    ///
    /// # Errors
    /// Over the process's limit, or over a total.
    pub(crate) fn of_process(
        opened: &Arc<AtomicUsize>,
        allowed: usize,
        totals: &Arc<Totals>,
    ) -> Result<Arc<Self>, Overrun> {
        let open = opened.load(Ordering::Acquire);
        if open >= allowed {
            return Err(Overrun {
                limit: LimitKind::Channels,
                owner: LimitOwner::Process,
                allowed: allowed as u64,
                asked: open as u64 + 1,
            });
        }
        totals.take(CHANNELS, 1)?;
        opened.fetch_add(1, Ordering::AcqRel);
        Ok(Arc::new(Self {
            opened: Some(opened.clone()),
            totals: OnceLock::from(totals.clone()),
        }))
    }

    /// One more of the program, which is told of no limit.
    pub(crate) fn of_program(totals: &Arc<Totals>) -> Arc<Self> {
        totals.add(CHANNELS, 1);
        Arc::new(Self {
            opened: None,
            totals: OnceLock::from(totals.clone()),
        })
    }

    /// Counts one that a network begins with, from now on.
    ///
    /// # Errors
    /// Over a total.
    pub(crate) fn count(&self, totals: &Arc<Totals>) -> Result<(), Overrun> {
        totals.take(CHANNELS, 1)?;
        // Nobody else sets it: a network starts once.
        let _ = self.totals.set(totals.clone());
        Ok(())
    }
}

impl Drop for OpenChannel {
    fn drop(&mut self) {
        if let Some(opened) = &self.opened {
            opened.fetch_sub(1, Ordering::AcqRel);
        }
        if let Some(totals) = self.totals.get() {
            totals.give(CHANNELS, 1);
        }
    }
}
