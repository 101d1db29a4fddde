//! What a component says of itself: its process's name, arguments and ports.
//!
//! A component carries its signature in a custom section, so that the host knows
//! it before anything runs.

use std::fmt;

use serde::{Deserialize, Serialize};

mod payload_type;
mod read;

pub(crate) use payload_type::{Case, Field, Shape};
pub use payload_type::{PayloadType, TypeError};
pub use read::{MAX_SECTION_SIZE, SECTION, SignatureError};

/// What a component says of itself.
///
/// Its `Display` is a line for humans:
/// `filter(prime: u64, candidates: receiver<u64>, survivors: sender<u64>)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The process's name in its source.
    pub process: String,
    /// What it does, in a line; may be empty.
    pub doc: String,
    /// Its arguments, in the order of its source.
    pub arguments: Vec<Argument>,
    /// Its ports, in the order of its source. No two have the same name.
    pub ports: Vec<Port>,
}

/// A value that a process is given when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its type; an `option` may be left out.
    pub ty: PayloadType,
}

/// A process's named end of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Whether the process receives or sends there.
    pub direction: Direction,
    /// The type of its messages.
    pub ty: PayloadType,
}

/// Which way messages go at a port.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The process receives.
    Input,
    /// The process sends.
    Output,
}

impl Direction {
    /// What a process does at such a port: `receives` or `sends`.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Direction::Input => "receives",
            Direction::Output => "sends",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Direction::Input => "input",
            Direction::Output => "output",
        })
    }
}

impl Signature {
    /// Reads the signature in a component's bytes, wherever in it the section is.
    /// `None` if there is none, as in a component that is no process.
    ///
    /// The bytes may come from anybody: nothing is compiled, and only what a
    /// signature may hold is kept.
    ///
    /// # Errors
    ///
    /// If the bytes are no component, or the signature is damaged, of another
    /// version, or contradicts itself.
    pub fn read(component: &[u8]) -> Result<Option<Self>, SignatureError> {
        read::read(component)
    }

    /// The argument of this name.
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }

    /// The port of this name.
    pub fn port(&self, name: &str) -> Option<&Port> {
        self.ports.iter().find(|port| port.name == name)
    }

    /// The ports at which the process receives.
    pub fn inputs(&self) -> impl Iterator<Item = &Port> {
        self.facing(Direction::Input)
    }

    /// The ports at which the process sends.
    pub fn outputs(&self) -> impl Iterator<Item = &Port> {
        self.facing(Direction::Output)
    }

    fn facing(&self, direction: Direction) -> impl Iterator<Item = &Port> {
        self.ports
            .iter()
            .filter(move |port| port.direction == direction)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments = self.arguments.iter().map(ToString::to_string);
        let ports = self.ports.iter().map(ToString::to_string);
        let parts: Vec<String> = arguments.chain(ports).collect();
        write!(f, "{}({})", self.process, parts.join(", "))
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.ty)
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.direction {
            Direction::Input => "receiver",
            Direction::Output => "sender",
        };
        write!(f, "{}: {end}<{}>", self.name, self.ty)
    }
}
