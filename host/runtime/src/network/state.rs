//! A running network, as its processes and its host share it.
//!
//! Lock order: `roster`, then a process's life. `channels`, `found` and a channel's own lock
//! are never held together with either.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, OnceLock, Weak};

use transputer_core::channel::{Inspect, Totals as ChannelTotals};
use transputer_core::{ChannelId, Options, ProcessId};

use super::cycle_collector::Sweeps;
use super::deadlock::Watch;
use super::event::{Event, Listener};
use super::hot_swap::Newer;
use super::report::{
    DeadlockReport, ProcessReport, Report, RestartReport, UnfinishedCount, UnfinishedMessage,
};
use crate::error::SpawnFault;
use crate::host::{HostState, lock};
use crate::limits::{Allowed, OpenChannel, Permits, Totals};
use crate::message::Sender;
use crate::process::{LimitOwner, Outcome, Process, SpawnRequest};
use crate::supervision::SupervisedGroup;
use transputer_network::plan;
use transputer_network::policies::AtCapacity;

/// What all processes of a network share.
pub(crate) struct NetworkState {
    pub(crate) name: String,
    pub(crate) host: Arc<HostState>,
    listener: Listener,
    /// Whether every step is told.
    pub(crate) traced: bool,
    roster: Mutex<Roster>,
    /// Signalled when the last process has ended.
    empty: Condvar,
    channels: Mutex<Channels>,
    /// What channels that are gone have seen.
    channel_totals: Arc<ChannelTotals>,
    /// What all of its processes use together.
    pub(crate) totals: Arc<Totals>,
    /// Its number among the networks of its host.
    pub(super) number: u64,
    pub(super) permits: Arc<Permits>,
    /// What waiting for its own permits, and for those of the host, counts as.
    pub(super) permit_ids: [ChannelId; 2],
    /// What to do where no place is free.
    pub(crate) at_capacity: AtCapacity,
    pub(super) watch: Watch,
    /// Those of its processes that are supervised.
    pub(super) units: OnceLock<Vec<Arc<SupervisedGroup>>>,
    pub(super) newer: Newer,
    pub(super) sweeps: Sweeps,
}

/// Who is there, and what became of the others.
#[derive(Default)]
struct Roster {
    living: BTreeMap<ProcessId, Arc<Process>>,
    names: HashSet<Arc<str>>,
    last: u64,
    born: u64,
    failed: u64,
    failures: Vec<ProcessReport>,
    deadlocks: Vec<DeadlockReport>,
    stopping: Option<String>,
    restarts: u64,
    restarted: Vec<RestartReport>,
    unfinished: UnfinishedCount,
}

/// Every channel of the network that still has an end.
#[derive(Default)]
struct Channels {
    probes: Vec<Weak<dyn Inspect>>,
    /// Snapshot for dead entries when there are so many.
    sweep_at: usize,
}

const FIRST_SWEEP: usize = 64;

impl NetworkState {
    pub(super) fn new(
        name: String,
        host: Arc<HostState>,
        listener: Listener,
        traced: bool,
        channel_totals: Arc<ChannelTotals>,
        totals: plan::Totals,
        at_capacity: Option<AtCapacity>,
    ) -> Self {
        let allowed = Allowed {
            memory: totals.memory,
            channels: totals.channels,
            cpu: totals
                .cpu
                .map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
        };
        Self {
            totals: Arc::new(Totals::new(
                LimitOwner::Network,
                allowed,
                Some(host.totals().clone()),
            )),
            number: host.next_network(),
            permits: Permits::new(
                totals.processes.unwrap_or(u32::MAX),
                match totals.processes {
                    Some(most) => format!("`processes` = {most} allows its network"),
                    None => String::new(),
                },
            ),
            permit_ids: [ChannelId::fresh(), ChannelId::fresh()],
            at_capacity: at_capacity.unwrap_or(host.at_capacity()),
            name,
            host,
            listener,
            traced,
            roster: Mutex::default(),
            empty: Condvar::new(),
            channels: Mutex::default(),
            channel_totals,
            watch: Watch::default(),
            units: OnceLock::new(),
            newer: Newer::default(),
            sweeps: Sweeps::default(),
        }
    }

    pub(crate) fn tell(&self, event: Event) {
        (self.listener)(event);
    }

    /// Enters a new process, under its name or, where that is taken, with a number behind; or
    /// in the place of an earlier incarnation.
    pub(crate) fn enrol(&self, request: &SpawnRequest) -> Result<Arc<Process>, SpawnFault> {
        let mut roster = lock(&self.roster);
        if roster.stopping.is_some() {
            return Err(SpawnFault::Stopping);
        }
        roster.last += 1;
        let id = ProcessId(roster.last);
        let name: Arc<str> = match &request.replaces {
            Some(old) => {
                roster.living.remove(&old.id);
                old.name.clone()
            }
            None => {
                roster.born += 1;
                roster.free_name(&request.name, id)
            }
        };
        let process = Arc::new(Process::new(id, name, request));
        roster.living.insert(id, process.clone());
        Ok(process)
    }

    /// Takes a process off the roster that was never born.
    pub(crate) fn forget(&self, process: &Process) {
        let mut roster = lock(&self.roster);
        roster.born -= 1;
        roster.remove(process);
        self.signal_if_empty(&roster);
    }

    /// Takes a process off the roster, and tells everybody how it ended.
    pub(crate) fn ended(&self, process: &Process, outcome: Outcome) {
        let report = ProcessReport {
            name: process.name.to_string(),
            id: process.id,
            component: process.component.to_string(),
            outcome: outcome.clone(),
            restarts: 0,
            gave_up: None,
        };
        process.ended(outcome);
        self.concluded(process, report);
    }

