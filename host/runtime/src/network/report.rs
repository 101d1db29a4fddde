//! What became of a network.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use transputer_core::ProcessId;

use super::wait::Wait;
use crate::process::{Lifetime, Outcome};

/// What became of a network, once all its processes have ended.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
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
    /// Restarts of processes by their supervisors, those that are not in `restarted` included.
    pub restarts: u64,
    /// The restarts with their reasons, in order. At most [`Report::MOST_FAILURES`] are kept.
    pub restarted: Vec<RestartReport>,
    /// Messages that a process had received and not finished when it ended, and what became of
    /// them.
    pub unfinished: UnfinishedCount,
    /// Lines of standard input that its ports could not take.
    pub bad_lines: BadLineCount,
    /// Deadlocks that were found, those that are not in `deadlocks` included.
    pub deadlocked: u64,
    /// The first deadlocks. At most [`Report::MOST_DEADLOCKS`] are kept.
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
#[non_exhaustive]
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
    /// How long it lived, and with whom; of the last incarnation.
    pub lifetime: Lifetime,
    /// How often it had been restarted.
    pub restarts: u64,
    /// Why its supervisor did not restart it again, although its policy asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gave_up: Option<String>,
}

/// The end of a process that its supervisor starts again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RestartReport {
    /// Its name.
    pub name: String,
    /// The number of the incarnation that ended.
    #[serde(serialize_with = "number")]
    pub id: ProcessId,
    /// What its component is called in the network.
    pub component: String,
    /// Which incarnation ended, counted from 1.
    pub incarnation: u64,
    /// How it ended, which is why it is restarted.
    pub outcome: Outcome,
    /// How long it lived, and with whom.
    pub lifetime: Lifetime,
    /// The group that restarts it, if it is a member of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// How long the supervisor waits before the restart.
    #[serde(rename = "wait_milliseconds", serialize_with = "milliseconds")]
    pub wait: Duration,
}

/// A message that a process had received and not finished when it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnfinishedMessage {
    /// The process.
    pub process: String,
    /// The port at which it had received the message.
    pub port: String,
    /// The length of the message.
    pub bytes: u64,
    /// What it can be known by when it comes again: its BLAKE3 digest, in hexadecimal digits.
    pub digest: String,
    /// How often it has been delivered so far, not counting deliveries that ended for another
    /// reason.
    pub attempts: u32,
    /// What became of it.
    pub fate: UnfinishedFate,
}

/// What became of a message that was received and not finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnfinishedFate {
    /// It is the first that is received from that port again.
    Redelivered,
    /// It went to the process's dead letters.
    DeadLettered,
    /// The dead letters could not take it, for this reason; it was dropped.
    Refused(String),
    /// It was dropped.
    Dropped,
}

/// How many messages were not finished, by what became of them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnfinishedCount {
    /// Those that were delivered again, each time.
    pub redelivered: u64,
    /// Those that went to dead letters.
    pub dead_lettered: u64,
    /// Those that were dropped, because that was configured, because they had been tried often
    /// enough, or because their dead letters could not take them. They count in
    /// [`Report::dropped`] as well.
    pub dropped: u64,
}

impl UnfinishedCount {
    pub(super) fn add(&mut self, fate: &UnfinishedFate) {
        *match fate {
            UnfinishedFate::Redelivered => &mut self.redelivered,
            UnfinishedFate::DeadLettered => &mut self.dead_lettered,
            UnfinishedFate::Refused(_) | UnfinishedFate::Dropped => &mut self.dropped,
        } += 1;
    }
}

/// A line of standard input that its ports could not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: String,
    /// What became of it.
    pub fate: BadLineFate,
}

/// What became of a line of standard input that its ports could not take.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BadLineFate {
    /// It was left out.
    Skipped,
    /// Its beginning was taken.
    Cut,
}

/// How many lines of standard input its ports could not take, by what became of them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BadLineCount {
    /// Those that were left out.
    pub skipped: u64,
    /// Those of which the beginning was taken.
    pub cut: u64,
}

impl BadLineCount {
    pub(super) fn add(&mut self, fate: BadLineFate) {
        *match fate {
            BadLineFate::Skipped => &mut self.skipped,
            BadLineFate::Cut => &mut self.cut,
        } += 1;
    }
}

