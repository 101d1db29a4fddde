//! What a component says of itself: its process's name, arguments and ports.
//!
//! A component carries its signature in a custom section, so that the host knows
//! it before anything runs.

use std::fmt;

use serde::{Deserialize, Serialize};

mod ends;
mod payload_type;
mod read;

pub use ends::{Arity, EndFault, MOST_ENDS, split_index};
pub(crate) use payload_type::{Case, Field, Shape, in_name};
pub use payload_type::{PayloadType, TypeError};
pub use read::{MAX_SECTION_SIZE, SECTION, SignatureError};

/// What a component says of itself.
///
/// Its `Display` is a line for humans:
/// `filter(prime: u64, candidates: receiver<u64>, survivors: sender<u64>)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signature {
    /// The process's name in its source.
    pub process: String,
    /// What it does, in a line; may be empty.
    pub doc: String,
    /// Its arguments, in the order of its source.
    pub arguments: Vec<Argument>,
    /// Its ports, in the order of its source. No two have the same name.
    pub ports: Vec<Port>,
    /// The bytes of stack that it needs, if the usual 128 KiB are too few.
    pub stack: Option<u64>,
}

/// A value that a process is given when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its type; an `option` may be left out.
    pub ty: PayloadType,
}

/// A process's named end of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Whether the process receives or sends there.
    pub direction: Direction,
    /// The type of its messages.
    pub ty: PayloadType,
    /// How many ends it takes.
    pub arity: Arity,
}

impl Argument {
    /// An argument of this name and type.
    pub fn new(name: impl Into<String>, ty: PayloadType) -> Self {
        Self {
            name: name.into(),
            ty,
        }
    }
}

impl Port {
    /// A port of this name, direction and type, which takes one end.
    pub fn new(name: impl Into<String>, direction: Direction, ty: PayloadType) -> Self {
        Self {
            name: name.into(),
            direction,
            ty,
            arity: Arity::One,
        }
    }

    /// Sets how many ends it takes.
    #[must_use]
    pub fn arity(self, arity: Arity) -> Self {
        Self { arity, ..self }
    }
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
    /// The signature of a process with neither arguments nor ports; add them to its fields.
    pub fn new(process: impl Into<String>) -> Self {
        Self {
            process: process.into(),
            doc: String::new(),
            arguments: Vec::new(),
            ports: Vec::new(),
            stack: None,
        }
    }

    /// Reads the signature in the bytes of a component that has one process, wherever in it the section is.
    /// `None` if there is none, as in a component that is not a process.
    ///
    /// The bytes may come from anybody: nothing is compiled, and nothing but a valid signature is kept.
    ///
    /// # Errors
    ///
    /// If the bytes are not a component; if a signature is damaged, of another version, or contradicts
    /// itself or another one; and if the component has several processes.
    pub fn read(component: &[u8]) -> Result<Option<Self>, SignatureError> {
        Self::choose(Self::read_all(component)?, None)
    }

    /// Reads the signatures of all processes in a component's bytes, by their names.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); several processes are no error.
    pub fn read_all(component: &[u8]) -> Result<Vec<Self>, SignatureError> {
        read::read(component)
    }

    /// The signature of the process that is named, or of the only one. `None` if there are none at all.
    ///
    /// # Errors
    ///
    /// If there are several and none is named, or none of this name.
    pub fn choose(
        signatures: Vec<Self>,
        process: Option<&str>,
    ) -> Result<Option<Self>, SignatureError> {
        read::choose(signatures, process)
    }

    /// Reads a signature as a component carries it: one JSON object.
    ///
    /// # Errors
    ///
    /// If it is damaged, of another version, or contradicts itself.
    pub fn from_json(text: &str) -> Result<Self, SignatureError> {
        read::from_json(text)
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
        let (name, ty) = (&self.name, &self.ty);
        match self.arity {
            Arity::One => write!(f, "{name}: {end}<{ty}>"),
            Arity::Optional => write!(f, "{name}: option<{end}<{ty}>>"),
            Arity::List => write!(f, "{name}: list<{end}<{ty}>>"),
            Arity::Array(count) => write!(f, "{name}: list<{end}<{ty}>, {count}>"),
        }
    }
}
