//! Telling the embedding program which messages a process has finished.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use transputer_core::ChannelId;

/// Counts the messages of one channel that a process has finished, and tells the program. Never called with a lock held.
#[derive(Clone)]
pub(crate) struct FinishedCount(Arc<Count>);

struct Count {
    channel: ChannelId,
    finished: AtomicU64,
    listener: Box<dyn Fn(u64) + Send + Sync>,
}

impl FinishedCount {
    pub(crate) fn new(
        channel: ChannelId,
        listener: impl Fn(u64) + Send + Sync + 'static,
    ) -> FinishedCount {
        FinishedCount(Arc::new(Count {
            channel,
            finished: AtomicU64::new(0),
            listener: Box::new(listener),
        }))
    }

    fn one_more(&self) {
        let finished = self.0.finished.fetch_add(1, Ordering::Relaxed) + 1;
        (self.0.listener)(finished);
    }
}

impl fmt::Debug for FinishedCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FinishedCount")
            .field(&self.0.channel)
            .finish()
    }
}

/// Those of a process's ports; most processes have none.
#[derive(Clone, Debug, Default)]
pub(crate) struct FinishedCounts(Option<Arc<[FinishedCount]>>);

impl FinishedCounts {
    /// Whether somebody wants to know.
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn add(&mut self, count: FinishedCount) {
        let known = self.0.iter().flat_map(|all| all.iter().cloned());
        self.0 = Some(known.chain([count]).collect());
    }

    /// A message of this channel is finished.
    pub(crate) fn finished(&self, channel: ChannelId) {
        let mut all = self.0.iter().flat_map(|all| all.iter());
        if let Some(count) = all.find(|count| count.0.channel == channel) {
            count.one_more();
        }
    }
}
