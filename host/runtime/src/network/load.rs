//! From a description to a network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::builder::{ChannelOptions, Network};
use crate::component::Component;
use crate::error::Error;
use crate::host::Host;
use crate::message::{Receiver, Sender};
use crate::process::Arguments;
use crate::process::MESSAGE;
use crate::python::PythonFile;
use crate::stdio::Endpoint;
use crate::supervision::DeadLetterPort;
use transputer_network::ComponentPath;
use transputer_network::description::Description;
use transputer_network::diagnostics::Diagnostics;
use transputer_network::plan::{Plan, PlannedChannel, PlannedProcess};
use transputer_network::validation::{self, ArgumentOverride};

impl Host {
    /// Loads every component of a description, checks that everything fits, and wires the
    /// network. `built` says which file stands for a component that the description gives
    /// as a folder of source, by the component's name.
    ///
    /// # Errors
    /// [`Error::Diagnostics`] with everything that is wrong, at once.
    pub fn load(
        &self,
        description: &Description,
        built: &BTreeMap<String, PathBuf>,
        overrides: &[ArgumentOverride],
    ) -> Result<Network, Error> {
        let components = self.components(description, built)?;
        self.wire(description, &components, overrides)
    }

    /// Checks that everything fits, and wires the network from components that are loaded
    /// already: by this host, or by another one with the same engine (see
    /// [`reseeded`](Self::reseeded)).
    ///
    /// # Errors
    /// [`Error::Diagnostics`] with everything that is wrong, at once.
    pub fn wire(
        &self,
        description: &Description,
        components: &BTreeMap<String, Component>,
        overrides: &[ArgumentOverride],
    ) -> Result<Network, Error> {
        let plan = checked(description, components, overrides)?;
        self.check_reach(description, components.values())?;
        let all: Vec<usize> = (0..plan.processes.len()).collect();
        Ok(self.wire_plan(&plan, components, &all, |_| false))
    }

    /// Like [`wire`](Self::wire), for one [part](transputer_network::parts) of the network, as a host runs it of a network
    /// that runs on several. The ports at remote channels are left for
    /// [`Network::input_until_finished`] and [`Network::output`].
    ///
    /// # Errors
    /// As `wire`.
    pub fn wire_part(
        &self,
        description: &Description,
        components: &BTreeMap<String, Component>,
        overrides: &[ArgumentOverride],
        part: &str,
    ) -> Result<Network, Error> {
        let plan = checked(description, components, overrides)?;
        self.check_reach(description, components.values())?;
        let parts = plan.parts();
        let part = parts.into_iter().find(|it| it.name == part);
        let processes = part.map(|part| part.processes).unwrap_or_default();
        Ok(self.wire_plan(&plan, components, &processes, |channel| channel.remote))
    }

    /// Loads every component of a description, by the names that it has there. `built` is as
    /// for [`load`](Self::load).
    ///
    /// # Errors
    /// Everything that is wrong with the files, at once.
    pub fn components(
        &self,
        description: &Description,
        built: &BTreeMap<String, PathBuf>,
    ) -> Result<BTreeMap<String, Component>, Diagnostics> {
        let mut components = BTreeMap::new();
        let mut diagnostics = Diagnostics::default();
        let mut loaded = Loaded::new();
        for file in description.component_files() {
            let path = ComponentPath::of(built.get(&file.name).unwrap_or(&file.path));
            let is_rust = path.file.extension().is_some_and(|it| it == "rs");
            if path.file.is_dir() || is_rust {
                diagnostics.push(
                    description
                        .diagnostic_at(
                            file.span,
                            format!("component `{}` is source, not built", file.name),
                        )
                        .with_hint("build it with `transputer build`, or name a .wasm file"),
                );
                continue;
            }
            match self.component_once(path, &mut loaded) {
                Ok(component) => {
                    components.insert(file.name, component);
                }
                Err(error) => {
                    let text = format!("component `{}`: {error}", file.name);
                    diagnostics.push(description.component_diagnostic(&file, text));
                }
            }
        }
        if diagnostics.is_empty() {
            Ok(components)
        } else {
            Err(diagnostics)
        }
    }

    /// A component, of whose file nothing is read or compiled twice.
    fn component_once(&self, path: ComponentPath, loaded: &mut Loaded) -> Result<Component, Error> {
        if let Some((known, process)) = loaded.get(&path.file).zip(path.process.as_deref()) {
            return known.process(process);
        }
        let component = self.component(path.joined())?;
        if PythonFile::of(&path.file).is_none() {
            loaded.insert(path.file, component.clone());
        }
        Ok(component)
    }

