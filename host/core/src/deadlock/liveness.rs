//! Which processes are stuck, by one round of looks.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Awaits, Seen};
use crate::channel::Side;
use crate::ids::{ChannelId, Holder, ProcessId};

/// What each waiting process waits for.
pub(super) struct Waits(BTreeMap<ProcessId, WaitsOfOne>);

/// Equal in two rounds only if the process has waited all the time in between.
#[derive(Default, PartialEq, Eq)]
pub(super) struct WaitsOfOne {
    /// Channel, what it waits to do there, ticket.
    pub(super) at: BTreeSet<(ChannelId, Side, u64)>,
    /// Process, ticket.
    pub(super) for_ends: BTreeSet<(ProcessId, u64)>,
    /// The number of its park, if it goes on while operations of its own wait.
    park: Option<u64>,
    timed: bool,
}

impl Waits {
    pub(super) fn new(seen: &[Seen], awaits: &Awaits) -> Self {
        let mut all: BTreeMap<_, WaitsOfOne> = BTreeMap::new();
        for seen in seen {
            for waiting in &seen.look.waiting {
                let Holder::Process(process) = waiting.holder else {
                    continue;
                };
                let waits = all.entry(process).or_default();
                waits
                    .at
                    .insert((seen.channel, waiting.side, waiting.ticket));
                waits.timed |= waiting.timed;
            }
        }
        for awaited in &awaits.ends {
            let waits = all.entry(awaited.process).or_default();
            waits.for_ends.insert((awaited.awaited, awaited.ticket));
        }
        for (process, park) in &awaits.parks {
            if let Some(waits) = all.get_mut(process) {
                waits.park = *park;
                waits.timed |= park.is_none();
            }
        }
        Self(all)
    }

    pub(super) fn of(&self, process: ProcessId) -> Option<&WaitsOfOne> {
        self.0.get(&process)
    }
}

/// When a channel that carries ends in its messages can be taken as out of reach.
#[derive(Copy, Clone)]
pub(super) enum Carriers<'a> {
    /// If nobody live holds an end of it.
    Any,
    /// The same, and it was looked at before the channel whose ends it carries, as were all that
    /// carry ends of its own; or it is one of these: out of reach in the first round already, and
    /// nothing was received from it since.
    Still(&'a HashSet<ChannelId>),
}

/// The processes and channels that nobody live can reach, by one round of looks.
pub(super) struct OutOfReach {
    pub(super) processes: BTreeSet<ProcessId>,
    pub(super) channels: HashSet<ChannelId>,
}

#[derive(Copy, Clone, PartialEq, Eq, Hash)]
enum Node {
    Process(ProcessId),
    Channel(ChannelId),
}

/// Which processes and channels make which others live.
#[derive(Default)]
struct Reach {
    edges: HashMap<Node, Vec<Node>>,
    /// Live from the start.
    roots: Vec<Node>,
}

/// The processes and channels that nobody live can reach. Only processes that `may_be` stuck are
/// considered. `host_lives` says at which channels the embedding program is live.
///
/// This is the least fixpoint: whatever is live makes live all that it can reach, and nothing
/// else is live.
pub(super) fn out_of_reach(
    seen: &[Seen],
    waits: &Waits,
    carriers: Carriers<'_>,
    host_lives: &impl Fn(ChannelId) -> bool,
    may_be: impl Fn(ProcessId) -> bool,
) -> OutOfReach {
    let suspects: BTreeSet<_> = waits
        .0
        .iter()
        .filter(|(process, waits)| !waits.timed && may_be(**process))
        .map(|(process, _)| *process)
        .collect();
    let mut reach = Reach::default();
    reach.add_waits(waits, &suspects);
    reach.add_ends(seen, &suspects, carriers, host_lives);
    let live = reach.live();
    let channels = seen.iter().map(|seen| seen.channel);
    OutOfReach {
        processes: suspects
            .into_iter()
            .filter(|process| !live.contains(&Node::Process(*process)))
            .collect(),
        channels: channels
            .filter(|channel| !live.contains(&Node::Channel(*channel)))
            .collect(),
    }
}

impl Reach {
    fn edge(&mut self, from: Node, to: Node) {
        self.edges.entry(from).or_default().push(to);
    }

    /// A channel that somebody live can reach makes those live that wait there. So does a live process
    /// for those that wait for its end.
    fn add_waits(&mut self, waits: &Waits, suspects: &BTreeSet<ProcessId>) {
        for &process in suspects {
            let Some(waits) = waits.of(process) else {
                continue;
            };
            for &(channel, ..) in &waits.at {
                self.edge(Node::Channel(channel), Node::Process(process));
            }
            for &(awaited, _) in &waits.for_ends {
                self.add(awaited, suspects, Node::Process(process));
            }
        }
    }

    /// A process makes `node` live: at once, if it isn't suspected.
    fn add(&mut self, process: ProcessId, suspects: &BTreeSet<ProcessId>, node: Node) {
        if suspects.contains(&process) {
            self.edge(Node::Process(process), node);
        } else {
            self.roots.push(node);
        }
    }

    /// Whoever holds an end of a channel, or a membership of a barrier, can reach it.
    fn add_ends(
        &mut self,
        seen: &[Seen],
        suspects: &BTreeSet<ProcessId>,
        carriers: Carriers<'_>,
        host_lives: impl Fn(ChannelId) -> bool,
    ) {
        // Carriers that nothing else can have reached since they were seen.
        let mut known: HashSet<ChannelId> = match carriers {
            Carriers::Any => seen.iter().map(|seen| seen.channel).collect(),
            Carriers::Still(channels) => channels.clone(),
        };
        // Those for which the order of the looks alone shows it.
        let mut ordered = HashSet::new();
        for seen in seen {
            // Its own messages may carry its own ends: it was looked at once for both.
            let own = |carrier| carrier == seen.channel;
            if seen
                .carriers()
                .all(|carrier| own(carrier) || ordered.contains(&carrier))
            {
                ordered.insert(seen.channel);
                known.insert(seen.channel);
            }
            let channel = Node::Channel(seen.channel);
            for holder in seen.holders() {
                match holder {
                    Holder::Host if host_lives(seen.channel) => self.roots.push(channel),
                    Holder::Host => {}
                    Holder::Process(process) => self.add(process, suspects, channel),
                    Holder::Transit(carrier) if own(carrier) || known.contains(&carrier) => {
                        self.edge(Node::Channel(carrier), channel);
                    }
                    Holder::Transit(_) => self.roots.push(channel),
                }
            }
        }
    }

    fn live(mut self) -> HashSet<Node> {
        let mut live = HashSet::new();
        let mut open = std::mem::take(&mut self.roots);
        while let Some(node) = open.pop() {
            if live.insert(node) {
                open.extend(self.edges.remove(&node).unwrap_or_default());
            }
        }
        live
    }
}
