//! What a network and its processes are doing now.
//!
//! A look takes the lock of each channel for a moment, as deadlock detection does, and stops nobody. All
//! of it is paid by whoever looks, but for what [`Measures`](crate::process::Measures) counts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use transputer_core::channel::{Inspect, Side, Snapshot};
use transputer_core::{ChannelId, Holder, ProcessId};

use super::running::Running;
use super::wait::{Names, Wait, label, waits};
use crate::process::Process;

/// A process, and what it is doing.
///
/// What is counted, is counted of this incarnation: a process that is restarted begins anew.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessStatus {
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: ProcessId,
    /// What its component is called in the network.
    pub component: String,
    /// Which of its incarnations this is: 1, and one more for each restart.
    pub incarnation: u64,
    /// What it is doing.
    pub doing: Doing,
    /// How long it has computed, calls of the host included. Sampled at the scheduler's ticks, of 2 ms: the
    /// time of a tick counts for those who compute at its end. So it is right over seconds, not over milliseconds.
    pub processor_time: Duration,
    /// Bytes of its linear memories and tables. (What its limit counts is more: `host/runtime/README.md`.)
    pub memory: u64,
    /// Messages that channels have accepted from it.
    pub sent: u64,
    /// Messages that it was handed. Of a batch that it was handed ahead of need, all.
    pub received: u64,
    /// Its input ports, each with the channel that it was wired to.
    pub inputs: Vec<(String, ChannelId)>,
    /// Its output ports, likewise.
    pub outputs: Vec<(String, ChannelId)>,
}

/// What a process is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doing {
    /// It computes, sleeps, or does something outside the network.
    Running,
    /// It waits for one of these communications.
    Waiting(Vec<Wait>),
    /// It waits for the end of this process.
    Joining(String),
    /// It has ended, and its supervisor has yet to restart it.
    Down,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("runs"),
            Self::Waiting(waits) => {
                let waits: Vec<_> = waits.iter().map(Wait::to_string).collect();
                write!(f, "waits to {}", waits.join(", or to "))
            }
            Self::Joining(name) => write!(f, "waits for {name} to end"),
            Self::Down => f.write_str("is down, to be restarted"),
        }
    }
}

/// A channel, what is in it, and who waits there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelStatus {
    /// Its number, unique in this program.
    pub id: ChannelId,
    /// What it is called.
    pub label: String,
    /// Messages that may wait in it; 0 is a rendezvous.
    pub capacity: usize,
    /// Messages that wait in it.
    pub waiting: usize,
    /// Bytes of those.
    pub bytes: usize,
    /// Messages that it has accepted. The difference of two looks is its rate.
    pub sent: u64,
    /// Messages that receivers were handed.
    pub received: u64,
    /// Messages that it dropped: by its overflow policy, by poison, or because the last receiver went away.
    pub dropped: u64,
    /// Who holds its senders, each end once.
    pub senders: Vec<Holder>,
    /// Who holds its receivers.
    pub receivers: Vec<Holder>,
    /// Who waits to send, in order.
    pub wait_to_send: Vec<Holder>,
    /// Who waits to receive, in order.
    pub wait_to_receive: Vec<Holder>,
    /// Why it was poisoned, if it was.
    pub poisoned: Option<String>,
}

impl ChannelStatus {
    /// Whether whoever sends has to wait: somebody does, or it is full. (What a reader has taken ahead of
    /// need fills places as well.)
    pub fn is_full(&self) -> bool {
        let has_no_place = self.capacity > 0 && self.waiting >= self.capacity;
        has_no_place || !self.wait_to_send.is_empty()
    }
}

/// A network at one moment, as [`Running::look`] sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkStatus {
    /// Its name.
    pub network: String,
    /// Every process that lives, in the order of request.
    pub processes: Vec<ProcessStatus>,
    /// Every channel that has an end, in the order of opening.
    pub channels: Vec<ChannelStatus>,
    /// Processes that ever ran.
    pub born: u64,
    /// Processes that did not finish.
    pub failed: u64,
    /// Restarts by supervisors.
    pub restarts: u64,
    /// Deadlocks that were found.
    pub deadlocks: u64,
    /// Messages that were sent over all channels, those that are gone included.
    pub sent: u64,
    /// Messages that were sent and never received, likewise.
    pub dropped: u64,
    /// Why it is being stopped, if it is.
    pub stopping: Option<String>,
}

impl Running {
    /// Every process that lives, and what it is doing, in the order of request.
    pub fn status(&self) -> Vec<ProcessStatus> {
        self.processes(&self.probes())
    }