    /// Takes a process off the roster whose end is final, and tells everybody.
    pub(crate) fn concluded(&self, process: &Process, report: ProcessReport) {
        if !lock(&self.roster).living.contains_key(&process.id) {
            return;
        }
        self.tell(Event::Ended(report.clone()));
        let mut roster = lock(&self.roster);
        roster.remove(process);
        if !report.outcome.is_finished() {
            roster.failed += 1;
            if roster.failures.len() < Report::MOST_FAILURES {
                roster.failures.push(report);
            }
        }
        self.signal_if_empty(&roster);
    }

    fn signal_if_empty(&self, roster: &Roster) {
        if roster.living.is_empty() {
            self.empty.notify_all();
        }
    }

    /// Blocks the calling thread until no process is left.
    pub(super) fn wait_until_empty(&self) {
        let mut roster = lock(&self.roster);
        while !roster.living.is_empty() {
            roster = self
                .empty
                .wait(roster)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        lock(&self.roster).living.is_empty()
    }

    /// Everybody who lives, in the order of request.
    pub(super) fn living(&self) -> Vec<Arc<Process>> {
        lock(&self.roster).living.values().cloned().collect()
    }

    /// Ends every process with this reason; none can be born any more.
    pub(super) fn stop(&self, reason: &str) {
        let mut roster = lock(&self.roster);
        roster.stopping.get_or_insert_with(|| reason.to_owned());
        drop(roster);
        for process in self.living() {
            process.end(Outcome::Stopped(reason.to_owned()));
        }
        self.units
            .get()
            .into_iter()
            .flatten()
            .for_each(|unit| unit.stop());
    }

    /// The options of a channel that is opened while the network runs, and counts as its own.
    pub(crate) fn counted(&self, options: Options, label: &str, open: Arc<OpenChannel>) -> Options {
        options
            .label(label)
            .totals(self.channel_totals.clone())
            .live_count(self.host.counts().channels.clone())
            .keep_alive(open)
    }

    /// Remembers a channel, for as long as it has an end.
    pub(crate) fn watch_channel(&self, sender: &Sender) {
        self.watch_probe(&sender.inspect());
    }

    /// Remembers a channel by its probe, likewise.
    pub(crate) fn watch_probe(&self, probe: &Arc<dyn Inspect>) {
        let mut channels = lock(&self.channels);
        if channels.probes.len() >= channels.sweep_at.max(FIRST_SWEEP) {
            channels.probes.retain(|probe| probe.strong_count() > 0);
            channels.sweep_at = 2 * channels.probes.len();
        }
        channels.probes.push(Arc::downgrade(probe));
    }

    /// Every channel that still has an end.
    pub(crate) fn probes(&self) -> Vec<Arc<dyn Inspect>> {
        let channels = lock(&self.channels);
        channels.probes.iter().filter_map(Weak::upgrade).collect()
    }

    pub(super) fn add_deadlock(&self, report: DeadlockReport) {
        self.tell(Event::Deadlock(report.clone()));
        lock(&self.roster).deadlocks.push(report);
    }

    /// What became of the network so far.
    pub(super) fn report(&self) -> Report {
        let probes = self.probes();
        let mut sent = self.channel_totals.sent.load(Ordering::Acquire);
        let mut dropped = self.channel_totals.dropped.load(Ordering::Acquire);
        for probe in &probes {
            let seen = probe.statistics();
            sent += seen.sent;
            dropped += seen.dropped;
        }
        drop(probes);
        let roster = lock(&self.roster);
        Report {
            network: self.name.clone(),
            processes: roster.born,
            failures: roster.failures.clone(),
            failed: roster.failed,
            restarts: roster.restarts,
            restarted: roster.restarted.clone(),
            unfinished: roster.unfinished,
            deadlocks: roster.deadlocks.clone(),
            sent,
            dropped,
            stopped: roster.stopping.clone(),
        }
    }
}

/// What supervisors tell.
impl NetworkState {
    pub(crate) fn is_stopping(&self) -> bool {
        lock(&self.roster).stopping.is_some()
    }

    /// Notes that a process has ended and will be restarted, and tells everybody.
    pub(crate) fn restarting(&self, report: RestartReport) {
        self.tell(Event::Restarting(report.clone()));
        let mut roster = lock(&self.roster);
        roster.restarts += 1;
        if roster.restarted.len() < Report::MOST_FAILURES {
            roster.restarted.push(report);
        }
    }

    /// Notes what became of a message that was not finished, and tells everybody.
    pub(crate) fn unfinished(&self, message: UnfinishedMessage) {
        lock(&self.roster).unfinished.add(&message.fate);
        self.tell(Event::Unfinished(message));
    }

    /// Ends the processes of these names, for the failure of one that they are linked with.
    pub(crate) fn end_linked(&self, failed: &str, names: &[String], outcome: &Outcome) {
        if names.is_empty() {
            return;
        }
        let living = self.living().into_iter();
        for process in living.filter(|process| names.iter().any(|name| **name == *process.name)) {
            process.end_with(failed, outcome);
        }
    }
}

impl Roster {
    /// A name that nobody has, like the one that is wanted.
    fn free_name(&mut self, wanted: &str, id: ProcessId) -> Arc<str> {
        let name: Arc<str> = if self.names.contains(wanted) {
            format!("{wanted}-{}", id.0).into()
        } else {
            wanted.into()
        };
        self.names.insert(name.clone());
        name
    }

    fn remove(&mut self, process: &Process) {
        self.living.remove(&process.id);
        self.names.remove(&process.name);
    }
}
