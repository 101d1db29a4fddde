//! Wiring: which port is an end of which channel, and whether their types agree.

use std::collections::{BTreeMap, BTreeSet};

use serde_spanned::Spanned;

use super::Check;
use crate::description::{EndpointEntry, Format, PortReference, ProcessEntry};
use crate::diagnostics::{did_you_mean, one_of};
use crate::plan::{PlannedChannel, PlannedEndpoint};
use crate::signature::{Arity, Direction, EndFault, PayloadType, Port, Signature, split_index};
use crate::value;
use transputer_core::Overflow;

/// The result of wiring a network.
#[derive(Default)]
pub(super) struct Wiring {
    pub(super) channels: Vec<PlannedChannel>,
    pub(super) stdin: Option<PlannedEndpoint>,
    pub(super) stdout: Option<PlannedEndpoint>,
    /// The channel that a process's dead letters go to, by the process's name.
    pub(super) letters: BTreeMap<String, usize>,
    /// The channel of each port.
    wired: BTreeMap<PortReference, usize>,
}

impl Wiring {
    /// The channel that a port is an end of.
    pub(super) fn channel_of(&self, port: &PortReference) -> Option<usize> {
        let channel = *self.wired.get(port)?;
        // A port that was named wrongly has a place, and its channel may have none.
        (channel < self.channels.len()).then_some(channel)
    }

    /// Adds a channel to a port that was checked.
    pub(super) fn add(&mut self, channel: PlannedChannel, port: &PortReference) -> usize {
        let index = self.channels.len();
        self.wired.insert(port.clone(), index);
        self.channels.push(channel);
        index
    }

    /// The ends of a process that face one way, each with its channel: in the order of its ports, those of an array
    /// by their indices.
    pub(super) fn ports(
        &self,
        process: &ProcessEntry,
        signature: &Signature,
        direction: Direction,
    ) -> Vec<(String, usize)> {
        let places = signature.ports.iter().enumerate();
        let places: BTreeMap<&str, usize> = places
            .filter(|(_, port)| port.direction == direction)
            .map(|(place, port)| (port.name.as_str(), place))
            .collect();
        let ends = self.ends_of(process.name.get_ref());
        let mut ends: Vec<_> = ends
            .filter_map(|(end, channel)| {
                let (name, index) = split_index(end);
                Some((*places.get(name)?, index, end, channel))
            })
            .collect();
        ends.sort_unstable();
        let named = ends
            .into_iter()
            .map(|(_, _, end, channel)| (end.to_owned(), channel));
        named.collect()
    }

    /// The wired ends of a process.
    fn ends_of<'w>(&'w self, process: &'w str) -> impl Iterator<Item = (&'w str, usize)> {
        let from = PortReference::new(process, "");
        let wired = self.wired.range(from..);
        let own = wired.take_while(move |(end, _)| end.process == process);
        own.map(|(end, channel)| (end.port.as_str(), *channel))
    }
}

/// A port that exists, and the reference to it.
struct Found<'d> {
    reference: &'d Spanned<PortReference>,
    port: &'d Port,
}

/// Where a reference to a port stands.
#[derive(Copy, Clone)]
pub(super) struct Side<'a> {
    /// The direction that ports must have there.
    pub(super) direction: Direction,
    /// How that position is called.
    pub(super) place: &'a str,
}

const FROM: Side<'static> = Side {
    direction: Direction::Output,
    place: "`from`",
};
pub(super) const TO: Side<'static> = Side {
    direction: Direction::Input,
    place: "`to`",
};

impl<'d> Check<'d> {
    /// Wires every port, and reports what does not fit.
    pub(super) fn wiring(&mut self) -> Wiring {
        let mut wiring = Wiring::default();
        let mut names = BTreeSet::new();
        for entry in &self.description.channels {
            if let Some(name) = &entry.name
                && !names.insert(name.get_ref())
            {
                let message = format!("two channels are called `{}`", name.get_ref());
                self.error_with_hint(name.span(), message, "rename one of them");
            }
            let from = self.side(&entry.from, FROM, &mut wiring);
            let to = self.side(&entry.to, TO, &mut wiring);
            let label = match &entry.name {
                Some(name) => name.get_ref().clone(),
                None => format!("{} -> {}", list(&entry.from), list(&entry.to)),
            };
            let ends: Vec<Found<'d>> = from.into_iter().chain(to).collect();
            if let Some(payload) = self.common_type(&ends) {
                if entry.remote && payload.carries_ends() {
                    self.ends_stay(&ends[0]);
                }
                wiring.channels.push(PlannedChannel {
                    label,
                    capacity: entry.capacity as usize,
                    overflow: entry.overflow,
                    from: plain(&entry.from),
                    to: plain(&entry.to),
                    payload,
                    remote: entry.remote,
                });
            }
        }
        if let Some(entry) = &self.description.stdin {
            wiring.stdin = self.endpoint(entry, Direction::Input, &mut wiring);
        }
        if let Some(entry) = &self.description.stdout {
            wiring.stdout = self.endpoint(entry, Direction::Output, &mut wiring);
        }
        self.dead_letters(&mut wiring);
        self.unwired(&wiring);
        wiring
    }