    /// The whole network: processes, channels, who waits on whom, and what has been counted.
    ///
    /// Nobody is stopped for it, so that what is seen of one channel may be a moment older than what is
    /// seen of the next. The time it takes grows with the number of processes and channels; ten
    /// thousand of both take some 20 ms.
    ///
    /// ```no_run
    /// # fn look(running: &transputer::Running) {
    /// let status = running.look();
    /// for channel in status.channels.iter().filter(|channel| channel.is_full()) {
    ///     println!("{}: {} of {} messages wait", channel.label, channel.waiting, channel.capacity);
    /// }
    /// # }
    /// ```
    pub fn look(&self) -> NetworkStatus {
        let probes = self.probes();
        let processes = self.processes(&probes);
        let mut channels: Vec<_> = (self.state.probes().iter())
            .filter_map(|probe| channel(&**probe))
            .collect();
        channels.sort_by_key(|channel| channel.id);
        let gone = |of: fn(&transputer_core::channel::Totals) -> u64| -> u64 {
            self.state
                .channel_totals()
                .iter()
                .map(|totals| of(totals))
                .sum()
        };
        let seen = |of: fn(&ChannelStatus) -> u64| -> u64 { channels.iter().map(of).sum() };
        let sent =
            gone(|totals| totals.sent.load(Ordering::Acquire)) + seen(|channel| channel.sent);
        let dropped =
            gone(|totals| totals.dropped.load(Ordering::Acquire)) + seen(|channel| channel.dropped);
        let counted = self.state.counted_so_far();
        NetworkStatus {
            network: self.state.name.clone(),
            processes,
            channels,
            born: counted.born,
            failed: counted.failed,
            restarts: counted.restarts,
            deadlocks: counted.deadlocks,
            sent,
            dropped,
            stopping: counted.stopping,
        }
    }

    /// Everything that processes can wait at.
    fn probes(&self) -> Vec<Arc<dyn Inspect>> {
        let mut probes = self.state.probes();
        probes.extend(self.state.permit_probes(true));
        probes
    }

    fn processes(&self, probes: &[Arc<dyn Inspect>]) -> Vec<ProcessStatus> {
        let names = Names::new(&self.state);
        let mut waits = waits(probes, &names);
        let living = self.state.living();
        let status = living
            .iter()
            .map(|process| status(process, &mut waits, &names));
        status.collect()
    }
}

fn status(
    process: &Process,
    waits: &mut BTreeMap<ProcessId, Vec<Wait>>,
    names: &Names,
) -> ProcessStatus {
    let ports = |ports: &[(ChannelId, Box<str>)]| {
        let ports = ports
            .iter()
            .map(|(channel, name)| (name.to_string(), *channel));
        ports.collect()
    };
    let (inputs, outputs) = process.ports();
    let measures = &process.measures;
    ProcessStatus {
        name: process.name.to_string(),
        id: process.id,
        component: process.component_name().to_owned(),
        incarnation: process.incarnation(),
        doing: match (waits.remove(&process.id), process.join()) {
            _ if process.outcome().is_some() => Doing::Down,
            (Some(waits), _) => Doing::Waiting(waits),
            (None, Some(join)) => Doing::Joining(names.of(join.target)),
            (None, None) => Doing::Running,
        },
        processor_time: Duration::from_nanos(measures.computed()),
        memory: measures.memory(),
        sent: measures.sent(),
        received: measures.received(),
        inputs: ports(inputs),
        outputs: ports(outputs),
    }
}

/// A channel as it is now; `None` for a barrier.
fn channel(probe: &dyn Inspect) -> Option<ChannelStatus> {
    let look: Snapshot = probe.snapshot();
    let meets = |side| side == Side::Sync;
    if !look.absent.is_empty() || look.waiting.iter().any(|waiting| meets(waiting.side)) {
        return None;
    }
    let counted = probe.statistics();
    let waiting = |side| {
        let waiting = look
            .waiting
            .iter()
            .filter(move |waiting| waiting.side == side);
        waiting.map(|waiting| waiting.holder).collect()
    };
    Some(ChannelStatus {
        id: probe.id(),
        label: label(probe),
        capacity: look.capacity,
        waiting: look.buffered,
        bytes: look.bytes,
        sent: counted.sent,
        received: counted.received,
        dropped: counted.dropped,
        wait_to_send: waiting(Side::Send),
        wait_to_receive: waiting(Side::Receive),
        senders: look.senders,
        receivers: look.receivers,
        poisoned: probe.poisoned().map(|poison| poison.reason.to_string()),
    })
}
