//! What a network file says, as a picture.

use std::collections::BTreeMap;

use transputer::description::{ChannelEntry, Description, EndpointEntry, PortReference};
use transputer::plan::Overflow;
use transputer::signature::Signature;
use transputer::{RestartPolicy, Unfinished};

use super::{Arrow, ArrowKind, Box, BoxKind, Picture, short_name};

type Signatures = BTreeMap<String, Signature>;

/// The picture of a network. Components without a known signature get what the description alone tells.
pub(crate) fn picture(description: &Description, signatures: &Signatures) -> Picture {
    let mut drawing = Drawing {
        description,
        signatures,
        picture: Picture {
            title: description.name.clone(),
            ..Picture::default()
        },
        processes: BTreeMap::new(),
    };
    drawing.processes();
    for channel in &description.channels {
        drawing.channel(channel);
    }
    drawing.streams();
    drawing.spawns();
    drawing.dead_letters();
    drawing.links();
    drawing.picture
}

struct Drawing<'d> {
    description: &'d Description,
    signatures: &'d Signatures,
    picture: Picture,
    /// The box of each process, by its name.
    processes: BTreeMap<&'d str, usize>,
}

impl<'d> Drawing<'d> {
    fn add(&mut self, kind: BoxKind, name: &str, detail: String) -> usize {
        self.picture.boxes.push(Box {
            kind,
            name: name.to_owned(),
            detail,
        });
        self.picture.boxes.len() - 1
    }

    fn arrow(&mut self, kind: ArrowKind, from: usize, to: usize, label: &str) {
        let label = label.to_owned();
        self.picture.arrows.push(Arrow {
            kind,
            from,
            to,
            label,
        });
    }

    fn processes(&mut self) {
        let description = self.description;
        for process in &description.processes {
            let name = process.name.get_ref();
            let component = short_name(process.component.get_ref());
            let mut detail = Vec::new();
            if component != name {
                detail.push(component.to_owned());
            }
            match description.restart_policy(process) {
                RestartPolicy::Never => {}
                policy => detail.push(format!("restarts {policy}")),
            }
            let number = self.add(BoxKind::Process, name, detail.join(", "));
            self.processes.insert(name, number);
        }
    }

    /// The boxes of the processes that these ports belong to.
    fn at<'p>(&self, ports: impl Iterator<Item = &'p PortReference>) -> Vec<usize> {
        let known = ports.filter_map(|port| self.processes.get(port.process.as_str()));
        known.copied().collect()
    }

    fn channel(&mut self, channel: &ChannelEntry) {
        let from = self.at(channel.from.iter().map(|port| port.get_ref()));
        let to = self.at(channel.to.iter().map(|port| port.get_ref()));
        let mut label = Vec::new();
        label.extend(channel.name.as_ref().map(|name| name.get_ref().clone()));
        label.extend(
            channel
                .from
                .first()
                .and_then(|port| self.payload(port.get_ref())),
        );
        match (channel.capacity, channel.overflow) {
            (0, _) => {}
            (places, Overflow::Block) => label.push(places.to_string()),
            (places, Overflow::DropOldest) => label.push(format!("{places}, drop-oldest")),
            (places, Overflow::DropNewest) => label.push(format!("{places}, drop-newest")),
        }
        self.join(&from, &to, &label.join(" · "));
    }

    /// An arrow from each to each; where several meet several, by way of a box for the channel.
    fn join(&mut self, from: &[usize], to: &[usize], label: &str) {
        if from.len() > 1 && to.len() > 1 {
            let channel = self.add(BoxKind::Channel, label, String::new());
            from.iter()
                .for_each(|from| self.arrow(ArrowKind::Channel, *from, channel, ""));
            to.iter()
                .for_each(|to| self.arrow(ArrowKind::Channel, channel, *to, ""));
            return;
        }
        for (from, to) in from
            .iter()
            .flat_map(|from| to.iter().map(move |to| (from, to)))
        {
            self.arrow(ArrowKind::Channel, *from, *to, label);
        }
    }

    fn streams(&mut self) {
        let description = self.description;
        if let Some(stdin) = &description.stdin {
            let (boxed, ports, label) = self.stream("stdin", stdin);
            self.join(&[boxed], &ports, &label);
        }
        if let Some(stdout) = &description.stdout {
            let (boxed, ports, label) = self.stream("stdout", stdout);
            self.join(&ports, &[boxed], &label);
        }
    }

    fn stream(&mut self, name: &str, entry: &EndpointEntry) -> (usize, Vec<usize>, String) {
        let boxed = self.add(BoxKind::Outside, name, entry.format.get_ref().to_string());
        let ports = self.at(entry.ports.iter().map(|port| port.get_ref()));
        let payload = entry
            .ports
            .first()
            .and_then(|port| self.payload(port.get_ref()));
        (boxed, ports, payload.unwrap_or_default())
    }

    fn spawns(&mut self) {
        let description = self.description;
        let mut spawned: BTreeMap<&str, usize> = BTreeMap::new();
        for (parent, process) in description.processes.iter().enumerate() {
            for name in &process.spawn {
                let name = name.get_ref().as_str();
                let child = match spawned.get(name) {
                    Some(child) => *child,
                    None => self.add(BoxKind::Spawned, name, "spawned".to_owned()),
                };
                spawned.insert(name, child);
                self.arrow(ArrowKind::Spawns, parent, child, "spawns");
            }
        }
    }

    fn dead_letters(&mut self) {
        let description = self.description;
        for (from, process) in description.processes.iter().enumerate() {
            let Some(to) = &process.restart.dead_letter else {
                continue;
            };
            let to = to.get_ref();
            // A port, or a channel by its name.
            let channel = description.channels.iter().find(|channel| {
                let name = channel.name.as_ref();
                name.is_some_and(|name| name.get_ref() == to)
            });
            let ports: Vec<usize> = match channel {
                Some(channel) => self.at(channel.to.iter().map(|port| port.get_ref())),
                None => {
                    let process = to.rsplit_once('.').map(|(process, _)| process);
                    let boxed = process.and_then(|process| self.processes.get(process));
                    boxed.copied().into_iter().collect()
                }
            };
            let label = match process.restart.restart.unfinished {
                Unfinished::DeadLetter => "unfinished",
                _ => "dead letters",
            };
            for to in ports {
                self.arrow(ArrowKind::DeadLetters, from, to, label);
            }
        }
    }

    fn links(&mut self) {
        let description = self.description;
        for (from, process) in description.processes.iter().enumerate() {
            for link in &process.links {
                if let Some(to) = self.processes.get(link.get_ref().as_str()) {
                    self.arrow(ArrowKind::Link, from, *to, "linked");
                }
            }
        }
    }

    /// What a port carries, if its component is known.
    fn payload(&self, port: &PortReference) -> Option<String> {
        let mut processes = self.description.processes.iter();
        let process = processes.find(|process| *process.name.get_ref() == port.process)?;
        let signature = self.signatures.get(process.component.get_ref())?;
        Some(signature.port(&port.port)?.ty.to_string())
    }
}
