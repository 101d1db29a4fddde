//! What can go wrong on the host's side.

use std::path::PathBuf;

use crate::dead_letters::DeadLetters;
use transputer_network::diagnostics::Diagnostics;
use transputer_network::signature::SignatureError;

/// Why the host could not do what it was asked.
///
/// What goes wrong inside a process is not an `Error`: it is the process's [`Outcome`](crate::Outcome).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The network file, or the wiring that it describes, has mistakes.
    #[error(transparent)]
    Diagnostics(#[from] Diagnostics),
    /// A file is not a component that this host can run.
    #[error("{component}: {fault}")]
    Component {
        /// The component's file, or the name it was given.
        component: String,
        /// What is wrong with it.
        fault: ComponentFault,
    },
    /// A process could not be created.
    #[error("cannot create process `{process}`: {reason}")]
    Spawn {
        /// The process.
        process: String,
        /// Why not.
        reason: SpawnFault,
    },
    /// The network's builder was given something that does not fit.
    #[error("network `{network}`: {message}")]
    Wiring {
        /// The network.
        network: String,
        /// What does not fit, and what to do.
        message: String,
    },
    /// The dead-letter file could not be read or written, or is not of this network.
    #[error("the dead-letter file {path}: {message}")]
    DeadLetters {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The dead-letter file holds messages of an earlier run.
    #[error(
        "{path} holds messages of an earlier run of the network `{network}`: {letters}; \
         send them again, or move the file away"
    )]
    Undelivered {
        /// The file.
        path: PathBuf,
        /// The network of that run.
        network: String,
        /// How many there are.
        letters: DeadLetters,
    },
    /// The engine, its threads or its cache could not be set up.
    #[error("cannot set up the host: {message}")]
    Setup {
        /// What failed.
        message: String,
    },
}

/// What is wrong with a component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentFault {
    /// The bytes do not begin as a WebAssembly file does.
    #[error("not a WebAssembly file: it begins with {found}, not with `\\0asm`")]
    NotWasm {
        /// The first bytes, printable.
        found: String,
    },
    /// A core module instead of a component.
    #[error(
        "a core WebAssembly module, not a component; build it for the target wasm32-wasip2, \
         or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    /// The bytes end too early, or are not valid.
    #[error("not a valid component: {0}")]
    Invalid(String),
    /// It does not export what a process must.
    #[error(
        "not a process: it lacks the export `run` of world transputer:csp/guest@0.1.0 ({0}); \
         in Rust, put `#[transputer_guest::process]` on a function"
    )]
    NoRun(String),
    /// It imports something that the host does not have.
    #[error(
        "imports what this host lacks: {}; the host has transputer:csp@0.1.0 and @0.2.0, and WASI \
         0.2",
        .0.join(", ")
    )]
    Imports(Vec<String>),
    /// It imports an interface of this host in another shape.
    #[error(
        "was built for another version of an interface that this host has; build it again with \
         this host's WIT or SDK: {0}"
    )]
    OtherVersion(String),
    /// Its signature cannot be read.
    #[error("bad signature: {0}")]
    Signature(#[from] SignatureError),
    /// It has no signature.
    #[error(
        "carries no signature (custom section `transputer:signature`), so its ports are unknown; \
         build it with the guest SDK, or append the section to the file"
    )]
    NoSignature,
    /// No program for the interpreter could be made of it.
    #[error("{0}")]
    Python(String),
    /// It needs a larger stack than this host gives to any process.
    #[error("needs a stack of {0} bytes, more than the {1} bytes that a process can have")]
    Stack(u64, usize),
    /// It would take too long to compile: it is over one of the
    /// [limits](crate::CompileLimits), which is named.
    #[error(
        "may take too much to compile: {0}; whoever trusts it can raise the limit \
         (`HostOptions::compile_limits`)"
    )]
    TooCostly(String),
    /// Its `run` is an async function, and its core module cannot be run by itself, which is the
    /// only way in which this version of the host runs such components.
    #[error(
        "has an async `run`, and is not one core module that can be run by itself: {0}; build it \
         for the world transputer:csp/guest-async@0.2.0"
    )]
    Async(String),
    /// The compiler refused it.
    #[error("cannot be compiled: {0}")]
    Compile(String),
}

/// Why a process could not be created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnFault {
    /// Nothing of this name may be spawned by this process.
    #[error("no component `{name}` may be spawned here; {allowed}")]
    UnknownComponent {
        /// The name asked for.
        name: String,
        /// Which names may be spawned, in words.
        allowed: String,
    },
    /// Ports or arguments do not fit the signature.
    #[error("{0}")]
    Misfit(String),
    /// As many processes as this host may have are running.
    #[error("{}", no_place(*.running, *.wanted, .limit))]
    Capacity {
        /// How many run now.
        running: u32,
        /// How many more were to run.
        wanted: u32,
        /// The limit, and how to raise it.
        limit: String,
    },
    /// As many processes of its kind as this host has slots for are running: those with large stacks, or with
    /// several memories.
    #[error("{0}")]
    NoSlot(String),
    /// A limit of the process itself, met while it was instantiated.
    #[error("{0}")]
    Overrun(crate::process::Overrun),
    /// The component could not be instantiated.
    #[error("cannot be instantiated: {0}")]
    Instantiation(String),
    /// The network is being stopped.
    #[error("the network is being stopped")]
    Stopping,
}

impl SpawnFault {
    /// That the engine has no slot left.
    pub(crate) fn no_slot(engine: &dyn std::fmt::Display) -> Self {
        Self::NoSlot(format!(
            "as many processes of its kind run as the host has slots for ({engine:#}); a higher \
             `max_processes` makes more, up to 1,000 for components that need large stacks"
        ))
    }
}

fn no_place(running: u32, wanted: u32, limit: &str) -> String {
    match wanted {
        1 => format!("{running} processes run, as many as {limit}"),
        more => format!("{running} processes run and {more} are to start, more than {limit}"),
    }
}
