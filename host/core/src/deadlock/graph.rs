//! Which stuck process waits for which: the groups, and a cycle in each.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Instant;

use super::liveness::Waits;
use super::{Deadlock, Seen, Stuck, WaitsOn};
use crate::channel::Side;
use crate::ids::{ChannelId, Holder, ProcessId};

/// Sorts the stuck processes into deadlocks: one for each group in which all wait for each other, or for
/// an end that is lost in a message. A process that only waits for such a group belongs to it.
pub(super) fn deadlocks(
    seen: &[Seen],
    waits: &Waits,
    stuck: &BTreeSet<ProcessId>,
) -> Vec<Deadlock> {
    let view = View {
        seen: seen.iter().map(|seen| (seen.channel, seen)).collect(),
        waits,
        stuck,
    };
    let edges: BTreeMap<_, _> = stuck
        .iter()
        .map(|process| (*process, view.waits_for(*process)))
        .collect();
    let mut found: Vec<Deadlock> = Vec::new();
    let mut member_of: HashMap<ProcessId, usize> = HashMap::new();
    for group in groups(&edges) {
        let cycle = cycle(&group, &edges);
        // Groups come after those that they wait for.
        let joined = group
            .iter()
            .flat_map(|process| &edges[process])
            .find_map(|process| member_of.get(process).copied());
        let index = match joined {
            Some(index) if cycle.is_empty() => index,
            _ => {
                found.push(Deadlock {
                    stuck: Vec::new(),
                    cycle,
                });
                found.len() - 1
            }
        };
        member_of.extend(group.iter().map(|process| (*process, index)));
    }
    for process in stuck {
        if let Some(index) = member_of.get(process) {
            found[*index].stuck.push(view.describe(*process));
        }
    }
    found
}

struct View<'a> {
    seen: HashMap<ChannelId, &'a Seen>,
    waits: &'a Waits,
    stuck: &'a BTreeSet<ProcessId>,
}

impl View<'_> {
    fn channels(&self, process: ProcessId) -> BTreeSet<(ChannelId, Side)> {
        let waits = self.waits.of(process).into_iter();
        waits
            .flat_map(|waits| &waits.at)
            .map(|(channel, side, _)| (*channel, *side))
            .collect()
    }

    fn awaited(&self, process: ProcessId) -> BTreeSet<ProcessId> {
        let waits = self.waits.of(process).into_iter();
        waits
            .flat_map(|waits| &waits.for_ends)
            .map(|(awaited, _)| *awaited)
            .collect()
    }

    /// When it began to wait, and by which ticket it is known.
    fn wait(&self, process: ProcessId, channel: ChannelId, side: Side) -> Option<(Instant, u64)> {
        let mut waiting = self.seen.get(&channel)?.look.waiting.iter();
        let holder = Holder::Process(process);
        let found = waiting.find(|waiting| waiting.holder == holder && waiting.side == side)?;
        Some((found.since, found.ticket))
    }

    /// The holders of the channel's other side, or the members that a barrier waits for.
    fn others(&self, channel: ChannelId, side: Side) -> BTreeSet<Holder> {
        let Some(seen) = self.seen.get(&channel) else {
            return BTreeSet::new();
        };
        let others = match side {
            Side::Receive | Side::Permit => &seen.look.senders,
            Side::Send => &seen.look.receivers,
            Side::Sync => &seen.look.absent,
        };
        others.iter().copied().collect()
    }

    /// The stuck processes of which one would have to go on before this one can.
    fn waits_for(&self, process: ProcessId) -> BTreeSet<ProcessId> {
        let mut found: BTreeSet<_> = self.awaited(process);
        let mut open: Vec<Holder> = Vec::new();
        for (channel, side) in self.channels(process) {
            open.extend(self.others(channel, side));
        }
        let mut carriers = HashSet::new();
        while let Some(holder) = open.pop() {
            match holder {
                Holder::Process(other) => drop(found.insert(other)),
                // Whoever receives the message would hold the end.
                Holder::Transit(carrier) if carriers.insert(carrier) => {
                    open.extend(self.others(carrier, Side::Send));
                }
                Holder::Transit(_) | Holder::Host => {}
            }
        }
        found.retain(|other| self.stuck.contains(other));
        if found.len() > 1 {
            // It holds that end itself too, but the others are what it hoped for.
            found.remove(&process);
        }
        found
    }

    fn describe(&self, process: ProcessId) -> Stuck {
        let waits = self
            .channels(process)
            .into_iter()
            .map(|(channel, side)| WaitsOn {
                channel,
                label: self.seen.get(&channel).and_then(|seen| seen.label.clone()),
                side,
                ticket: self.wait(process, channel, side).map(|wait| wait.1),
                since: self.wait(process, channel, side).map(|wait| wait.0),
                others: self.others(channel, side).into_iter().collect(),
            })
            .collect();
        Stuck {
            process,
            waits,
            awaits: self.awaited(process).into_iter().collect(),
        }
    }
}

