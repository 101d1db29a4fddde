//! What processes wait for, in words.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};
use transputer_core::channel::{Inspect, Side, Snapshot};
use transputer_core::{ChannelId, Holder, ProcessId};

use super::report::Report;
use super::state::NetworkState;
use crate::process::Process;

/// A communication that a process waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Wait {
    /// What it waits to do.
    #[serde(serialize_with = "verb")]
    pub operation: Side,
    /// The port at which it waits, if the channel's end is one of its ports.
    pub port: Option<String>,
    /// The channel's label.
    pub channel: String,
    /// Who could do the other part: holders of the ends at the other side. At most
    /// [`Report::MOST_WAITS`] are named.
    pub with: Vec<String>,
    /// How many more could.
    pub more: u64,
    /// How long it has waited, to within some milliseconds. Not told in a seeded run, where
    /// waits last for no real time.
    #[serde(rename = "milliseconds", serialize_with = "milliseconds")]
    pub lasted: Option<Duration>,
}

/// The most names of others that are shown.
const SHOWN: usize = 3;

/// An operation's verb, and the preposition for the other party.
fn in_words(operation: Side) -> (&'static str, &'static str) {
    match operation {
        Side::Send => ("send", "to"),
        Side::Receive => ("receive", "from"),
        Side::Sync => ("meet", "with"),
        Side::Permit => ("get a permit", "from"),
    }
}

fn in_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn milliseconds<S: Serializer>(
    lasted: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    lasted.map(in_millis).serialize(serializer)
}

fn verb<S: Serializer>(operation: &Side, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(in_words(*operation).0)
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, preposition) = in_words(self.operation);
        match &self.port {
            Some(port) => write!(f, "{verb} on its port `{port}`")?,
            None => write!(f, "{verb}")?,
        }
        if !self.with.is_empty() {
            let shown = self.with.iter().take(SHOWN);
            let names: Vec<_> = shown.map(|name| format!("`{name}`")).collect();
            write!(f, " {preposition} {}", names.join(" or "))?;
            let more = self.with.len().saturating_sub(SHOWN) as u64 + self.more;
            if more > 0 {
                write!(f, " or {more} more")?;
            }
        }
        write!(f, " (channel `{}`)", self.channel)?;
        match self.lasted {
            Some(lasted) => write!(
                f,
                ", for {:?} now",
                Duration::from_millis(in_millis(lasted))
            ),
            None => Ok(()),
        }
    }
}

/// The living processes of a network, by number.
pub(super) struct Names {
    processes: BTreeMap<ProcessId, Arc<Process>>,
    /// Whether real time means anything to them.
    timed: bool,
}

impl Names {
    pub(super) fn new(state: &NetworkState) -> Self {
        let living = state.living().into_iter();
        Self {
            processes: living.map(|process| (process.id, process)).collect(),
            timed: !state.host.is_seeded(),
        }
    }

    /// How long a wait has lasted.
    pub(super) fn lasted(&self, since: Option<Instant>) -> Option<Duration> {
        since.filter(|_| self.timed).map(|since| since.elapsed())
    }

    pub(super) fn of(&self, id: ProcessId) -> String {
        match self.processes.get(&id) {
            Some(process) => process.name.to_string(),
            None => format!("process {}", id.0),
        }
    }

    pub(super) fn port(&self, process: ProcessId, channel: ChannelId) -> Option<String> {
        self.processes
            .get(&process)?
            .port(channel)
            .map(str::to_owned)
    }

    /// Who these holders are, each once, and how many more there are; ends inside messages are
    /// nobody's.
    pub(super) fn holders(&self, holders: &[Holder]) -> (Vec<String>, u64) {
        let mut names: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        for holder in holders {
            let (who, name): (_, &dyn Fn() -> String) = match holder {
                Holder::Process(id) => (*holder, &|| self.of(*id)),
                Holder::Host => (*holder, &|| "the host".to_owned()),
                Holder::Transit(_) => {
                    let any = Holder::Transit(ChannelId(0));
                    (any, &|| "an undelivered message".to_owned())
                }
            };
            if seen.insert(who) && names.len() < Report::MOST_WAITS {
                names.push(name());
            }
        }
        let more = seen.len() - names.len();
        (names, more as u64)
    }
}

/// What every process waits for.
pub(super) fn waits(probes: &[Arc<dyn Inspect>], names: &Names) -> BTreeMap<ProcessId, Vec<Wait>> {
    let mut waits: BTreeMap<ProcessId, Vec<Wait>> = BTreeMap::new();
    for probe in probes {
        let look = probe.snapshot();
        for waiting in &look.waiting {
            if let Holder::Process(id) = waiting.holder {
                let (with, more) = names.holders(other_side(&look, waiting.side));
                waits.entry(id).or_default().push(Wait {
                    operation: waiting.side,
                    port: names.port(id, probe.id()),
                    channel: label(&**probe),
                    with,
                    more,
                    lasted: names.lasted(Some(waiting.since)),
                });
            }
        }
    }
    waits
}

fn other_side(look: &Snapshot, side: Side) -> &[Holder] {
    match side {
        Side::Send => &look.receivers,
        Side::Receive | Side::Permit => &look.senders,
        Side::Sync => &look.absent,
    }
}

/// What a channel is called.
pub(super) fn label(probe: &dyn Inspect) -> String {
    match probe.label() {
        Some(label) => label.to_string(),
        None => format!("channel {}", probe.id().0),
    }
}