/// Processes that wait for each other, and would do so for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeadlockReport {
    /// Processes that are stuck, and what they wait for. At most [`Report::MOST_STUCK`] are named,
    /// those of the cycle first.
    pub stuck: Vec<StuckReport>,
    /// How many more are stuck.
    pub more_stuck: u64,
    /// Names of processes each of which waits for the next, and the last for the first. At most
    /// [`Report::MOST_STUCK`] are named.
    pub cycle: Vec<String>,
    /// How many more are in the cycle, between the last that is named and the first.
    pub more_in_cycle: u64,
    /// Who else is stuck, and waits for what, where the network runs on several hosts that wait for each other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<String>,
}

/// A process in a deadlock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StuckReport {
    /// Its name.
    pub process: String,
    /// The communications that it waits for; more than one in an alternation, of which
    /// [`Report::MOST_WAITS`] are named.
    pub waits: Vec<Wait>,
    /// How many more it waits for.
    pub more_waits: u64,
    /// The processes whose end it waits for.
    pub joins: Vec<String>,
}

/// How a network ended, in a word.
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
    /// How many deadlocks are kept in a report.
    pub const MOST_DEADLOCKS: usize = 100;
    /// How many processes are named in one deadlock.
    pub const MOST_STUCK: usize = 100;
    /// How many communications of one process are named, and how many others at each.
    pub const MOST_WAITS: usize = 16;

    /// How it ended, in a word. If several apply, the first of: stopped, deadlocked, failed.
    pub fn verdict(&self) -> Verdict {
        if self.stopped.is_some() {
            Verdict::Stopped
        } else if self.deadlocked > 0 {
            Verdict::Deadlocked
        } else if self.failed > 0 {
            Verdict::Failed
        } else {
            Verdict::Succeeded
        }
    }
}

pub(crate) fn number<S: Serializer>(id: &ProcessId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(id.0)
}

pub(crate) fn milliseconds<S: Serializer>(
    time: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

impl fmt::Display for RestartReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}; ", self.name, self.outcome)?;
        match self.wait {
            Duration::ZERO => f.write_str("it is restarted"),
            wait => write!(f, "it is restarted in {wait:?}"),
        }
    }
}

impl fmt::Display for UnfinishedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` had not finished a message of {} bytes from its port `{}`, which ",
            self.process, self.bytes, self.port
        )?;
        match &self.fate {
            UnfinishedFate::Redelivered => f.write_str("is delivered again"),
            UnfinishedFate::DeadLettered => f.write_str("went to its dead letters"),
            UnfinishedFate::Refused(why) => {
                write!(
                    f,
                    "was dropped, because its dead letters could not take it: {why}"
                )
            }
            UnfinishedFate::Dropped => f.write_str("was dropped"),
        }
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fate = match self.fate {
            BadLineFate::Skipped => "skipped",
            BadLineFate::Cut => "cut",
        };
        write!(f, "line {}: {}; it is {fate}", self.line, self.problem)
    }
}

impl fmt::Display for StuckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits = self.waits.iter().map(Wait::to_string);
        let joins = self.joins.iter().map(|name| format!("see `{name}` end"));
        let all: Vec<_> = waits.chain(joins).collect();
        write!(f, "`{}` waits to {}", self.process, all.join(", or to "))?;
        match self.more_waits {
            0 => Ok(()),
            more => write!(f, ", or for one of {more} more"),
        }
    }
}

impl DeadlockReport {
    /// How many processes are stuck.
    pub fn size(&self) -> u64 {
        self.stuck.len() as u64 + self.more_stuck
    }
}

impl fmt::Display for DeadlockReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "deadlock of {} processes:", self.size())?;
        for stuck in &self.stuck {
            writeln!(f, "  {stuck}")?;
        }
        if self.more_stuck > 0 {
            writeln!(f, "  and {} more", self.more_stuck)?;
        }
        if !self.elsewhere.is_empty() {
            return write!(f, "  all hosts: {}", self.elsewhere.join("\n  all hosts: "));
        }
        write!(f, "  cycle: {}", self.cycle.join(" -> "))?;
        if self.more_in_cycle > 0 {
            write!(f, " -> ({} more)", self.more_in_cycle)?;
        }
        match self.cycle.first() {
            Some(first) => write!(f, " -> {first}"),
            None => Ok(()),
        }
    }
}