type Edges = BTreeMap<ProcessId, BTreeSet<ProcessId>>;

/// The strongly connected groups, each after those that it has edges to: Tarjan's algorithm, with
/// its own stack, since a chain of processes may be longer than a thread's stack is deep.
fn groups(edges: &Edges) -> Vec<Vec<ProcessId>> {
    let mut walk = Walk::default();
    for &start in edges.keys() {
        if walk.number.contains_key(&start) {
            continue;
        }
        walk.enter(start);
        let mut path = vec![(start, edges[&start].iter())];
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            match next.next() {
                Some(&to) if !walk.number.contains_key(&to) => {
                    walk.enter(to);
                    path.push((to, edges[&to].iter()));
                }
                Some(to) => walk.lower(at, to),
                None => {
                    path.pop();
                    if let Some((parent, _)) = path.last() {
                        let low = walk.low[&at];
                        walk.lower_to(*parent, low);
                    }
                    walk.leave(at);
                }
            }
        }
    }
    walk.groups
}

#[derive(Default)]
struct Walk {
    number: HashMap<ProcessId, usize>,
    low: HashMap<ProcessId, usize>,
    open: Vec<ProcessId>,
    is_open: HashSet<ProcessId>,
    groups: Vec<Vec<ProcessId>>,
}

impl Walk {
    fn enter(&mut self, process: ProcessId) {
        let number = self.number.len();
        self.number.insert(process, number);
        self.low.insert(process, number);
        self.open.push(process);
        self.is_open.insert(process);
    }

    /// `at` reaches `to`, which was entered before.
    fn lower(&mut self, at: ProcessId, to: &ProcessId) {
        if self.is_open.contains(to) {
            let number = self.number[to];
            self.lower_to(at, number);
        }
    }

    fn lower_to(&mut self, at: ProcessId, low: usize) {
        if let Some(held) = self.low.get_mut(&at) {
            *held = low.min(*held);
        }
    }

    /// All edges of `at` are done: it may have been the first of its group.
    fn leave(&mut self, at: ProcessId) {
        if self.low[&at] != self.number[&at] {
            return;
        }
        let first = self.open.iter().rposition(|process| *process == at);
        let mut group = self.open.split_off(first.unwrap_or(0));
        for process in &group {
            self.is_open.remove(process);
        }
        group.sort_unstable();
        self.groups.push(group);
    }
}

/// The shortest cycle through the group's first process, or none.
fn cycle(group: &[ProcessId], edges: &Edges) -> Vec<ProcessId> {
    let Some(&start) = group.first() else {
        return Vec::new();
    };
    let members: HashSet<_> = group.iter().collect();
    let mut from: HashMap<ProcessId, ProcessId> = HashMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(at) = open.pop_front() {
        for &to in edges[&at].iter().filter(|to| members.contains(to)) {
            if to == start {
                let back = std::iter::successors(Some(at), |at| from.get(at).copied());
                let mut cycle: Vec<_> = back.collect();
                cycle.reverse();
                return cycle;
            }
            if let std::collections::hash_map::Entry::Vacant(vacant) = from.entry(to) {
                vacant.insert(at);
                open.push_back(to);
            }
        }
    }
    Vec::new()
}
