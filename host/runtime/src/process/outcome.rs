//! How processes end.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use transputer_core::channel::{Poison, PoisonKind};

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It returned; its ends were closed.
    Finished,
    /// It returned an error, with this text; its channels were poisoned.
    Failed(String),
    /// It trapped: a panic, a memory fault, an exhausted stack, …
    Trapped(Trap),
    /// The host ended it, for going over a limit.
    Killed(Overrun),
    /// Its parent, or whoever runs the network, stopped it for this reason.
    Stopped(String),
}

/// What a process did that WebAssembly forbids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trap {
    /// The trap, or the text of a panic.
    pub reason: String,
    /// The guest's frames, innermost first, each as `function` or `function at file:line`.
    pub backtrace: Vec<String>,
}

/// A limit that a process went over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overrun {
    /// Which limit.
    pub limit: LimitKind,
    /// Whose: the process's own, or a total of its network or host.
    pub owner: LimitOwner,
    /// What it allows, in the unit of the limit (bytes, nanoseconds, or a count).
    pub allowed: u64,
    /// What the process asked for, or had come to; of a total, what all had come to with it.
    pub asked: u64,
}

/// Whom a limit holds for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitOwner {
    /// One process.
    Process,
    /// All processes of a network together.
    Network,
    /// All processes of a host together.
    Host,
}

/// The limits that end a process.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitKind {
    /// Bytes of all linear memories and tables, and of the messages that it has sent and that
    /// wait in channels.
    Memory,
    /// Nanoseconds of computing.
    Cpu,
    /// Nanoseconds from start to end, waiting included.
    Wall,
    /// Nanoseconds that one operation on channels waits.
    Operation,
    /// Lines that it logs in a second.
    Log,
    /// Channels and barriers that were opened and still have an end. Going over it ends
    /// nobody: opening fails.
    Channels,
}

impl LimitKind {
    /// The limit's key in a network file.
    pub fn key(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Wall => "wall",
            Self::Operation => "operation",
            Self::Log => "log",
            Self::Channels => "channels",
        }
    }
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (asked, allowed) = (self.asked, self.allowed);
        let time = std::time::Duration::from_nanos;
        write!(f, "over its {} limit: ", self.limit.key())?;
        match self.limit {
            LimitKind::Memory => write!(f, "asked for {asked} bytes of {allowed} allowed"),
            LimitKind::Cpu | LimitKind::Wall | LimitKind::Operation => {
                write!(f, "{:?} of {:?} allowed", time(asked), time(allowed))
            }
            LimitKind::Log => write!(f, "{asked} lines in a second of {allowed} allowed"),
            LimitKind::Channels => write!(f, "{asked} channels of {allowed} allowed"),
        }?;
        match self.owner {
            LimitOwner::Process => Ok(()),
            LimitOwner::Network => f.write_str(" to all of its network together"),
            LimitOwner::Host => f.write_str(" to all of its host together"),
        }
    }
}

impl std::error::Error for Overrun {}

impl Outcome {
    /// Whether the process returned without an error.
    pub fn is_finished(&self) -> bool {
        matches!(self, Self::Finished)
    }

    /// What the channels of a process with this outcome are poisoned with; a process
    /// that finished only closes them.
    pub(crate) fn poison(&self, process: &str) -> Option<Poison> {
        let kind = match self {
            Self::Finished => return None,
            Self::Failed(_) => PoisonKind::PeerFailed,
            Self::Trapped(_) => PoisonKind::PeerTrapped,
            Self::Killed(_) => PoisonKind::PeerKilled,
            Self::Stopped(_) => PoisonKind::PeerKilled,
        };
        let reason = Arc::from(format!("process `{process}` {self}"));
        Some(Poison::new(kind, reason))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::Failed(text) => write!(f, "failed: {text}"),
            Self::Trapped(trap) => write!(f, "trapped: {}", trap.reason),
            Self::Killed(overrun) => write!(f, "was killed: {overrun}"),
            Self::Stopped(reason) => write!(f, "was stopped: {reason}"),
        }
    }
}

impl Outcome {
    /// What an error that left a guest's call means. `panic` is the text of a panic that
    /// the guest reported before it trapped.
    pub(crate) fn of_error(error: &wasmtime::Error, panic: Option<String>) -> Self {
        if let Some(overrun) = error.downcast_ref::<Overrun>() {
            return Self::Killed(overrun.clone());
        }
        if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
            return match exit.0 {
                0 => Self::Finished,
                status => Self::Failed(format!("exit with status {status}")),
            };
        }
        let reason = panic.unwrap_or_else(|| match error.downcast_ref::<wasmtime::Trap>() {
            Some(trap) => trap.to_string(),
            None => format!("{:#}", error.root_cause()),
        });
        let backtrace = error
            .downcast_ref::<wasmtime::WasmBacktrace>()
            .map(frames)
            .unwrap_or_default();
        Self::Trapped(Trap { reason, backtrace })
    }
}

fn frames(backtrace: &wasmtime::WasmBacktrace) -> Vec<String> {
    backtrace.frames().iter().map(frame).collect()
}

fn frame(frame: &wasmtime::FrameInfo) -> String {
    let symbol = frame.symbols().first();
    let name = symbol
        .and_then(|symbol| symbol.name().map(str::to_owned))
        .or_else(|| frame.func_name().map(demangled))
        .unwrap_or_else(|| format!("function {}", frame.func_index()));
    match symbol.and_then(|symbol| symbol.file().zip(symbol.line())) {
        Some((file, line)) => format!("{name} at {file}:{line}"),
        None => name,
    }
}

fn demangled(name: &str) -> String {
    rustc_demangle::try_demangle(name).map_or_else(|_| name.to_owned(), |name| format!("{name:#}"))
}
