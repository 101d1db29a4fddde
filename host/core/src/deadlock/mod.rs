//! Finds processes that can never go on: all of a network's, or a part's that nobody outside can
//! reach.
//!
//! # Who is live
//!
//! A process is live if it waits nowhere (it runs, sleeps, or does I/O), if one of its waits has a
//! deadline, if somebody live holds an end of a channel that it waits at, or if it waits for the
//! end of a process that is live. Either side's end counts: whoever holds one can send, receive,
//! close or poison. The embedding program is always live. An end inside an undelivered message is
//! live if somebody live holds an end of the channel that carries it. A process that is not live by any of
//! these is stuck: all those who could wake it are stuck themselves.
//!
//! A barrier counts as a channel whose ends are its memberships: any member can arrive, resign or
//! poison.
//!
//! # Why nothing has to stand still meanwhile
//!
//! The looks at the channels are made one after the other, while processes run. So all are made
//! twice, and a process is stuck only if both times it had exactly the same waits, by their
//! tickets, and if the second snapshots alone show that nobody live can reach them.
//!
//! - A wait with the same ticket before and after has lasted in between. So there was a moment,
//!   between the two rounds, at which all processes of the set waited.
//! - From that moment on no live process gains a way to a channel to which it has none, until one
//!   of the set is woken: the others' ends are in the hands of processes that wait, or in messages
//!   in channels to which it has no way either.
//! - The first of the set to be woken would be woken through a channel that it waits at. If that
//!   happened before the second look at that channel, the look misses the wait. If it happened
//!   after, somebody live has a way to the channel, and the look shows no such way.
//!
//! For ends inside messages the second round looks at the carrying channel first: what was out of
//! reach then stays so. Two channels each of which carries the other's ends have no such order. For
//! them both must have been out of reach in the first round too, and nothing may have been
//! received from either in between: whoever holds an end of theirs now must have taken it out of a
//! message of such a channel, and the first to do so would have needed an end before.
//!
//! A process that goes on while operations of its own wait says by itself when it is parked. It counts as
//! stuck only if it was in the same park both times, by its number: the first look at that comes after the
//! first look at the channels, so it was parked at that moment with each of the waits that both rounds show.
//!
//! An alternation enters its queues under all their locks, so no look sees half of its waits.
//! Killing a process from outside still frees the others; that is what the report is for.

mod graph;
mod liveness;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::channel::{Inspect, Side, Snapshot};
use crate::ids::{ChannelId, Holder, ProcessId};
use liveness::{Carriers, Waits, out_of_reach};

/// A process that waits, without a deadline, for another to end.
///
/// One that waits for the first of several to end has one of these for each.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AwaitedEnd {
    /// Who waits.
    pub process: ProcessId,
    /// Whose end it waits for.
    pub awaited: ProcessId,
    /// Unique for each wait, so that two snapshots can tell whether they see the same one.
    pub ticket: u64,
}

impl AwaitedEnd {
    /// A wait of `process` for the end of `awaited`.
    #[must_use]
    pub fn new(process: ProcessId, awaited: ProcessId, ticket: u64) -> Self {
        AwaitedEnd {
            process,
            awaited,
            ticket,
        }
    }
}

/// What the channels don't show of the waits of processes.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Awaits {
    /// Who waits for whose end.
    pub ends: Vec<AwaitedEnd>,
    /// The processes that have operations waiting while they go on: for each, the number of the park
    /// that it is in, different for each park, or `None` while it goes on or will by itself. All others
    /// wait as soon as they are in a queue.
    pub parks: Vec<(ProcessId, Option<u64>)>,
}

impl Awaits {
    /// These.
    #[must_use]
    pub fn new(ends: Vec<AwaitedEnd>, parks: Vec<(ProcessId, Option<u64>)>) -> Self {
        Awaits { ends, parks }
    }
}

impl From<Vec<AwaitedEnd>> for Awaits {
    fn from(ends: Vec<AwaitedEnd>) -> Self {
        Awaits {
            ends,
            parks: Vec::new(),
        }
    }
}

/// Processes that can never go on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlock {
    /// All of them, by their numbers: those of the cycle, and those that wait for them.
    pub stuck: Vec<Stuck>,
    /// Each waits for the next one, and the last for the first. Empty if they wait for an end
    /// that lies in a message which nobody can receive.
    pub cycle: Vec<ProcessId>,
}

/// A process that can never go on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stuck {
    /// The process.
    pub process: ProcessId,
    /// The channels that it waits at, several if it waits in an alternation, or the barrier.
    pub waits: Vec<WaitsOn>,
    /// The processes whose end it waits for.
    pub awaits: Vec<ProcessId>,
}

/// A wait at a channel or a barrier.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitsOn {
    /// The channel or barrier.
    pub channel: ChannelId,
    /// Its name.
    pub label: Option<Arc<str>>,
    /// What the process waits to do.
    pub side: Side,
    /// Unique for each wait; of several at the same end one. `None` for one that has ended meanwhile.
    pub ticket: Option<u64>,
    /// When it began to wait, to within some ticks of a scheduler.
    pub since: Option<Instant>,
    /// Those that hold the other side, or have not arrived at the barrier, and are stuck as well.
    pub others: Vec<Holder>,
}

