//! What a process is made of.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use super::grants::OpenDirectories;
use super::limits::ProcessLimits;
use crate::component::Component;
use crate::limits::Held;
use crate::supervision::FinishedCounts;
use transputer_network::plan::{Grants, Limits};

/// Everything that makes a process what it is, except its ends: the same for each incarnation.
///
/// Clones share everything large.
#[derive(Clone, Debug)]
pub(crate) struct ProcessSpec {
    pub(crate) component: Component,
    /// What the component is called in the network.
    pub(crate) component_name: Arc<str>,
    /// What the process is to be called; a number is added if the name is taken.
    pub(crate) name: Arc<str>,
    pub(crate) limits: ProcessLimits,
    pub(crate) grants: Arc<Grants>,
    /// The directories of `grants`, open from the start of the network.
    pub(crate) directories: Arc<OpenDirectories>,
    /// The components that it may spawn, by their names in the network.
    pub(crate) spawnable: Arc<BTreeMap<String, Spawnable>>,
    pub(crate) arguments: Arguments,
    /// Who wants to know what it has finished.
    pub(crate) finished: FinishedCounts,
}

/// The arguments of a process: a CBOR map, or nothing. Clones share them, and what they count for.
#[derive(Clone, Debug)]
pub(crate) struct Arguments(Arc<Held<Vec<u8>>>);

impl Arguments {
    /// Arguments of the network's.
    pub(crate) fn of_network(bytes: Vec<u8>) -> Self {
        Held::by_program(bytes).into()
    }
}

impl From<Held<Vec<u8>>> for Arguments {
    fn from(bytes: Held<Vec<u8>>) -> Self {
        Self(Arc::new(bytes))
    }
}

impl Default for Arguments {
    fn default() -> Self {
        Self::of_network(Vec::new())
    }
}

impl Deref for Arguments {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// A component that may be spawned.
#[derive(Clone, Debug)]
pub(crate) struct Spawnable {
    pub(crate) component: Component,
    /// What its processes may use, if that is not their parents'.
    pub(crate) own: Option<OwnLimits>,
}

/// Limits of a component for being spawned.
#[derive(Copy, Clone, Debug)]
pub(crate) struct OwnLimits {
    pub(crate) asked: Limits,
    /// Those, and the parent's for the rest.
    pub(crate) decided: ProcessLimits,
}

impl ProcessSpec {
    /// A process of this component that has no arguments and may do nothing.
    pub(crate) fn new(name: &str, component: &Component, limits: ProcessLimits) -> Self {
        Self {
            component: component.clone(),
            component_name: component.signature().process.as_str().into(),
            name: name.into(),
            limits,
            grants: Arc::default(),
            directories: Arc::default(),
            spawnable: Arc::default(),
            arguments: Arguments::default(),
            finished: FinishedCounts::default(),
        }
    }

    /// A child of this process, which may reach what its parent may, and never more. Its limits are
    /// its parent's, unless it has some of its own.
    pub(crate) fn child(
        &self,
        name: String,
        (component_name, component): (&str, Component),
        own: Option<&OwnLimits>,
        arguments: Arguments,
    ) -> Self {
        Self {
            component,
            component_name: component_name.into(),
            name: name.into(),
            limits: own.map_or(self.limits, |own| own.decided),
            grants: self.grants.clone(),
            directories: self.directories.clone(),
            spawnable: self.spawnable.clone(),
            arguments,
            // Ports are its parent's.
            finished: FinishedCounts::default(),
        }
    }
}
