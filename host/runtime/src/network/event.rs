//! What a network tells while it runs.

use std::fmt;

use serde::Serialize;

use transputer_core::ProcessId;

use super::report::{BadLine, DeadlockReport, ProcessReport, RestartReport, UnfinishedMessage};

/// How serious a line of the log is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Every step.
    Trace,
    /// For debugging.
    Debug,
    /// An ordinary event.
    Info,
    /// Something odd.
    Warn,
    /// Something went wrong.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

/// Something that happened in a network.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A process wrote a line to its log.
    Log {
        /// The process.
        process: String,
        /// How serious.
        level: Level,
        /// The line, without a newline.
        line: String,
    },
    /// A process took a step. Only networks that are [traced](super::Network::trace) report steps.
    Step {
        /// When, on the network's clock.
        nanoseconds: u64,
        /// The process.
        process: String,
        /// Which of its incarnations; the first is 1.
        incarnation: u64,
        /// What it did.
        step: String,
        /// Since when it had waited for that, if it had to wait; on the same clock.
        #[serde(skip_serializing_if = "Option::is_none")]
        waited_since: Option<u64>,
    },
    /// A process ended for good; sent for every process.
    Ended(ProcessReport),
    /// A process ended, and will be restarted.
    Restarting(RestartReport),
    /// A process was restarted.
    Restarted {
        /// The process.
        process: String,
        /// Its number from now on.
        #[serde(serialize_with = "super::report::number")]
        id: ProcessId,
        /// Which incarnation of the process this is; the first was 1.
        incarnation: u64,
    },
    /// A process that ended had not finished a message.
    Unfinished(UnfinishedMessage),
    /// The component of a running process was replaced.
    Replaced {
        /// The process.
        process: String,
        /// The new component.
        component: String,
    },
    /// A deadlock was found. Its channels are poisoned next.
    Deadlock(DeadlockReport),
    /// A line of standard input could not be taken as it is.
    BadLine(BadLine),
    /// The network's own standard input or output failed.
    Endpoint {
        /// `stdin` or `stdout`.
        endpoint: &'static str,
        /// What went wrong.
        message: String,
        /// Whether that is what was read, or was to be written, and not reading or writing itself.
        bad_content: bool,
    },
}

/// Who is told; called by workers, so it must be quick and must not block.
pub(crate) type Listener = Box<dyn Fn(Event) + Send + Sync>;
