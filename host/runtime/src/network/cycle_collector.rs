//! Messages that nobody can ever receive.
//!
//! A receiver may lie in a message of its own channel, or two in messages of each other's: then
//! nobody can get at them, and they would keep each other alive for ever. Such messages are dropped
//! while the network runs, with the ends in them: senders of the channel learn that it is closed,
//! and whoever waits for what those ends would have sent does, too.
//!
//! # Why nobody loses a message that he could have had
//!
//! A channel is out of reach if every receiver of it lies in a message of a channel that is out of
//! reach. All channels are looked at twice, one after the other, while processes run; no end enters
//! a message meanwhile (see [`moving`](super::ends_in_transit)), and no message of these channels may come
//! back to a sender. A channel is dropped if it was out of reach both times and nothing was
//! received from it in between. Suppose somebody received from one after it was looked at for the
//! second time, and take the first such time. He had a receiver, so he had taken it out of a
//! message of another of these channels: not before that one was looked at first, for then its
//! receiver was seen in his hands; not between the looks, for its count of received messages would
//! differ; and not after the second, for this was the first time.
//!
//! # When
//!
//! Together with looking for deadlocks, if any end was ever sent: when the network falls quiet, and
//! every now and then while it runs. And by who sends ends, once in as many sends as there are
//! channels, so that a process that makes such circles as fast as it can pays for it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use transputer_core::channel::{Inspect, Snapshot};
use transputer_core::{ChannelId, Holder};

use super::ends_in_transit::{moved, stand_still};
use super::state::NetworkState;

/// The fewest messages with ends between two sweeps by their senders.
const FEWEST: u64 = 1_024;

/// When to look again.
#[derive(Debug, Default)]
pub(super) struct Sweeps {
    /// What was [`moved`] when nothing lay in messages any more.
    clean_at: AtomicU64,
    /// Messages with ends to go until their senders sweep.
    left: AtomicU64,
}

impl NetworkState {
    /// Drops messages that nobody can ever receive, if ends have moved at all.
    pub(super) fn drop_unreachable(&self) {
        let moved = moved();
        if self.sweeps.clean_at.load(Ordering::Relaxed) == moved {
            return;
        }
        let probes = self.probes();
        let found = {
            let _still = stand_still();
            unreachable(&probes)
        };
        let Some(unreachable) = found else {
            self.sweeps.clean_at.store(moved, Ordering::Relaxed);
            return;
        };
        unreachable.iter().for_each(|probe| probe.discard());
    }

    /// Counts a message with ends, and sweeps if it is time.
    pub(crate) fn ends_sent(&self) {
        let left = &self.sweeps.left;
        let enough = |left: u64| left.checked_sub(1);
        let counted = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough);
        if counted.is_err() {
            self.drop_unreachable();
            let channels = self.probes().len() as u64;
            left.store(FEWEST.max(channels), Ordering::Relaxed);
        }
    }
}

/// The channels with messages that nobody can receive; `None` if no end lies in any message.
fn unreachable(probes: &[Arc<dyn Inspect>]) -> Option<Vec<Arc<dyn Inspect>>> {
    let first: HashMap<_, _> = probes
        .iter()
        .map(|probe| (probe.id(), (probe, probe.snapshot())))
        .collect();
    let in_transit = |holder: &Holder| matches!(holder, Holder::Transit(_));
    let ends = |look: &Snapshot| {
        let mut ends = look
            .senders
            .iter()
            .chain(&look.receivers)
            .chain(&look.absent);
        ends.any(in_transit)
    };
    if !first.values().any(|(_, look)| ends(look)) {
        return None;
    }
    let candidates = first.keys().copied().collect();
    let suspects = out_of_reach(candidates, |id| &first[&id].1);
    let second: HashMap<_, _> = suspects
        .iter()
        .map(|id| (*id, first[id].0.snapshot()))
        .collect();
    let mut still = suspects;
    still.retain(|id| first[id].1.received == second[id].received);
    let lost = out_of_reach(still, |id| &second[&id]);
    Some(lost.iter().map(|id| first[id].0.clone()).collect())
}

/// Those of the channels every receiver of which lies in a message of one of them.
fn out_of_reach<'a>(
    mut channels: HashSet<ChannelId>,
    look: impl Fn(ChannelId) -> &'a Snapshot,
) -> HashSet<ChannelId> {
    // Whose receivers this one carries: they are within reach if it is.
    let mut carried: HashMap<ChannelId, Vec<ChannelId>> = HashMap::new();
    let mut reached = Vec::new();
    for &channel in &channels {
        let seen = look(channel);
        // What waits to be sent may come back to its sender.
        let mut held = seen.offers > 0;
        for holder in &seen.receivers {
            match holder {
                Holder::Transit(carrier) if channels.contains(carrier) => {
                    carried.entry(*carrier).or_default().push(channel);
                }
                _ => held = true,
            }
        }
        if held {
            reached.push(channel);
        }
    }
    while let Some(channel) = reached.pop() {
        if channels.remove(&channel) {
            reached.extend(carried.remove(&channel).unwrap_or_default());
        }
    }
    channels
}
