//! Plans: checked networks, with every name resolved, ready to be wired.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::diagnostics::Diagnostics;
use crate::policies::{AtCapacity, Group, Instances, OnBadLine, Restart, Storage};
use crate::signature::{PayloadType, Signature};

pub use super::description::{Format, PortReference};
pub use transputer_core::Overflow;

/// A checked network.
///
/// [`check`](super::validation::check) makes it. Components, processes and
/// channels refer to each other by their index here.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The network's name.
    pub name: String,
    /// What the network does, in a line; may be empty.
    pub doc: String,
    /// Every component that a process runs or may spawn, once.
    pub components: Vec<PlannedComponent>,
    /// The processes, in the order of the file.
    pub processes: Vec<PlannedProcess>,
    /// The channels in the order of the file, then those of stdin, stdout and dead letters.
    pub channels: Vec<PlannedChannel>,
    /// Processes that are supervised together.
    pub groups: Vec<Group>,
    /// What all processes may use together.
    pub totals: Totals,
    /// What to do where there is no permit for a process; `None`: what the host does.
    pub at_capacity: Option<AtCapacity>,
    /// Where the network's standard input goes.
    pub stdin: Option<PlannedEndpoint>,
    /// Where the network's standard output comes from.
    pub stdout: Option<PlannedEndpoint>,
    /// How it runs on several hosts.
    pub cluster: Cluster,
    /// What is odd about the network, although it can run.
    pub warnings: Diagnostics,
}

/// Code that processes run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlannedComponent {
    /// Its name in the file, or its path as written there. Processes spawn it by
    /// this name.
    pub name: String,
    /// A `.wasm`, `.rs` or `.py` file, or a folder with a Cargo package; a process that is named follows it.
    pub path: PathBuf,
    /// What it says of itself.
    pub signature: Signature,
    /// What each process that is spawned from it may use, with all that descends from it. What is not
    /// said it shares with its parent.
    pub limits: Limits,
}

/// A process to start.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlannedProcess {
    /// Its name, unique in the network.
    pub name: String,
    /// Index of its component in [`Plan::components`].
    pub component: usize,
    /// The value of each of its arguments, as one CBOR map.
    pub arguments: Vec<u8>,
    /// What it may use; the network's defaults are already in here.
    pub limits: Limits,
    /// What it may reach outside the network.
    pub grants: Grants,
    /// Its input ports, in the order of its signature, each with the index of its
    /// channel in [`Plan::channels`].
    pub inputs: Vec<(String, usize)>,
    /// Its output ports, likewise.
    pub outputs: Vec<(String, usize)>,
    /// Indices of the components that it may spawn.
    pub spawn: Vec<usize>,
    /// Whether and how it is restarted.
    pub restart: Restart,
    /// The processes that its failure ends.
    pub links: Vec<String>,
    /// Index of the channel to which messages go that it could not finish.
    pub dead_letters: Option<usize>,
    /// The label of the hosts that may run it.
    pub place: Option<String>,
    /// On how many of these hosts it runs.
    pub instances: Instances,
}

/// A channel to open.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlannedChannel {
    /// What reports and traces call it: its name, or `from -> to`.
    pub label: String,
    /// How many messages may wait in it; 0 is a rendezvous.
    pub capacity: usize,
    /// What happens beyond the capacity.
    pub overflow: Overflow,
    /// The ports that send into it; none for the channel of stdin, nor for one of dead letters.
    pub from: Vec<PortReference>,
    /// The ports that receive from it, each message going to one of them; none for
    /// the channel of stdout.
    pub to: Vec<PortReference>,
    /// What it carries.
    pub payload: PayloadType,
    /// Whether its ends may be on different hosts.
    pub remote: bool,
}

/// How a network runs on several hosts. Nothing of this matters on one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cluster {
    /// What tells runs of the same network apart; `None`: the network's name.
    pub run: Option<String>,
    /// The addresses of the servers that carry remote channels.
    pub servers: Vec<String>,
    /// Where they keep what waits there.
    pub storage: Storage,
    /// How many of them keep each message.
    pub replicas: u8,
    /// How long a host may be silent before another one takes its place.
    pub lease: Duration,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            run: None,
            servers: Vec::new(),
            storage: Storage::default(),
            replicas: 1,
            lease: Duration::from_secs(5),
        }
    }
}

/// The network's standard input or output.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlannedEndpoint {
    /// Index of its channel in [`Plan::channels`].
    pub channel: usize,
    /// How bytes are cut into messages.
    pub format: Format,
    /// What the channel carries.
    pub payload: PayloadType,
    /// What becomes of lines of standard input that the ports cannot take.
    pub on_bad_line: OnBadLine,
}

