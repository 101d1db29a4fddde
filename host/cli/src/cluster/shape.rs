//! What all hosts of a run must see alike: its channels, and what the network is.

use std::sync::Arc;

use transputer::parts::Part;
use transputer::plan::{Overflow, Plan, PortReference};
use transputer::policies::Instances;
use transputer_reach::carrier::{Channel, Side};
use transputer_reach::facts::digest;
use transputer_reach::lookout;

/// The remote channels of a network, and its parts.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) parts: Vec<Part>,
    /// By their indices in the plan; `None` for those that stay on one host.
    pub(crate) channels: Vec<Option<Channel>>,
    /// What tells this network from another one, or from another version of it.
    pub(crate) digest: String,
    /// The same for whoever looks whether the network is stuck.
    pub(crate) lookout: Arc<lookout::Network>,
}

impl Shape {
    pub(crate) fn of(plan: &Plan) -> Self {
        let parts = plan.parts();
        let channels = plan.channels.iter().map(|planned| {
            planned.remote.then(|| {
                let ports =
                    |ports: &[PortReference]| ports.iter().map(ToString::to_string).collect();
                let (from, to): (Vec<_>, Vec<_>) = (ports(&planned.from), ports(&planned.to));
                let mut channel = Channel::new(
                    &planned.label,
                    planned.capacity as u64,
                    from.first().map_or("", |it| it),
                    to.first().map_or("", |it| it),
                );
                channel.senders = side(plan, &parts, &planned.from);
                channel.receivers = side(plan, &parts, &planned.to);
                (channel.from, channel.to) = (from, to);
                channel
            })
        });
        let channels: Vec<Option<Channel>> = channels.collect();
        let names = parts.iter();
        let names = names.map(|part| (part.name.clone(), part.instances == Instances::One));
        Self {
            lookout: Arc::new(lookout::Network {
                parts: names.collect(),
                channels: channels.iter().flatten().cloned().collect(),
            }),
            channels,
            digest: digest(&text(plan)),
            parts,
        }
    }

    /// The parts that hosts with these labels may run.
    pub(crate) fn on<'s>(&'s self, labels: &'s [String]) -> impl Iterator<Item = &'s Part> {
        let here = |part: &&Part| {
            part.place
                .as_ref()
                .is_some_and(|place| labels.contains(place))
        };
        self.parts.iter().filter(here)
    }
}

/// Whether one process is at this side at a time.
fn side(plan: &Plan, parts: &[Part], ports: &[PortReference]) -> Side {
    let each = |port: &PortReference| {
        let has = |part: &&Part| {
            let mut names = part
                .processes
                .iter()
                .map(|index| &plan.processes[*index].name);
            names.any(|name| *name == port.process)
        };
        let part = parts.iter().find(has);
        part.is_some_and(|part| part.instances == Instances::Each)
    };
    match ports {
        [port] if !each(port) => Side::Sole,
        _ => Side::Shared,
    }
}

/// What the network is, whatever folder it lies in.
fn text(plan: &Plan) -> String {
    let mut text = String::new();
    for process in &plan.processes {
        let component = &plan.components[process.component];
        text.push_str(&format!(
            "{} {:?} {:?} {} {:?} {:?} {:?}\n",
            process.name,
            process.place,
            process.instances,
            component.signature,
            process.arguments,
            process.inputs,
            process.outputs
        ));
    }
    for channel in &plan.channels {
        let block = channel.overflow == Overflow::Block;
        text.push_str(&format!(
            "{} {} {block} {} {}\n",
            channel.label, channel.capacity, channel.remote, channel.payload
        ));
    }
    text
}
