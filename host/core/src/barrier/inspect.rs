//! A barrier as seen from outside.

use super::Shared;
use crate::channel::{Inspect, Poison, Snapshot, Statistics};
use crate::ids::ChannelId;
use crate::sync::Arc;

impl Inspect for Shared {
    fn id(&self) -> ChannelId {
        self.id
    }

    fn label(&self) -> Option<Arc<str>> {
        self.label.clone()
    }

    fn snapshot(&self) -> Snapshot {
        self.lock().snapshot()
    }

    /// Always zero: a barrier carries no messages.
    fn statistics(&self) -> Statistics {
        Statistics::default()
    }

    fn poison(&self, poison: Poison) -> bool {
        self.with(|state, later| state.poison(poison, later))
    }

    fn poisoned(&self) -> Option<Poison> {
        self.lock().poison.clone()
    }

    /// Does nothing: a barrier holds no messages.
    fn discard(&self) {}
}
