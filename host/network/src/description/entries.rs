//! What the entries of a network's file say.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use serde_spanned::Spanned;
use transputer_core::Overflow;

use super::RestartEntry;
use super::expression::Expression;
use crate::plan::{Grants, Limits};
use crate::policies::{Instances, OnBadLine};
use crate::value::Value;
#[cfg(doc)]
use crate::{ComponentPath, Description};

/// An argument with its value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ArgumentEntry {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value, not yet checked against a type.
    pub value: Spanned<Value>,
}

/// A name for a component.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ComponentEntry {
    /// The name.
    pub name: Spanned<String>,
    /// A `.wasm`, `.rs` or `.py` file, or a folder with a Cargo package, as written; with `:` and a name behind it,
    /// one of several processes in it (`app.py:double`).
    pub path: Spanned<String>,
    /// Limits of its own for each process that is spawned from it.
    pub limits: Limits,
}

/// A process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessEntry {
    /// Its name.
    pub name: Spanned<String>,
    /// A name from [`Description::components`], or a path; with `:` and a name behind it, one of several
    /// processes in it.
    pub component: Spanned<String>,
    /// Its own arguments, which override the network's.
    pub arguments: Vec<ArgumentEntry>,
    /// Its own limits.
    pub limits: Limits,
    /// What it may reach outside the network.
    pub grants: Grants,
    /// Where the file names each of the directories in `grants`.
    pub directory_spans: Vec<Range<usize>>,
    /// The components that it may spawn, by name.
    pub spawn: Vec<Spanned<String>>,
    /// Whether and how it is restarted.
    pub restart: RestartEntry,
    /// The processes that its failure ends, and whose failure ends it.
    pub links: Vec<Spanned<String>>,
    /// The label of the hosts that may run it.
    pub place: Option<Spanned<String>>,
    /// On how many of these hosts it runs.
    pub instances: Instances,
    /// How many processes there are of it, in each dimension; empty for one by itself, without an index.
    pub count: Vec<Spanned<Count>>,
    /// The argument that says which of them a process is, in each dimension; may be empty.
    pub index: Vec<Spanned<String>>,
}

/// How many processes one entry makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Number(u32),
    /// As many as this argument of the network says.
    Argument(String),
}

/// A variable of `for`, and the values that it has in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop {
    pub(super) variable: String,
    pub(super) first: Expression,
    pub(super) end: Expression,
    pub(super) inclusive: bool,
}

/// A channel between ports.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChannelEntry {
    /// The variables for whose values there is a channel each; empty for one channel.
    pub each: Vec<Spanned<Loop>>,
    /// Its name, if it was given one.
    pub name: Option<Spanned<String>>,
    /// The ports that send into it.
    pub from: Vec<Spanned<PortReference>>,
    /// The ports that receive from it; each message goes to one of them.
    pub to: Vec<Spanned<PortReference>>,
    /// How many messages may wait in it; 0 is a rendezvous.
    pub capacity: u32,
    /// What happens beyond the capacity.
    pub overflow: Overflow,
    /// Whether its ends may be on different hosts.
    pub remote: bool,
}

/// The network's standard input or output.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndpointEntry {
    /// The ports that it is wired to.
    pub ports: Vec<Spanned<PortReference>>,
    /// How bytes are cut into messages.
    pub format: Spanned<Format>,
    /// How many messages may wait between it and the ports.
    pub capacity: u32,
    /// What becomes of lines of standard input that the ports cannot take.
    pub on_bad_line: OnBadLine,
}

/// A process's port, written `process.port`; one of several processes is `worker[2].port`, and an end of an array of
/// ports `merge.inputs[0]`. Until a description is [expanded](Description::expanded), the index may be an expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct PortReference {
    /// The process's name.
    pub process: String,
    /// The port's name.
    pub port: String,
}

impl PortReference {
    /// The port of this name, of the process of this name.
    pub fn new(process: impl Into<String>, port: impl Into<String>) -> Self {
        Self {
            process: process.into(),
            port: port.into(),
        }
    }
}

impl fmt::Display for PortReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.process, self.port)
    }
}

/// How a stream of bytes and a stream of messages correspond.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A message is a line without its newline.
    Lines,
    /// A message is some bytes; where one ends has no meaning.
    Bytes,
    /// A message is an item of a CBOR sequence (RFC 8742). A raw `list<u8>` stands
    /// in the sequence as a byte string.
    Cbor,
    /// A message is a line of JSON, read and written by the port's type.
    Json,
    /// A message is a row, of a port whose type is a record of scalars; the first row names the columns.
    Csv,
}

impl Format {
    pub(super) const ALL: [Format; 5] = [
        Format::Lines,
        Format::Bytes,
        Format::Cbor,
        Format::Json,
        Format::Csv,
    ];

    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Format::Lines => "lines",
            Format::Bytes => "bytes",
            Format::Cbor => "cbor",
            Format::Json => "json",
            Format::Csv => "csv",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A component that a file names, and where.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ComponentFile {
    /// What signatures are looked up by: its name, or its path as written.
    pub name: String,
    /// A `.wasm`, `.rs` or `.py` file, or a folder with a Cargo package; relative paths have been joined to
    /// [`Description::base`]. A process that is named follows the path, and [`ComponentPath::of`] takes it off.
    pub path: PathBuf,
    /// Where the file names it.
    pub span: Range<usize>,
    /// Whether `name` is a path that a process gives directly. A mistyped name of
    /// a component looks like that as well.
    pub direct: bool,
}
