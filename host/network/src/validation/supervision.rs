//! Restarts, groups, links and dead letters: whether what they name exists.

use std::collections::BTreeMap;

use serde_spanned::Spanned;

use super::Check;
use super::wiring::{TO, Wiring};
use crate::description::{GroupEntry, PortReference, ProcessEntry};
use crate::diagnostics::{did_you_mean, one_of};
use crate::plan::PlannedChannel;
use crate::policies::{Group, Restart, RestartPolicy, Unfinished};
use crate::signature::{Direction, PayloadType};
use transputer_core::Overflow;

/// How many letters may wait for their reader in a channel made for them: nobody waits for room.
const LETTERS: usize = 64;

impl<'d> Check<'d> {
    /// The groups, with every name checked.
    pub(super) fn groups(&mut self) -> Vec<Group> {
        let mut names: BTreeMap<&str, ()> = BTreeMap::new();
        let mut grouped: BTreeMap<&str, &str> = BTreeMap::new();
        for group in &self.description.groups {
            let name = group.name.get_ref();
            if names.insert(name, ()).is_some() {
                let message = format!("two groups are called `{name}`");
                self.error_with_hint(group.name.span(), message, "rename one of them");
            }
            for member in &group.members {
                self.member(group, member);
                if let Some(other) = grouped.insert(member.get_ref(), name) {
                    let process = member.get_ref();
                    let message = match other == name {
                        true => format!("process `{process}` is in group `{name}` twice"),
                        false => format!("process `{process}` is in group `{other}` already"),
                    };
                    let hint = "a process is supervised by one group, once";
                    self.error_with_hint(member.span(), message, hint);
                }
            }
        }
        let groups = self.description.groups.iter();
        let group = |group: &GroupEntry| Group {
            name: group.name.get_ref().clone(),
            strategy: group.strategy,
            members: group.members.iter().map(|m| m.get_ref().clone()).collect(),
            intensity: group.intensity,
        };
        groups.map(group).collect()
    }

    fn member(&mut self, group: &GroupEntry, member: &Spanned<String>) {
        let Some(process) = self.named_process(member) else {
            return;
        };
        if let Some(span) = process.restart.intensity.clone() {
            let message = format!(
                "process `{}` is in group `{}`, which counts the restarts of all its members",
                member.get_ref(),
                group.name.get_ref()
            );
            let hint = "give the group this `intensity` and `period`";
            self.error_with_hint(span, message, hint);
        }
    }

