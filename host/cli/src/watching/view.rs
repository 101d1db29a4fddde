//! What is shown of a network: the form of `/api/now`, and of `transputer ps --json`.

use serde::{Deserialize, Serialize};

/// From what share of a core on a process that runs is said to compute.
const COMPUTES: f64 = 0.02;

/// Processes and channels that one look shows at most; the busiest. Totals count all.
pub(crate) const MOST: usize = 2_000;

/// A look at a network, and how it differs from the ones before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Look {
    /// The network's name.
    pub(crate) network: String,
    /// Milliseconds since it was started.
    pub(crate) at: u64,
    /// Cores of the machine.
    pub(crate) cores: usize,
    /// The time, in milliseconds, over which channels were full and processes computed.
    pub(crate) window: u64,
    /// How it ended, if it has.
    pub(crate) ended: Option<String>,
    /// Why it is being stopped, if it is.
    pub(crate) stopping: Option<String>,
    pub(crate) totals: Totals,
    pub(crate) processes: Vec<Process>,
    pub(crate) channels: Vec<Channel>,
    /// What holds the others up, the worst first.
    pub(crate) bottlenecks: Vec<Bottleneck>,
    pub(crate) deadlocks: Vec<Deadlock>,
    /// The numbers of processes that are stuck in a deadlock.
    pub(crate) stuck: Vec<u64>,
    /// The last things that happened, the oldest first.
    pub(crate) events: Vec<Happened>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// Processes that ever ran.
    pub(crate) born: u64,
    /// Processes that live.
    pub(crate) living: u64,
    /// Those of them that compute.
    pub(crate) running: u64,
    pub(crate) failed: u64,
    pub(crate) restarts: u64,
    pub(crate) deadlocks: u64,
    pub(crate) sent: u64,
    pub(crate) dropped: u64,
    /// Messages a second.
    pub(crate) rate: f64,
    /// Cores that are busy.
    pub(crate) cpu_share: f64,
    /// Bytes of all memories and tables.
    pub(crate) memory: u64,
    /// Processes and channels that are not listed.
    pub(crate) more_processes: u64,
    pub(crate) more_channels: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) component: String,
    /// `running`, `waiting`, `joining` or `down`.
    pub(crate) state: String,
    /// What it waits for.
    pub(crate) waits: Vec<Wait>,
    /// Whose end it waits for.
    pub(crate) joins: Option<String>,
    pub(crate) cpu_seconds: f64,
    /// The share of a core that it has used of late; 0 until there are two looks to compare.
    pub(crate) cpu_share: f64,
    /// Whether there are.
    pub(crate) measured: bool,
    pub(crate) memory: u64,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Messages a second.
    pub(crate) send_rate: f64,
    pub(crate) receive_rate: f64,
    pub(crate) restarts: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Wait {
    /// `send`, `receive`, `meet` or `permit`.
    pub(crate) operation: String,
    pub(crate) port: Option<String>,
    pub(crate) channel: String,
    /// Who could do the other part.
    pub(crate) with: Vec<String>,
    pub(crate) milliseconds: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Channel {
    pub(crate) id: u64,
    pub(crate) label: String,
    /// 0 is a rendezvous.
    pub(crate) capacity: u64,
    pub(crate) waiting: u64,
    pub(crate) bytes: u64,
    /// The share of the window in which whoever sends had to wait.
    pub(crate) full: f64,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) dropped: u64,
    /// Messages a second.
    pub(crate) rate: f64,
    /// The numbers of processes that hold its senders and receivers; `null` is the command.
    pub(crate) from: Vec<Option<u64>>,
    pub(crate) to: Vec<Option<u64>>,
    pub(crate) senders_waiting: u64,
    pub(crate) receivers_waiting: u64,
    /// The numbers of processes that wait here.
    pub(crate) waiters: Vec<u64>,
    pub(crate) poisoned: Option<String>,
}

/// A channel that was full for most of the time, while its reader computed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bottleneck {
    pub(crate) channel: u64,
    pub(crate) label: String,
    /// The numbers of the readers that compute, and the first one's name.
    pub(crate) readers: Vec<u64>,
    pub(crate) reader: String,
    pub(crate) full: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deadlock {
    pub(crate) at: u64,
    pub(crate) size: u64,
    /// Names of processes each of which waits for the next, and the last for the first.
    pub(crate) cycle: Vec<String>,
    /// What each waits for, in words.
    pub(crate) stuck: Vec<String>,
    /// Their names.
    pub(crate) names: Vec<String>,
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Happened {
    pub(crate) at: u64,
    pub(crate) level: String,
    pub(crate) text: String,
}

impl Process {
    /// What it does, in words.
    pub(crate) fn doing(&self) -> String {
        match (self.state.as_str(), self.waits.as_slice()) {
            ("waiting", [first, others @ ..]) => {
                let at = first.port.as_ref().unwrap_or(&first.channel);
                let text = match first.operation.as_str() {
                    "send" => format!("waits to send on {at}"),
                    "receive" => format!("waits at {at}"),
                    "meet" => format!("waits at the barrier {at}"),
                    _ => return "waits for a permit".to_owned(),
                };
                match others.len() {
                    0 => text,
                    more => format!("{text} and {more} more"),
                }
            }
            ("joining", _) => format!(
                "waits for {} to end",
                self.joins.as_deref().unwrap_or("another")
            ),
            ("running", _) if !self.measured => "runs".to_owned(),
            ("running", _) if self.cpu_share < COMPUTES => {
                "sleeps, or is at work outside".to_owned()
            }
            ("running", _) => "computes".to_owned(),
            ("down", _) => "is down, to be restarted".to_owned(),
            _ => "waits".to_owned(),
        }
    }
}

impl Bottleneck {
    /// What holds others up, in words.
    pub(crate) fn told(&self, look: &Look) -> String {
        let reader = look
            .processes
            .iter()
            .find(|process| self.readers.contains(&process.id));
        format!(
            "{} {}, while {} was full for {:.0}% of the last {:.0}s",
            self.reader,
            reader.map_or_else(|| "computes".to_owned(), Process::doing),
            self.label,
            self.full * 100.0,
            look.window as f64 / 1000.0
        )
    }
}

impl Channel {
    /// What is in it, in words.
    pub(crate) fn fill(&self) -> String {
        match self.capacity {
            0 => "rendezvous".to_owned(),
            capacity => format!("{} of {capacity}", self.waiting),
        }
    }
}
