//! How processes end.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use transputer_core::ProcessId;
use transputer_core::channel::{Poison, PoisonKind, Reason};

use crate::core_dumps::CoreDump;
use crate::text::Text;

use super::Process;

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
    /// The host ended it because it went over a limit.
    Killed(Overrun),
    /// Its parent, or whoever runs the network, stopped it for this reason.
    Stopped(String),
}

/// What a process did that WebAssembly forbids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Trap {
    /// The trap, or the text of a panic.
    pub reason: String,
    /// The guest's frames, innermost first, each as `function` or `function at file:line`.
    pub backtrace: Vec<String>,
    /// What became of its core dump, if those [are written](crate::HostOptions::core_dumps).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub core_dump: Option<CoreDump>,
}

/// A limit that a process went over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Overrun {
    /// Which limit.
    pub limit: LimitKind,
    /// Whose: the process's own, or a total of its network or host.
    pub owner: LimitOwner,
    /// What it allows, in the unit of the limit (bytes, nanoseconds, or a count).
    pub allowed: u64,
    /// What the process asked for or had used; for a total, what all had used, with this.
    pub asked: u64,
}

/// To whom a limit applies.
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

/// A process that poisoned what it held by the way in which it ended: what
/// [`Poison::cause`](transputer_core::Poison::cause) is then.
///
/// ```
/// use transputer::{LimitKind, Outcome, Peer, ReceiveError};
///
/// /// The process that took too much memory, if that is the error.
/// fn glutton(error: &ReceiveError) -> Option<&str> {
///     let ReceiveError::Poisoned(poison) = error else {
///         return None;
///     };
///     match poison.cause::<Peer>()? {
///         Peer { name, outcome: Outcome::Killed(overrun), .. }
///             if overrun.limit == LimitKind::Memory => Some(name),
///         _ => None,
///     }
/// }
/// # assert_eq!(glutton(&ReceiveError::Closed), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// Its name.
    pub name: Arc<str>,
    /// Its number.
    pub id: ProcessId,
    /// How it ended; never [`Finished`](Outcome::Finished).
    pub outcome: Outcome,
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
    pub(crate) fn poison(&self, process: &Process) -> Option<Poison> {
        let kind = match self {
            Self::Finished => return None,
            Self::Failed(_) => PoisonKind::PeerFailed,
            Self::Trapped(_) => PoisonKind::PeerTrapped,
            Self::Killed(_) => PoisonKind::PeerKilled,
            Self::Stopped(_) => PoisonKind::PeerKilled,
        };
        let reason = Text::of(format_args!("process `{}` {self}", process.name)).into_string();
        let reason = match process.kept() {
            Some(kept) => Reason::keeping(reason, kept),
            None => reason.into(),
        };
        let peer = Peer {
            name: process.name.clone(),
            id: process.id,
            outcome: self.clone(),
        };
        Some(Poison::new(kind, reason).caused_by(Arc::new(peer)))
    }

    /// Bytes of what somebody has written in it.
    pub(crate) fn text_bytes(&self) -> u64 {
        let frames = |trap: &Trap| trap.backtrace.iter().map(String::len).sum::<usize>();
        let bytes = match self {
            Self::Finished | Self::Killed(_) => 0,
            Self::Failed(text) | Self::Stopped(text) => text.len(),
            Self::Trapped(trap) => trap.reason.len() + frames(trap),
        };
        bytes as u64
    }

    /// The same without what anybody has written, where there is no memory to keep that.
    pub(crate) fn without_text(self) -> Self {
        let lost = || "(no memory was left to keep what it said)".to_owned();
        match self {
            Self::Failed(_) => Self::Failed(lost()),
            Self::Stopped(_) => Self::Stopped(lost()),
            Self::Trapped(_) => Self::Trapped(Trap {
                reason: lost(),
                backtrace: Vec::new(),
                core_dump: None,
            }),
            other => other,
        }
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
    /// The outcome that an error from a guest's call means. `panic` is the text of the panic that the
    /// guest reported before it trapped.
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
        let panicked = panic.is_some();
        let reason = panic.unwrap_or_else(|| match error.downcast_ref::<wasmtime::Trap>() {
            Some(trap) => trap.to_string(),
            None => Text::of(format_args!("{:#}", error.root_cause())).into_string(),
        });
        let backtrace = error
            .downcast_ref::<wasmtime::WasmBacktrace>()
            .map(|backtrace| frames(backtrace, panicked))
            .unwrap_or_default();
        Self::Trapped(Trap {
            reason,
            backtrace,
            core_dump: None,
        })
    }
}

/// The innermost frames that are kept.
const FRAMES: usize = 32;

/// Their names, which come from the guest, all together have no more bytes than a text. A panic begins with the frames of
/// the code that makes it, which are the same in all panics and say nothing: the guest's own are first.
fn frames(backtrace: &wasmtime::WasmBacktrace, panicked: bool) -> Vec<String> {
    let looked_at = backtrace.frames().iter().take(2 * FRAMES);
    let all: Vec<String> = looked_at.flat_map(names).collect();
    let own = all.iter().position(|name| !panicked || !is_of_panics(name));
    let frames = all.into_iter().skip(own.unwrap_or(0)).take(FRAMES);
    frames.map(|name| Text::name(name).into_string()).collect()
}

/// Whether a function is Rust's own: of the standard library, or of what starts a panic.
fn is_of_panics(name: &str) -> bool {
    const CRATES: [&str; 6] = [
        "std::",
        "core::",
        "alloc::",
        "panic_abort::",
        "rust_",
        "__rust",
    ];
    let name = name.trim_start_matches(['<', '_']);
    CRATES
        .iter()
        .any(|own| name.starts_with(own.trim_start_matches('_')))
        || name == "abort"
}

/// A frame and the functions that were inlined into it, innermost first.
fn names(frame: &wasmtime::FrameInfo) -> Vec<String> {
    let named = |name: Option<String>| {
        name.or_else(|| frame.func_name().map(demangled))
            .unwrap_or_else(|| format!("function {}", frame.func_index()))
    };
    let symbols = frame.symbols().iter().take(FRAMES).map(|symbol| {
        let name = named(symbol.name().map(demangled));
        match symbol.file().zip(symbol.line()) {
            Some((file, line)) => format!("{name} at {file}:{line}"),
            None => name,
        }
    });
    let symbols: Vec<String> = symbols.collect();
    match symbols.is_empty() {
        true => vec![named(None)],
        false => symbols,
    }
}

fn demangled(name: &str) -> String {
    rustc_demangle::try_demangle(name).map_or_else(|_| name.to_owned(), |name| format!("{name:#}"))
}
