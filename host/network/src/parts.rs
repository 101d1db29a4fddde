//! Parts of a network: the processes that must run on the same host, because something that does not cross hosts
//! joins them.
//!
//! A channel that is not remote joins the processes at its ends; so do links, groups, dead letters, standard
//! input and standard output. Where a network runs on several hosts, a part runs as a whole, or begins anew as a whole
//! on another host.

use std::collections::BTreeMap;

use crate::plan::{Plan, PlannedProcess};
use crate::policies::Instances;

/// Processes that must run on the same host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// What it is called: as its first process.
    pub name: String,
    /// The label of the hosts that may run it; `None` if its processes have none.
    pub place: Option<String>,
    /// On how many of these hosts it runs.
    pub instances: Instances,
    /// Its processes, by their indices in [`Plan::processes`], in the order of the file.
    pub processes: Vec<usize>,
}

/// A port at a remote channel.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemotePort<'p> {
    /// Index of the channel in [`Plan::channels`].
    pub channel: usize,
    /// The process.
    pub process: &'p str,
    /// Its port.
    pub port: &'p str,
}

impl Plan {
    /// The parts of the network, in the order of their first processes.
    pub fn parts(&self) -> Vec<Part> {
        let mut joined = Joined::new(self.processes.len());
        let mut met: BTreeMap<usize, usize> = BTreeMap::new();
        let mut meet = |joined: &mut Joined, channel: usize, process: usize| {
            if !self.channels[channel].remote {
                joined.join(*met.entry(channel).or_insert(process), process);
            }
        };
        let by_name = |name: &str| self.processes.iter().position(|it| it.name == name);
        for (index, process) in self.processes.iter().enumerate() {
            let ports = process.inputs.iter().chain(&process.outputs);
            let channels = ports.map(|(_, channel)| *channel);
            for channel in channels.chain(process.dead_letters) {
                meet(&mut joined, channel, index);
            }
            for other in process.links.iter().filter_map(|name| by_name(name)) {
                joined.join(index, other);
            }
        }
        for group in &self.groups {
            let members: Vec<_> = group.members.iter().filter_map(|it| by_name(it)).collect();
            members
                .windows(2)
                .for_each(|pair| joined.join(pair[0], pair[1]));
        }
        self.of(joined)
    }

    fn of(&self, mut joined: Joined) -> Vec<Part> {
        let mut parts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for index in 0..self.processes.len() {
            parts.entry(joined.first(index)).or_default().push(index);
        }
        let part = |processes: Vec<usize>| {
            let members = || processes.iter().map(|index| &self.processes[*index]);
            let first = &self.processes[processes[0]];
            Part {
                name: first.name.clone(),
                place: members().find_map(|process| process.place.clone()),
                instances: first.instances,
                processes,
            }
        };
        parts.into_values().map(part).collect()
    }

    /// The ports of a part that send to remote channels.
    pub fn remote_outputs(&self, part: &Part) -> Vec<RemotePort<'_>> {
        self.remote_ports(part, |process| &process.outputs)
    }

    /// The ports of a part that receive from remote channels.
    pub fn remote_inputs(&self, part: &Part) -> Vec<RemotePort<'_>> {
        self.remote_ports(part, |process| &process.inputs)
    }

    fn remote_ports<'p>(
        &'p self,
        part: &Part,
        ports: impl Fn(&'p PlannedProcess) -> &'p [(String, usize)],
    ) -> Vec<RemotePort<'p>> {
        let mut found = Vec::new();
        for process in part.processes.iter().map(|index| &self.processes[*index]) {
            for (port, channel) in ports(process) {
                if self.channels[*channel].remote {
                    found.push(RemotePort {
                        channel: *channel,
                        process: &process.name,
                        port,
                    });
                }
            }
        }
        found
    }
}

/// Which processes are joined: each points to an earlier one, or to itself.
struct Joined(Vec<usize>);

impl Joined {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// The first process of those that one is joined with.
    fn first(&mut self, mut process: usize) -> usize {
        while self.0[process] != process {
            self.0[process] = self.0[self.0[process]];
            process = self.0[process];
        }
        process
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        self.0[one.max(other)] = one.min(other);
    }
}