    /// The process of this name; none is an error.
    fn named_process(&mut self, name: &Spanned<String>) -> Option<&'d ProcessEntry> {
        let found = self.processes.get(name.get_ref().as_str()).copied();
        if found.is_none() {
            let message = format!("there is no process `{}`", name.get_ref());
            let hint = did_you_mean(name.get_ref(), self.process_names()).unwrap_or_else(|| {
                let names = one_of(self.process_names()).replace(" or ", " and ");
                format!("the processes are {names}")
            });
            self.error_with_hint(name.span(), message, hint);
        }
        found
    }

    /// Checks who is linked with whom.
    pub(super) fn links(&mut self) {
        for process in &self.description.processes {
            for link in &process.links {
                if link.get_ref() == process.name.get_ref() {
                    let message = format!("process `{}` is linked with itself", link.get_ref());
                    self.error(link.span(), message);
                } else {
                    self.named_process(link);
                }
            }
        }
    }

    /// The processes that the failure of a process ends: links work both ways.
    pub(super) fn linked_with(&self, process: &ProcessEntry) -> Vec<String> {
        let name = process.name.get_ref();
        let own = process.links.iter().map(|link| link.get_ref().clone());
        let others = self.description.processes.iter();
        let others = others.filter(|other| other.links.iter().any(|link| link.get_ref() == name));
        let mut all: Vec<String> = own
            .chain(others.map(|other| other.name.get_ref().clone()))
            .collect();
        all.sort();
        all.dedup();
        all
    }

    /// How a process is restarted; its group decides what it leaves open.
    pub(super) fn restart(&self, process: &ProcessEntry) -> Restart {
        Restart {
            policy: self.description.restart_policy(process),
            ..process.restart.restart
        }
    }

    /// Wires dead letters: to channels that are there, or to ports by channels made for them.
    pub(super) fn dead_letters(&mut self, wiring: &mut Wiring) {
        let mut made: BTreeMap<PortReference, usize> = BTreeMap::new();
        for process in &self.description.processes {
            let name = process.name.get_ref();
            let entry = &process.restart;
            let Some(target) = &entry.dead_letter else {
                if let Some(span) = entry.unfinished.clone()
                    && entry.restart.unfinished == Unfinished::DeadLetter
                {
                    let message =
                        format!("process `{name}` has no `dead-letter` to send messages to");
                    let hint = "add one: `dead-letter = \"process.port\"`";
                    self.error_with_hint(span, message, hint);
                }
                continue;
            };
            if self.description.restart_policy(process) == RestartPolicy::Never {
                let message =
                    format!("process `{name}` is never restarted, so it has no dead letters");
                self.warn(target.span(), message, "give it another `policy`");
            }
            let Some(channel) = self.letter_channel(target, &mut made, wiring) else {
                continue;
            };
            let payload = wiring.channels[channel].payload.clone();
            self.letters_fit(process, target, &payload);
            let own = wiring.channels[channel].to.iter();
            if own.map(|port| &port.process).any(|owner| owner == name) {
                let message = format!("the dead letters of process `{name}` go to itself");
                let hint = "send them to another process";
                self.error_with_hint(target.span(), message, hint);
            }
            wiring.letters.insert(name.clone(), channel);
        }
    }

    /// The channel that dead letters go to.
    fn letter_channel(
        &mut self,
        target: &Spanned<String>,
        made: &mut BTreeMap<PortReference, usize>,
        wiring: &mut Wiring,
    ) -> Option<usize> {
        let Some((process, port)) = target.get_ref().split_once('.') else {
            return self.named_channel(target, wiring);
        };
        let reference = PortReference::new(process, port);
        let known = made.get(&reference).copied();
        if let Some(channel) = known.or_else(|| wiring.channel_of(&reference)) {
            return Some(channel);
        }
        let spanned = Spanned::new(target.span(), reference.clone());
        let side = super::wiring::Side {
            place: "`dead-letter`",
            ..TO
        };
        let payload = self.port(&spanned, side)?.ty.clone();
        let channel = wiring.add(
            PlannedChannel {
                label: format!("dead letters -> {reference}"),
                capacity: LETTERS,
                overflow: Overflow::Block,
                from: Vec::new(),
                to: vec![reference.clone()],
                payload,
                remote: false,
            },
            &reference,
        );
        made.insert(reference, channel);
        Some(channel)
    }

    fn named_channel(&mut self, target: &Spanned<String>, wiring: &Wiring) -> Option<usize> {
        let name = target.get_ref();
        let channels = self.description.channels.iter();
        let named: Vec<&str> = channels
            .filter_map(|channel| Some(channel.name.as_ref()?.get_ref().as_str()))
            .collect();
        let place = named.iter().any(|channel| channel == name).then(|| {
            let channels = wiring.channels.iter();
            channels
                .map(|channel| &channel.label)
                .position(|l| l == name)
        });
        if place.is_none() {
            let message = format!("there is no channel `{name}`");
            let hint = did_you_mean(name, named).unwrap_or_else(|| {
                "name an input as `process.port`, or a [[channel]] by its `name`".to_owned()
            });
            self.error_with_hint(target.span(), message, hint);
        }
        place.flatten()
    }

    fn letters_fit(
        &mut self,
        process: &ProcessEntry,
        target: &Spanned<String>,
        payload: &PayloadType,
    ) {
        let Some(signature) = self.signature(process) else {
            return;
        };
        let ports = signature.ports.iter();
        let inputs = ports.filter(|port| port.direction == Direction::Input);
        for input in inputs.filter(|input| input.ty != *payload && !payload.is_bytes()) {
            let message = format!(
                "`{}.{}` receives `{}`, but its dead letters go to `{}`, which takes `{payload}`",
                process.name.get_ref(),
                input.name,
                input.ty,
                target.get_ref()
            );
            let hint = "dead letters need the same type as every input of the process, or \
                        `list<u8>`, which takes any message as its bytes";
            self.error_with_hint(target.span(), message, hint);
        }
    }
}
