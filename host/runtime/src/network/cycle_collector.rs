//! Messages that nobody can ever receive.
//!
//! A receiver may lie in a message of its own channel, or two in messages of each other's: then
//! nobody can get at them, and they would keep each other alive for ever. Such messages are dropped
//! while the network runs, with the ends in them: senders of the channel learn that it is closed,
//! and whoever waits for what those ends would have sent does, too.
//!
//! # Why nobody loses a message that could have been received
//!
//! A channel is out of reach if every receiver of it lies in a message of a channel that is out of
//! reach. All channels are looked at twice, one after the other, while processes run. A channel is
//! dropped if it was out of reach both times, nothing was received from it in between, and no end
//! entered a message of it, or came back from one, from before the first look until after the
//! second (see [`Moves`](transputer_core::channel::Moves)). Suppose a process received from one of them after it was looked at for
//! the second time, and take the first time that this happened. The process had a receiver, so it had
//! taken that out of a message of another of these channels. It did not do so before the first look at
//! that channel, or else the look would have found the receiver in its hands; nor between the looks, or
//! else the count of received messages would differ; nor after the second look, because this was the
//! first time. Nor did a sender take the receiver back: while it waits to be sent it is seen, and
//! taking it back is a move.
//!
//! A channel that ends enter all the time is left for another time: what waits in it is in its
//! senders' accounts.
//!
//! # When
//!
//! Together with looking for deadlocks, if any end was ever sent: when the network falls quiet, and
//! every now and then while it runs. And by who sends ends, once in as many sends as there are
//! channels, so that a process that makes such circles as fast as it can pays for it. That takes as
//! long as the network is large, so the process can be preempted, and killed, meanwhile.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use transputer_core::channel::{Inspect, Snapshot, block_on};
use transputer_core::{ChannelId, Holder};

use super::state::NetworkState;
use crate::process::Pace;

/// The fewest messages with ends between two sweeps by their senders.
const FEWEST: u64 = 1_024;

/// Channels between two steps of a sweep.
const STEP: usize = 64;

/// When to look again.
#[derive(Debug, Default)]
pub(super) struct Sweeps {
    /// How often ends had moved when nothing lay in messages any more.
    clean_at: AtomicU64,
    /// Messages with ends to go until their senders sweep.
    left: AtomicU64,
}

impl NetworkState {
    /// Drops messages that nobody can ever receive, if ends have moved at all.
    pub(super) async fn drop_unreachable(&self, pace: &mut Pace) {
        let moved = self.ends_moved();
        if self.sweeps.clean_at.load(Ordering::Relaxed) == moved {
            return;
        }
        let probes = self.probes();
        match unreachable(&probes, pace).await {
            None => self.sweeps.clean_at.store(moved, Ordering::Relaxed),
            Some(unreachable) => {
                for probe in unreachable {
                    probe.discard();
                    pace.step().await;
                }
            }
        }
    }

    /// The same on a thread of its own, which it blocks.
    pub(super) fn sweep(&self) {
        block_on(pin!(self.drop_unreachable(&mut Pace::free())));
    }

    /// Counts a message with ends, and sweeps if it is time.
    pub(crate) async fn ends_sent(&self, pace: &mut Pace) {
        let left = &self.sweeps.left;
        let enough = |left: u64| left.checked_sub(1);
        let counted = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough);
        if counted.is_err() {
            // Others need not sweep as well meanwhile.
            left.store(self.sends_to_a_sweep(), Ordering::Relaxed);
            self.drop_unreachable(pace).await;
            left.store(self.sends_to_a_sweep(), Ordering::Relaxed);
        }
    }

    fn sends_to_a_sweep(&self) -> u64 {
        FEWEST.max(self.channels_at_most())
    }
}

/// The channels with messages that nobody can receive; `None` if no end lies in any message.
async fn unreachable(
    probes: &[Arc<dyn Inspect>],
    pace: &mut Pace,
) -> Option<Vec<Arc<dyn Inspect>>> {
    let mut before = HashMap::with_capacity(probes.len());
    for some in probes.chunks(STEP) {
        before.extend(some.iter().map(|probe| (probe.id(), probe.moves())));
        pace.step().await;
    }
    let mut first = HashMap::with_capacity(probes.len());
    for some in probes.chunks(STEP) {
        first.extend(
            some.iter()
                .map(|probe| (probe.id(), (probe, probe.snapshot()))),
        );
        pace.step().await;
    }
    if !first.values().any(|(_, look)| has_ends_in_transit(look)) {
        return None;
    }
    let candidates = first.keys().copied().collect();
    let suspects = out_of_reach(candidates, |id| &first[&id].1, pace).await;
    let mut second = HashMap::with_capacity(suspects.len());
    for (number, id) in suspects.iter().enumerate() {
        second.insert(*id, first[id].0.snapshot());
        if number % STEP == 0 {
            pace.step().await;
        }
    }
    let mut still = suspects;
    still.retain(|id| first[id].1.received == second[id].received);
    still.retain(|id| first[id].0.moves().are_still_since(&before[id]));
    let lost = out_of_reach(still, |id| &second[&id], pace).await;
    Some(lost.iter().map(|id| first[id].0.clone()).collect())
}

fn has_ends_in_transit(look: &Snapshot) -> bool {
    let mut ends = look
        .senders
        .iter()
        .chain(&look.receivers)
        .chain(&look.absent);
    ends.any(|holder| matches!(holder, Holder::Transit(_)))
}

/// Those of the channels every receiver of which lies in a message of one of them.
async fn out_of_reach<'a>(
    mut channels: HashSet<ChannelId>,
    look: impl Fn(ChannelId) -> &'a Snapshot,
    pace: &mut Pace,
) -> HashSet<ChannelId> {
    // Whose receivers this one carries: they are within reach if it is.
    let mut carried: HashMap<ChannelId, Vec<ChannelId>> = HashMap::new();
    let mut reached = Vec::new();
    for (number, &channel) in channels.iter().enumerate() {
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
        if number % STEP == 0 {
            pace.step().await;
        }
    }
    let mut number = 0_usize;
    while let Some(channel) = reached.pop() {
        if channels.remove(&channel) {
            reached.extend(carried.remove(&channel).unwrap_or_default());
        }
        number += 1;
        if number.is_multiple_of(STEP) {
            pace.step().await;
        }
    }
    channels
}