    /// Looks up the ports on one side of the channel that is wired next.
    fn side(
        &mut self,
        references: &'d [Spanned<PortReference>],
        side: Side<'_>,
        wiring: &mut Wiring,
    ) -> Vec<Found<'d>> {
        let mut found = Vec::new();
        for reference in references {
            let name = reference.get_ref();
            if wiring.wired.contains_key(name) {
                self.error_with_hint(
                    reference.span(),
                    format!("`{name}` is wired twice"),
                    "a port is an end of one channel; a channel may have a list of ports",
                );
                continue;
            }
            // A port that is named wrongly is not unwired as well.
            wiring.wired.insert(name.clone(), wiring.channels.len());
            if let Some(port) = self.port(reference, side) {
                found.push(Found { reference, port });
            }
        }
        found
    }

    /// The port that is referred to, if it exists and faces the right way.
    pub(super) fn port(
        &mut self,
        reference: &Spanned<PortReference>,
        side: Side<'_>,
    ) -> Option<&'d Port> {
        let name = reference.get_ref();
        let Some(process) = self.processes.get(name.process.as_str()).copied() else {
            let message = format!("there is no process `{}`", name.process);
            let hint = did_you_mean(&name.process, self.process_names()).unwrap_or_else(|| {
                let names = one_of(self.process_names()).replace(" or ", " and ");
                format!("the processes are {names}")
            });
            self.error_with_hint(reference.span(), message, hint);
            return None;
        };
        let signature = self.signature(process)?;
        let port = match signature.port_of_end(&name.port) {
            Ok(port) => port,
            Err(fault) => {
                let (message, hint) = no_such_end(name, signature, fault);
                self.error_with_hint(reference.span(), message, hint);
                return None;
            }
        };
        if port.direction != side.direction {
            let message = format!(
                "`{name}` {}, and cannot stand in {}",
                port.direction.verb(),
                side.place
            );
            let candidates = signature.ports.iter();
            let candidates = candidates.filter(|other| other.direction == side.direction);
            let names: Vec<&str> = candidates.map(|port| &*port.name).collect();
            let hint = match names.is_empty() {
                true => format!("no port of `{}` {}", name.process, side.direction.verb()),
                false => format!(
                    "of the ports of `{}`, {} {}",
                    name.process,
                    one_of(names.iter().copied()),
                    side.direction.verb()
                ),
            };
            self.error_with_hint(reference.span(), message, hint);
            return None;
        }
        Some(port)
    }

    /// The type that all ports of a channel have; the first one's where they differ.
    fn common_type(&mut self, ends: &[Found<'d>]) -> Option<PayloadType> {
        let first = ends.first()?;
        for other in &ends[1..] {
            if first.port.ty != other.port.ty {
                let message = format!("{}, but {}", says(first), says(other));
                let hint = "both ends of a channel need the same type; put a process in between that converts";
                self.error_with_hint(other.reference.span(), message, hint);
            }
        }
        Some(first.port.ty.clone())
    }

    /// A remote channel cannot carry ends of channels.
    fn ends_stay(&mut self, end: &Found<'_>) {
        let message = format!(
            "{}, and the channel is `remote`: ends of channels cannot leave their host",
            says(end)
        );
        let hint = "send values instead, or keep both processes on one host";
        self.error_with_hint(end.reference.span(), message, hint);
    }

    /// Wires standard input to ports that receive, or standard output to ports that send.
    fn endpoint(
        &mut self,
        entry: &'d EndpointEntry,
        direction: Direction,
        wiring: &mut Wiring,
    ) -> Option<PlannedEndpoint> {
        let (stream, side) = match direction {
            Direction::Input => (
                "stdin",
                Side {
                    place: "`to` of [stdin]",
                    ..TO
                },
            ),
            Direction::Output => (
                "stdout",
                Side {
                    place: "`from` of [stdout]",
                    ..FROM
                },
            ),
        };
        let channel = wiring.channels.len();
        let ends = self.side(&entry.ports, side, wiring);
        let payload = self.common_type(&ends)?;
        let format = *entry.format.get_ref();
        if let Some(expected) = misfit(format, direction, &payload) {
            let end = &ends[0];
            self.error_with_hint(
                entry.format.span(),
                format!("{}, but [{stream}] has the format `{format}`", says(end)),
                format!("`{format}` there needs {expected}"),
            );
        }
        let ports = plain(&entry.ports);
        let (label, from, to) = match direction {
            Direction::Input => (
                format!("stdin -> {}", list(&entry.ports)),
                Vec::new(),
                ports,
            ),
            Direction::Output => (
                format!("{} -> stdout", list(&entry.ports)),
                ports,
                Vec::new(),
            ),
        };
        wiring.channels.push(PlannedChannel {
            label,
            capacity: entry.capacity as usize,
            overflow: Overflow::Block,
            from,
            to,
            payload: payload.clone(),
            remote: false,
        });
        Some(PlannedEndpoint {
            channel,
            format,
            payload,
            on_bad_line: entry.on_bad_line,
        })
    }

    /// Reports ports that are an end of no channel.
    fn unwired(&mut self, wiring: &Wiring) {
        for process in &self.description.processes {
            let Some(signature) = self.signature(process) else {
                continue;
            };
            let name = process.name.get_ref();
            for direction in [Direction::Input, Direction::Output] {
                let given = wiring.ends_of(name).map(|(end, _)| end);
                for end in signature.missing_ends(direction, given) {
                    self.missing_end(process, signature, &end);
                }
            }
            self.empty_arrays(process, signature, wiring);
        }
    }

    fn missing_end(&mut self, process: &ProcessEntry, signature: &Signature, end: &str) {
        let Ok(port) = signature.port_of_end(end) else {
            return;
        };
        let name = PortReference::new(process.name.get_ref(), end);
        let (key, stream) = match port.direction {
            Direction::Input => ("to", "stdin"),
            Direction::Output => ("from", "stdout"),
        };
        let message = format!(
            "port `{name}` of component `{}` is not wired; it {} `{}`",
            process.component.get_ref(),
            port.direction.verb(),
            port.ty
        );
        let hint = match port.arity {
            Arity::List => {
                "wire it: the indices of an array of ports are 0, 1, 2 and so on, without a gap"
                    .to_owned()
            }
            _ => format!("add a [[channel]] with `{key} = \"{name}\"`, or wire it to [{stream}]"),
        };
        self.error_with_hint(process.name.span(), message, hint);
    }

    /// An array of ports may have no end, but who wrote the file has probably forgotten it.
    fn empty_arrays(&mut self, process: &ProcessEntry, signature: &Signature, wiring: &Wiring) {
        let name = process.name.get_ref();
        for port in signature
            .ports
            .iter()
            .filter(|port| port.arity == Arity::List)
        {
            let mut ends = wiring.ends_of(name);
            if !ends.any(|(end, _)| split_index(end).0 == port.name) {
                let end = format!("{name}.{}[0]", port.name);
                self.warn(
                    process.name.span(),
                    format!("the array of ports `{name}.{}` is empty", port.name),
                    &format!("add a [[channel]] at `{end}`"),
                );
            }
        }
    }
}