    /// Wires these processes of a plan, in which processes, components and channels go by their indices. Ports at
    /// channels that are left `out` have no ends.
    fn wire_plan(
        &self,
        plan: &Plan,
        components: &BTreeMap<String, Component>,
        processes: &[usize],
        out: impl Fn(&PlannedChannel) -> bool,
    ) -> Network {
        let mut network = Network::new(self.clone(), &plan.name);
        network.totals(plan.totals);
        network.at_capacity = plan.at_capacity;
        let processes = || processes.iter().map(|index| &plan.processes[*index]);
        let here = |name: &String| processes().any(|process| process.name == *name);
        let groups = plan.groups.iter();
        let groups = groups.filter(|group| group.members.iter().all(here));
        network.groups = groups.cloned().collect();
        let ports = processes().flat_map(|it| it.inputs.iter().chain(&it.outputs));
        let used: BTreeSet<usize> = ports.map(|(_, channel)| *channel).collect();
        let channels = open_channels(&mut network, plan, |index| {
            !out(&plan.channels[index]) && used.contains(&index)
        });
        let code = |index: usize| {
            let name = &plan.components[index].name;
            (name.clone(), components[name].clone())
        };
        for process in processes() {
            let (component_name, component) = code(process.component);
            let member = network.add(&process.name, &component);
            let spec = &mut member.spec;
            spec.component_name = component_name.into();
            spec.grants = Arc::new(process.grants.clone());
            spec.arguments = Arguments::of_network(process.arguments.clone());
            // They have been checked.
            member.arguments = None;
            member.limits(process.limits);
            for &index in &process.spawn {
                let (name, component) = code(index);
                member.may_spawn(&name, &component, plan.components[index].limits);
            }
            member.restart = process.restart;
            member.links.clone_from(&process.links);
            let inputs = process.inputs.iter();
            member.inputs = inputs
                .filter_map(|(port, channel)| {
                    Some((port.clone(), channels[*channel].as_ref()?.1.clone()))
                })
                .collect();
            let outputs = process.outputs.iter();
            member.outputs = outputs
                .filter_map(|(port, channel)| {
                    Some((port.clone(), channels[*channel].as_ref()?.0.clone()))
                })
                .collect();
            member.letters = process.dead_letters.and_then(|channel| {
                Some(DeadLetterPort {
                    sender: channels[channel].as_ref()?.0.clone(),
                    with_ends: plan.channels[channel].payload.carries_ends(),
                })
            });
        }
        let stdin = plan.stdin.as_ref();
        network.stdin = stdin.and_then(|it| {
            let endpoint = Endpoint::new(it, channels[it.channel].as_ref()?.0.clone());
            Some(endpoint.within(longest_message(plan, it.channel)))
        });
        let stdout = plan.stdout.as_ref();
        network.stdout =
            stdout.and_then(|it| Some(Endpoint::new(it, channels[it.channel].as_ref()?.1.clone())));
        network
    }
}

fn checked(
    description: &Description,
    components: &BTreeMap<String, Component>,
    overrides: &[ArgumentOverride],
) -> Result<Plan, Diagnostics> {
    let signatures = components
        .iter()
        .map(|(name, component)| (name.clone(), component.signature().clone()))
        .collect();
    validation::check(description, &signatures, overrides)
}

/// The channels of a plan that are wanted.
fn open_channels(
    network: &mut Network,
    plan: &Plan,
    wanted: impl Fn(usize) -> bool,
) -> Vec<Option<(Sender, Receiver)>> {
    let outward = [&plan.stdin, &plan.stdout].map(|it| it.as_ref().map(|it| it.channel));
    let channels = plan.channels.iter().enumerate();
    channels
        .map(|(index, planned)| {
            if !wanted(index) {
                return None;
            }
            if outward.contains(&Some(index)) {
                return Some(network.open_outward(&planned.label, planned.capacity));
            }
            let options = ChannelOptions::bounded(planned.capacity).overflow(planned.overflow);
            Some(network.open(&planned.label, options))
        })
        .collect()
}

/// Components by their files, each one of the processes in it.
type Loaded = BTreeMap<PathBuf, Component>;

/// The longest message that every process at this channel may receive.
fn longest_message(plan: &Plan, channel: usize) -> usize {
    let receives = |process: &&PlannedProcess| process.inputs.iter().any(|it| it.1 == channel);
    let receivers = plan.processes.iter().filter(receives);
    let limits = receivers.map(|process| match process.limits.message {
        Some(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
        None => MESSAGE,
    });
    limits.min().unwrap_or(MESSAGE)
}
