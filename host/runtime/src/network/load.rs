//! From a description to a network.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::builder::{Arguments, ChannelOptions, Network};
use crate::component::Component;
use crate::error::Error;
use crate::host::Host;
use crate::stdio::Endpoint;
use crate::supervision::DeadLetterPort;
use transputer_network::description::Description;
use transputer_network::diagnostics::Problems;
use transputer_network::plan::Plan;
use transputer_network::validation::{self, ArgumentOverride};

impl Host {
    /// Loads every component of a description, checks that everything fits, and wires the
    /// network. `built` says which file stands for a component that the description gives
    /// as a folder of source, by the component's name.
    ///
    /// # Errors
    /// [`Error::Problems`] with everything that is wrong, at once.
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
    /// [`Error::Problems`] with everything that is wrong, at once.
    pub fn wire(
        &self,
        description: &Description,
        components: &BTreeMap<String, Component>,
        overrides: &[ArgumentOverride],
    ) -> Result<Network, Error> {
        let signatures = components
            .iter()
            .map(|(name, component)| (name.clone(), component.signature().clone()))
            .collect();
        let plan = validation::check(description, &signatures, overrides)?;
        Ok(self.wire_plan(&plan, components))
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
    ) -> Result<BTreeMap<String, Component>, Problems> {
        let mut components = BTreeMap::new();
        let mut problems = Problems::default();
        for file in description.component_files() {
            let path = built.get(&file.name).unwrap_or(&file.path);
            if path.is_dir() {
                problems.push(
                    description
                        .problem_at(
                            file.span,
                            format!("component `{}` is a folder of source, not built", file.name),
                        )
                        .with_hint("build it with `transputer build`, or name a .wasm file"),
                );
                continue;
            }
            match self.component(path) {
                Ok(component) => {
                    components.insert(file.name, component);
                }
                Err(error) => {
                    let text = format!("component `{}`: {error}", file.name);
                    problems.push(description.component_problem(&file, text));
                }
            }
        }
        if problems.is_empty() {
            Ok(components)
        } else {
            Err(problems)
        }
    }

    /// Wires a plan, in which processes, components and channels go by their indices.
    fn wire_plan(&self, plan: &Plan, components: &BTreeMap<String, Component>) -> Network {
        let mut network = Network::new(self.clone(), &plan.name);
        network.totals(plan.totals);
        network.at_capacity = plan.at_capacity;
        network.groups.clone_from(&plan.groups);
        let channels = plan.channels.iter();
        let channels: Vec<_> = channels
            .map(|planned| {
                let options = ChannelOptions {
                    capacity: planned.capacity,
                    overflow: planned.overflow,
                };
                network.open(&planned.label, options)
            })
            .collect();
        let code = |index: usize| {
            let name = &plan.components[index].name;
            (name.clone(), components[name].clone())
        };
        for process in &plan.processes {
            let (component_name, component) = code(process.component);
            let member = network.add(&process.name, &component);
            member.component_name = component_name;
            member.arguments = Arguments::Packed(process.arguments.clone());
            member.limits = process.limits;
            member.grants.clone_from(&process.grants);
            member.spawnable = process.spawn.iter().map(|&index| code(index)).collect();
            member.restart = process.restart;
            member.links.clone_from(&process.links);
            let inputs = process.inputs.iter();
            member.inputs = inputs
                .map(|(port, channel)| (port.clone(), channels[*channel].1.clone()))
                .collect();
            let outputs = process.outputs.iter();
            member.outputs = outputs
                .map(|(port, channel)| (port.clone(), channels[*channel].0.clone()))
                .collect();
            member.letters = process.dead_letters.map(|channel| DeadLetterPort {
                sender: channels[channel].0.clone(),
                with_ends: plan.channels[channel].payload.carries_ends(),
            });
        }
        let stdin = plan.stdin.as_ref();
        network.stdin = stdin.map(|it| Endpoint::new(it, channels[it.channel].0.clone()));
        let stdout = plan.stdout.as_ref();
        network.stdout = stdout.map(|it| Endpoint::new(it, channels[it.channel].1.clone()));
        network
    }
}
