//! What became of a network.

use std::fmt;

use serde::{Serialize, Serializer};
use transputer_core::ProcessId;

use super::wait::Wait;
use crate::process::Outcome;

/// What became of a network, once all its processes have ended.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The network's name.
    pub network: String,
    /// Processes that ran, spawned ones included.
    pub processes: u64,
    /// Those that did not finish, in the order in which they ended: the first is the most
    /// likely cause of the others. At most [`Report::MOST_FAILURES`] are kept.
    pub failures: Vec<ProcessReport>,
    /// Processes that did not finish, those that are not in `failures` included.
    pub failed: u64,
    /// The deadlocks that were found.
    pub deadlocks: Vec<DeadlockReport>,
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that were sent and never received: dropped by overflow, by poison, or
    /// because the last receiver went away.
    pub dropped: u64,
    /// Why the network was stopped, if it was.
    pub stopped: Option<String>,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProcessReport {
    /// Its name.
    pub name: String,
    /// Its number.
    #[serde(serialize_with = "number")]
    pub id: ProcessId,
    /// What its component is called in the network.
    pub component: String,
    /// How it ended.
    pub outcome: Outcome,
}

/// Processes that wait for each other, and would for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadlockReport {
    /// Every process that is stuck, and what it waits for.
    pub stuck: Vec<StuckReport>,
    /// Names of processes each of which waits for the next, and the last for the first.
    pub cycle: Vec<String>,
}

/// A process in a deadlock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StuckReport {
    /// Its name.
    pub process: String,
    /// The communications that it waits for; more than one in an alternation.
    pub waits: Vec<Wait>,
    /// The processes whose end it waits for.
    pub joins: Vec<String>,
}

/// A network's end in a word.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every process finished.
    Succeeded,
    /// A process failed, trapped or was killed.
    Failed,
    /// Processes were stuck in a deadlock.
    Deadlocked,
    /// The network was stopped from outside.
    Stopped,
}

impl Report {
    /// How many failures are kept in a report.
    pub const MOST_FAILURES: usize = 1_000;

    /// The end in a word; the gravest first: stopped, deadlocked, failed.
    pub fn verdict(&self) -> Verdict {
        if self.stopped.is_some() {
            Verdict::Stopped
        } else if !self.deadlocks.is_empty() {
            Verdict::Deadlocked
        } else if self.failed > 0 {
            Verdict::Failed
        } else {
            Verdict::Succeeded
        }
    }
}

fn number<S: Serializer>(id: &ProcessId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(id.0)
}

impl fmt::Display for StuckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits = self.waits.iter().map(Wait::to_string);
        let joins = self.joins.iter().map(|name| format!("see `{name}` end"));
        let all: Vec<_> = waits.chain(joins).collect();
        write!(f, "`{}` waits to {}", self.process, all.join(", or to "))
    }
}

impl fmt::Display for DeadlockReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "deadlock of {} processes:", self.stuck.len())?;
        for stuck in &self.stuck {
            writeln!(f, "  {stuck}")?;
        }
        write!(f, "  cycle: {}", self.cycle.join(" -> "))?;
        match self.cycle.first() {
            Some(first) => write!(f, " -> {first}"),
            None => Ok(()),
        }
    }
}
