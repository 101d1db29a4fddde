//! All the channels of an alternation, locked at once.

use smallvec::SmallVec;

use crate::channel::Payload;
use crate::channel::shared::Shared;
use crate::channel::state::State;
use crate::ids::ChannelId;
use crate::sync::MutexGuard;

/// How many channels are locked without allocating.
pub(super) const FEW: usize = 8;

/// Channels locked in the order of their ids, each of them once.
pub(super) struct Locks<'a, T: Payload> {
    locked: SmallVec<[(ChannelId, MutexGuard<'a, State<T>>); FEW]>,
}

impl<'a, T: Payload> Locks<'a, T> {
    pub(super) fn new(channels: impl Iterator<Item = &'a Shared<T>>) -> Self {
        let mut channels: SmallVec<[&Shared<T>; FEW]> = channels.collect();
        channels.sort_unstable_by_key(|channel| channel.id);
        channels.dedup_by_key(|channel| channel.id);
        Locks {
            locked: channels
                .into_iter()
                .map(|channel| (channel.id, channel.lock()))
                .collect(),
        }
    }

    pub(super) fn state(&mut self, channel: ChannelId) -> &mut State<T> {
        let place = self
            .locked
            .binary_search_by_key(&channel, |(id, _)| *id)
            .expect("an alternation locks all its channels");
        &mut self.locked[place].1
    }

    /// How many channels are locked.
    pub(super) fn channels(&self) -> usize {
        self.locked.len()
    }

    pub(super) fn unlock(self) {
        for (_, state) in &self.locked {
            state.check();
        }
    }
}
