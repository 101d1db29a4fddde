//! A barrier as seen from outside.

use super::Shared;
use crate::channel::{ChannelId, Look, Poison, Probe, Statistics};
use crate::sync::Arc;

impl Probe for Shared {
    fn id(&self) -> ChannelId {
        self.id
    }

    fn label(&self) -> Option<Arc<str>> {
        self.label.clone()
    }

    fn look(&self) -> Look {
        self.lock().look()
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