/// What one process may use. `None`: not specified, so the host's default applies.
///
/// ```
/// use std::time::Duration;
/// use transputer_network::plan::Limits;
///
/// let limits = Limits::default().memory(8 << 20).cpu(Duration::from_secs(1));
/// assert_eq!(limits.memory, Some(8 << 20));
/// ```
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of all its linear memories and tables, and of the messages that it has sent and
    /// that wait in channels, together.
    pub memory: Option<u64>,
    /// Bytes of one message, sent or received.
    pub message: Option<u64>,
    /// Time that it may compute, waiting excluded.
    pub cpu: Option<Duration>,
    /// Time from its start to its end, waiting included.
    pub wall: Option<Duration>,
    /// Time that one operation on channels or barriers may wait.
    pub operation: Option<Duration>,
    /// Processes that it has spawned and that still run.
    pub children: Option<u32>,
    /// Channels that it has opened and that still have an end.
    pub channels: Option<u32>,
    /// Lines that it may log in a second.
    pub log: Option<u32>,
}

/// What all processes of a network may use together. `None`: no more than the host allows.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Bytes of their memories and tables, and of the messages that they have sent and that
    /// wait in channels. The process that asks for more is ended.
    pub memory: Option<u64>,
    /// Processes that live at once.
    pub processes: Option<u32>,
    /// Channels and barriers that have an end, those of the network's own wiring included.
    /// Opening one more fails.
    pub channels: Option<u32>,
    /// Time that they may compute. After that, whoever computes is ended.
    pub cpu: Option<Duration>,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $field:ident: $kind:ty),* $(,)?) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $field(mut self, $field: impl Into<Option<$kind>>) -> Self {
            self.$field = $field.into();
            self
        })*
    };
}

impl Limits {
    setters! {
        /// Sets the bytes of its memories, tables and waiting messages together.
        memory: u64,
        /// Sets the bytes of one message.
        message: u64,
        /// Sets the time that it may compute.
        cpu: Duration,
        /// Sets the time from its start to its end.
        wall: Duration,
        /// Sets the time that one operation may wait.
        operation: Duration,
        /// Sets the number of its children that may live at once.
        children: u32,
        /// Sets the number of channels that it may have open.
        channels: u32,
        /// Sets the number of lines that it may log in a second.
        log: u32,
    }

    /// These limits, with `defaults` for those that are not specified.
    #[must_use]
    pub fn or(self, defaults: Limits) -> Limits {
        Limits {
            memory: self.memory.or(defaults.memory),
            message: self.message.or(defaults.message),
            cpu: self.cpu.or(defaults.cpu),
            wall: self.wall.or(defaults.wall),
            operation: self.operation.or(defaults.operation),
            children: self.children.or(defaults.children),
            channels: self.channels.or(defaults.channels),
            log: self.log.or(defaults.log),
        }
    }
}

impl Totals {
    setters! {
        /// Sets the bytes of all memories, tables and waiting messages together.
        memory: u64,
        /// Sets the number of processes that may live at once.
        processes: u32,
        /// Sets the number of channels and barriers that may be open.
        channels: u32,
        /// Sets the time that all processes together may compute.
        cpu: Duration,
    }
}

/// What a process may reach outside the network; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grants {
    /// Whether it writes to the host's standard output and error. Without this, what it prints there goes to
    /// the network's log: lines of level info and debug.
    pub stdio: bool,
    /// Whether it can tell what time it is. Without this, WASI's wall clock stands at 1970, and
    /// its monotonic clock counts the process's own milliseconds; sleeping works.
    pub clocks: bool,
    /// Its environment variables.
    pub env: Vec<Variable>,
    /// Directories that it may open.
    pub directories: Vec<Directory>,
    /// Addresses that it may connect to.
    pub network: Vec<SocketAddr>,
}

impl Grants {
    /// Sets whether it writes to the host's standard output and error.
    #[must_use]
    pub fn stdio(mut self, stdio: bool) -> Self {
        self.stdio = stdio;
        self
    }

    /// Sets whether it can tell what time it is.
    #[must_use]
    pub fn clocks(mut self, clocks: bool) -> Self {
        self.clocks = clocks;
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn variable(mut self, variable: Variable) -> Self {
        self.env.push(variable);
        self
    }

    /// Adds a directory that it may open.
    #[must_use]
    pub fn directory(mut self, directory: Directory) -> Self {
        self.directories.push(directory);
        self
    }

    /// Adds an address that it may connect to.
    #[must_use]
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.network.push(address);
        self
    }
}

/// An environment variable of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// The host's variable of this name; left out if the host has none.
    Inherited(String),
    /// A variable with a fixed value.
    Fixed {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

/// A directory that a process may open.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Directory {
    /// Where it is on the host; a relative path has been joined to the folder of
    /// the network's file.
    pub host: PathBuf,
    /// What the process calls it; an absolute path such as `/data`.
    pub guest: String,
    /// Whether the process may change what is in it.
    pub write: bool,
}

impl Directory {
    /// The directory `host`, which the process calls `guest`, to read only.
    pub fn new(host: impl Into<PathBuf>, guest: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            guest: guest.into(),
            write: false,
        }
    }

    /// Sets whether the process may change what is in it.
    #[must_use]
    pub fn write(self, write: bool) -> Self {
        Self { write, ..self }
    }
}
