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

    /// Wires a plan; every name in it has been checked.
    fn wire_plan(&self, plan: &Plan, components: &BTreeMap<String, Component>) -> Network {
        let mut network = Network::new(self.clone(), &plan.name);
        let code = |index: usize| {
            let name = &plan.components[index].name;
            (name.clone(), components[name].clone())
        };
        network.totals(plan.totals);
        network.at_capacity = plan.at_capacity;
        for process in &plan.processes {
            let (component_name, component) = code(process.component);
            let mut settings = network.process(&process.name, &component);
            settings
                .limits(process.limits)
                .grants(process.grants.clone());
            for &index in &process.spawn {
                let (name, component) = code(index);
                settings.may_spawn(&name, &component);
            }
            let member = network.members.last_mut().expect("one was added just now");
            member.component_name = component_name;
            member.arguments = Arguments::Packed(process.arguments.clone());
            member.restart = process.restart;
            member.links.clone_from(&process.links);
        }
        network.groups.clone_from(&plan.groups);
        for (index, planned) in plan.channels.iter().enumerate() {
            let options = ChannelOptions {
                capacity: planned.capacity,
                overflow: planned.overflow,
            };
            let (sender, receiver) = network.open(&planned.label, options);
            for port in &planned.from {
                network.plug_sender(&port.to_string(), sender.clone());
            }
            for port in &planned.to {
                network.plug_receiver(&port.to_string(), receiver.clone());
            }
            let with_letters = plan.processes.iter().zip(&mut network.members);
            for (process, member) in with_letters {
                if process.dead_letters == Some(index) {
                    member.letters = Some(DeadLetterPort {
                        sender: sender.clone(),
                        with_ends: planned.payload.carries_ends(),
                    });
                }
            }
            let at = |endpoint: &Option<transputer_network::plan::PlannedEndpoint>| {
                endpoint
                    .clone()
                    .filter(|endpoint| endpoint.channel == index)
            };
            if let Some(endpoint) = at(&plan.stdin) {
                network.stdin = Some(Endpoint::new(&endpoint, sender));
            }
            if let Some(endpoint) = at(&plan.stdout) {
                network.stdout = Some(Endpoint::new(&endpoint, receiver));
            }
        }
        network
    }
}