/// What a format needs where it meets a type that it cannot carry.
fn misfit(format: Format, direction: Direction, payload: &PayloadType) -> Option<&'static str> {
    let is_text = payload.as_str() == "string" || payload.is_bytes();
    match (format, direction) {
        _ if payload.carries_ends() => Some("a type without ends of channels"),
        (Format::Lines, Direction::Input) if !is_text => Some("`string` or `list<u8>`"),
        (Format::Bytes, _) if !payload.is_bytes() => Some("`list<u8>`"),
        (Format::Csv, _) if value::columns(payload).is_none() => {
            Some("a record of numbers, strings and other scalars")
        }
        _ => None,
    }
}

/// What a port does: "`printer.lines` receives `string`".
fn says(found: &Found<'_>) -> String {
    format!(
        "`{}` {} `{}`",
        found.reference.get_ref(),
        found.port.direction.verb(),
        found.port.ty
    )
}

/// Why there is no end of this name, and what to write.
fn no_such_end(name: &PortReference, signature: &Signature, fault: EndFault) -> (String, String) {
    let PortReference { process, port } = name;
    let (bare, index) = split_index(port);
    match fault {
        EndFault::NoIndex => (
            format!("`{name}` is an array of ports, and each of its ends is wired by itself"),
            format!("write `{name}[0]`, or `{name}[i]` with `for = \"i in 0..4\"`"),
        ),
        EndFault::NoArray => (
            format!("`{process}.{bare}` is one port, not an array of ports"),
            format!(
                "write `{process}.{bare}`; in Rust, `Vec<Receiver<T>>` or `[Sender<T>; 4]` are arrays of ports"
            ),
        ),
        EndFault::OutOfRange(count) => (
            format!("`{name}` does not exist: `{process}.{bare}` is an array of {count} ports"),
            format!(
                "its ends are `{process}.{bare}[0]` to `{process}.{bare}[{}]`",
                count.saturating_sub(1)
            ),
        ),
        EndFault::NoPort => {
            let name = if index.is_some() { bare } else { port };
            (
                format!("process `{process}` has no port `{name}`"),
                port_hint(signature, name),
            )
        }
    }
}

fn port_hint(signature: &Signature, name: &str) -> String {
    let names = || signature.ports.iter().map(|port| &*port.name);
    match did_you_mean(name, names()) {
        Some(hint) => hint,
        None if signature.ports.is_empty() => "it has none".to_owned(),
        None => format!("it has {}", one_of(names()).replace(" or ", " and ")),
    }
}

fn plain(references: &[Spanned<PortReference>]) -> Vec<PortReference> {
    references.iter().map(|r| r.get_ref().clone()).collect()
}

fn list(references: &[Spanned<PortReference>]) -> String {
    let names: Vec<String> = references.iter().map(|r| r.get_ref().to_string()).collect();
    names.join(", ")
}