/// Finds every deadlock among the processes that wait at these channels. Never a false alarm.
///
/// `inspected` must hold **every** channel and barrier that a process of the network may wait at: a wait that is
/// left out looks as if the process had fewer ways to go on. An end said to be in transit through
/// a channel that isn't among them counts as live.
///
/// `awaits` lists who waits for whose end, and who is parked; it is called up to twice.
///
/// Doesn't block beyond the channels' own locks. Takes two snapshots of each channel if anybody seems
/// stuck, one otherwise; so call it when the scheduler is quiet rather than at each tick.
///
/// ```
/// use transputer_core::deadlock;
/// use transputer_core::{Options, channel};
///
/// let (sender, receiver) = channel::<u64>(Options::rendezvous());
/// // Both ends are the embedding program's: nobody is stuck.
/// assert_eq!(deadlock::find(&[sender.inspect()], deadlock::Awaits::default), []);
/// # drop(receiver);
/// ```
pub fn find<A: Into<Awaits>>(
    inspected: &[Arc<dyn Inspect>],
    awaits: impl FnMut() -> A,
) -> Vec<Deadlock> {
    find_while_host_waits(inspected, |_| false, awaits)
}

/// Finds every process that can never go on as long as the embedding program does nothing at those channels for which
/// `host_waits` is true. At all others the program counts as live.
///
/// For a program that knows for itself whether it will do anything there, such as one that joins networks on several
/// machines. Otherwise as [`find`].
pub fn find_while_host_waits<A: Into<Awaits>>(
    inspected: &[Arc<dyn Inspect>],
    host_waits: impl Fn(ChannelId) -> bool,
    mut awaits: impl FnMut() -> A,
) -> Vec<Deadlock> {
    let host_lives = |channel| !host_waits(channel);
    let mut seen = look(inspected.iter());
    let first = Waits::new(&seen, &awaits().into());
    let suspects = out_of_reach(&seen, &first, Carriers::Any, &host_lives, |_| true);
    if suspects.processes.is_empty() {
        return Vec::new();
    }
    let received = |seen: &[Seen]| -> HashMap<ChannelId, u64> {
        let seen = seen.iter();
        seen.map(|seen| (seen.channel, seen.look.received))
            .collect()
    };
    let before = received(&seen);
    let order = carriers_first(&seen);
    let by_id: HashMap<_, _> = inspected.iter().map(|at| (at.id(), at)).collect();
    seen = look(order.iter().filter_map(|id| by_id.get(id).copied()));
    let second = Waits::new(&seen, &awaits().into());
    let after = received(&seen);
    let mut still = suspects.channels;
    still.retain(|channel| before.get(channel) == after.get(channel));
    let stuck = out_of_reach(
        &seen,
        &second,
        Carriers::Still(&still),
        &host_lives,
        |process| suspects.processes.contains(&process) && first.of(process) == second.of(process),
    );
    graph::deadlocks(&seen, &second, &stuck.processes)
}

/// A channel as it was seen, in a round of snapshots.
struct Seen {
    channel: ChannelId,
    label: Option<Arc<str>>,
    look: Snapshot,
}

fn look<'a>(inspected: impl Iterator<Item = &'a Arc<dyn Inspect>>) -> Vec<Seen> {
    inspected
        .map(|at| Seen {
            channel: at.id(),
            label: at.label(),
            look: at.snapshot(),
        })
        .collect()
}

impl Seen {
    fn holders(&self) -> impl Iterator<Item = Holder> {
        let look = &self.look;
        let ends = look.senders.iter().chain(&look.receivers);
        let at_barrier = look.waiting.iter().filter(|wait| wait.side == Side::Sync);
        let arrived = at_barrier.map(|wait| &wait.holder);
        ends.chain(&look.absent).chain(arrived).copied()
    }

    /// The channels in whose messages ends of this one lie.
    fn carriers(&self) -> impl Iterator<Item = ChannelId> {
        self.holders().filter_map(|holder| match holder {
            Holder::Transit(carrier) => Some(carrier),
            Holder::Host | Holder::Process(_) => None,
        })
    }
}

/// The channels in an order in which each comes after those that carry its ends, as far as there
/// is one.
fn carriers_first(seen: &[Seen]) -> Vec<ChannelId> {
    let index: HashMap<_, _> = seen
        .iter()
        .enumerate()
        .map(|(index, seen)| (seen.channel, index))
        .collect();
    let mut order = Vec::with_capacity(seen.len());
    let mut entered = vec![false; seen.len()];
    // A walk with its own stack: ends may be nested deeper than a thread's stack is.
    for start in 0..seen.len() {
        let mut path = Vec::new();
        if !std::mem::replace(&mut entered[start], true) {
            path.push((start, seen[start].carriers()));
        }
        while let Some((at, carriers)) = path.last_mut() {
            match carriers.find_map(|carrier| index.get(&carrier).copied()) {
                Some(next) if !entered[next] => {
                    entered[next] = true;
                    path.push((next, seen[next].carriers()));
                }
                Some(_) => {}
                None => {
                    order.push(seen[*at].channel);
                    path.pop();
                }
            }
        }
    }
    order
}
