//! A process of a network that is being wired.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::component::Component;
use crate::message::{Receiver, Sender};
use crate::process::{
    Arguments, OpenDirectories, OwnLimits, ProcessLimits, ProcessSpec, Spawnable, checked_limits,
};
use crate::supervision::{DeadLetterPort, Tried};
use transputer_network::plan::{Grants, Limits};
use transputer_network::policies::Restart;
use transputer_network::signature::Direction;
use transputer_network::value::{self, Value};

/// A process to be.
pub(crate) struct Member {
    /// Its arguments are decided when it starts, unless they were from the beginning.
    pub(super) spec: ProcessSpec,
    /// Its arguments by name, in CBOR, while they are still being given.
    pub(super) arguments: Option<BTreeMap<String, Vec<u8>>>,
    /// The most that its host can give it.
    largest_memory: u64,
    /// Why the host cannot give it the limits that were asked for last.
    limits_fault: Option<String>,
    /// What it may spawn, with the limits of its own that were asked for.
    pub(super) spawnable: BTreeMap<String, (Component, Limits)>,
    pub(super) inputs: BTreeMap<String, Receiver>,
    pub(super) outputs: BTreeMap<String, Sender>,
    pub(super) restart: Restart,
    /// Whom its failure ends.
    pub(super) links: Vec<String>,
    /// Where messages go that it could not finish.
    pub(super) letters: Option<DeadLetterPort>,
    /// Messages that it was given before it came to this host.
    pub(super) tried: Vec<Tried>,
    /// What was wrong in its settings; reported when the network is started.
    pub(super) faults: Vec<String>,
}

/// The settings of a process in a network that is being wired.
pub struct ProcessSettings<'a> {
    pub(super) member: &'a mut Member,
}

impl Member {
    /// A process that is not wired yet, and has no arguments.
    pub(super) fn new(name: &str, component: &Component, largest_memory: u64) -> Self {
        let limits = ProcessLimits::defaults(largest_memory);
        Self {
            spec: ProcessSpec::new(name, component, limits),
            largest_memory,
            arguments: Some(BTreeMap::new()),
            limits_fault: None,
            spawnable: BTreeMap::new(),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            restart: Restart::never(),
            links: Vec::new(),
            letters: None,
            tried: Vec::new(),
            faults: Vec::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.spec.name
    }

    /// Asks for limits, in place of those that were asked for before.
    pub(super) fn limits(&mut self, limits: Limits) {
        self.limits_fault = match checked_limits(limits, self.largest_memory) {
            Ok(limits) => {
                self.spec.limits = limits;
                None
            }
            Err(fault) => Some(format!("process `{}`: {fault}", self.name())),
        };
    }

    /// Lets it spawn from a component, with limits of its own where some are asked for.
    pub(super) fn may_spawn(&mut self, name: &str, component: &Component, own: Limits) {
        let spawnable = (component.clone(), own);
        self.spawnable.insert(name.to_owned(), spawnable);
    }

    /// What it may spawn, once its own limits are decided.
    fn decide_spawnable(&self) -> Result<BTreeMap<String, Spawnable>, String> {
        let decide = |(name, (component, asked)): (&String, &(Component, Limits))| {
            let own = match *asked == Limits::default() {
                true => None,
                false => {
                    let all = asked.or(self.spec.limits.given);
                    let decided = checked_limits(all, self.largest_memory)
                        .map_err(|fault| format!("component `{name}`: {fault}"))?;
                    Some(OwnLimits {
                        asked: *asked,
                        decided,
                    })
                }
            };
            let component = component.clone();
            Ok((name.clone(), Spawnable { component, own }))
        };
        self.spawnable.iter().map(decide).collect()
    }

    /// What the process is made of, now that everything has been said.
    ///
    /// # Errors
    /// A directory that cannot be opened, or limits that cannot be kept.
    pub(super) fn spec(&self) -> Result<ProcessSpec, String> {
        let mut spec = self.spec.clone();
        let directories = OpenDirectories::open(&spec.grants.directories)
            .map_err(|fault| format!("process `{}`: {fault}", self.name()))?;
        spec.directories = Arc::new(directories);
        spec.spawnable = Arc::new(self.decide_spawnable()?);
        if let Some(given) = &self.arguments {
            let given = given.iter().map(|(name, value)| (&**name, &**value));
            spec.arguments = Arguments::of_network(value::encode_arguments(given));
        }
        Ok(spec)
    }

    /// What is wrong or missing before the process can start.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = self.faults.clone();
        faults.extend(self.limits_fault.clone());
        let signature = self.spec.component.signature();
        let given: [(Direction, Vec<&str>); 2] = [
            (
                Direction::Input,
                self.inputs.keys().map(String::as_str).collect(),
            ),
            (
                Direction::Output,
                self.outputs.keys().map(String::as_str).collect(),
            ),
        ];
        for (direction, given) in given {
            for end in signature.missing_ends(direction, given.into_iter()) {
                faults.push(format!(
                    "{direction} port `{}.{end}` is not wired",
                    self.name()
                ));
            }
        }
        if let Some(given) = &self.arguments {
            for argument in &signature.arguments {
                if !given.contains_key(&argument.name) && !argument.ty.is_option() {
                    faults.push(format!(
                        "process `{}` lacks its argument `{}: {}`",
                        self.name(),
                        argument.name,
                        argument.ty
                    ));
                }
            }
        }
        faults
    }
}

impl ProcessSettings<'_> {
    /// Gives the process an argument. An argument that it does not have, or a value of the wrong type,
    /// is an error when the network is started.
    pub fn argument(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        let process = self.member.spec.name.clone();
        let encoded = match self.member.spec.component.signature().argument(name) {
            Some(argument) => value::encode(&argument.ty, &value.into())
                .map_err(|error| format!("argument `{name}` of process `{process}`: {error}")),
            None => Err(format!("process `{process}` has no argument `{name}`")),
        };
        match (encoded, &mut self.member.arguments) {
            (Ok(value), Some(given)) => {
                given.insert(name.to_owned(), value);
            }
            (Ok(_), None) => self
                .member
                .faults
                .push(format!("the arguments of process `{process}` are decided")),
            (Err(fault), _) => self.member.faults.push(fault),
        }
        self
    }

    /// Limits what the process may use.
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.member.limits(limits);
        self
    }

    /// Grants the process what it may reach outside the network. Directories are opened when the
    /// network starts, once: children, restarted processes and replacements get the same handles.
    pub fn grants(&mut self, grants: Grants) -> &mut Self {
        self.member.spec.grants = Arc::new(grants);
        self
    }

    /// Lets the process, and its children, spawn processes from a component, under a name. They share
    /// the limits that were given to the process: what one of them uses is missing to the others.
    pub fn may_spawn(&mut self, name: &str, component: &Component) -> &mut Self {
        self.may_spawn_within(name, component, Limits::default())
    }

    /// The same with limits of its own for each process that is spawned from the component, shared with
    /// all that descends from that one; what is not said is shared with the parent. A component
    /// that may spawn itself should have none: each copy would begin anew.
    pub fn may_spawn_within(
        &mut self,
        name: &str,
        component: &Component,
        own: Limits,
    ) -> &mut Self {
        self.member.may_spawn(name, component, own);
        self
    }
}

impl fmt::Debug for ProcessSettings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProcessSettings")
            .field(&self.member.name())
            .finish()
    }
}
