//! A running network, as its processes and its host share it.
//!
//! Lock order: `roster`, then a process's life. `channels`, `found` and a channel's own lock
//! are never held together with either.

use std::collections::{BTreeMap, HashSet};
use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, Weak};
use std::task::{Poll, Waker};

use transputer_core::channel::{Inspect, Totals as ChannelTotals};
use transputer_core::{ChannelId, Options, ProcessId};

use super::builder::{Network, Notes};
use super::cycle_collector::Sweeps;
use super::deadlock::LookTimer;
use super::event::{Event, Level, Listener};
use super::events::EventSource;
use super::hot_swap::Newer;
use super::report::{
    BadLine, BadLineCount, DeadlockReport, ProcessReport, Report, RestartReport, UnfinishedCount,
    UnfinishedMessage,
};
use crate::error::SpawnFault;
use crate::host::{HostState, lock};
use crate::limits::{Allowed, Budget, Held, OpenChannel, Permits, Totals};
use crate::message::Sender;
use crate::process::{LimitOwner, Outcome, Process, SpawnRequest};
use crate::supervision::SupervisedGroup;
use transputer_network::policies::AtCapacity;

/// What all processes of a network share.
pub(crate) struct NetworkState {
    pub(crate) name: String,
    pub(crate) host: Arc<HostState>,
    listener: Listener,
    /// What is noted besides.
    pub(crate) notes: Notes,
    /// Where events wait to be read, if somebody reads them.
    events: Option<EventSource>,
    roster: Mutex<Roster>,
    /// Signalled when the last process has ended.
    empty: Condvar,
    channels: Mutex<Channels>,
    /// The statistics of channels that are gone, whether wired or opened since.
    channel_totals: [Arc<ChannelTotals>; 2],
    /// What all of its processes use together.
    pub(crate) totals: Arc<Totals>,
    /// Its number among the networks of its host.
    pub(super) number: u64,
    pub(super) permits: Arc<Permits>,
    /// The ids under which deadlock detection knows its own permits, and those of the host.
    pub(super) permit_ids: [ChannelId; 2],
    /// What to do where there is no permit.
    pub(crate) at_capacity: AtCapacity,
    pub(super) look_timer: LookTimer,
    /// Those of its processes that are supervised.
    pub(super) groups: OnceLock<Vec<Arc<SupervisedGroup>>>,
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
    failures: Vec<Held<ProcessReport>>,
    deadlocked: u64,
    deadlocks: Vec<DeadlockReport>,
    stopping: Option<String>,
    restarts: u64,
    restarted: Vec<Held<RestartReport>>,
    unfinished: UnfinishedCount,
    bad_lines: BadLineCount,
    /// Those who wait until nobody is left.
    waiting: Vec<Waker>,
}

/// What a roster has counted.
pub(super) struct Counted {
    pub(super) born: u64,
    pub(super) failed: u64,
    pub(super) restarts: u64,
    pub(super) deadlocks: u64,
    pub(super) stopping: Option<String>,
}

/// Every channel of the network that still has an end.
#[derive(Default)]
struct Channels {
    probes: Vec<Weak<dyn Inspect>>,
    /// Look for dead entries when there are this many.
    sweep_at: usize,
}

const FIRST_SWEEP: usize = 64;

impl NetworkState {
    pub(super) fn new(network: &mut Network) -> Self {
        let listener = std::mem::replace(&mut network.listener, Box::new(|_| {}));
        let events = network.events.take();
        let host = network.host.0.clone();
        let totals = network.totals;
        let allowed = Allowed {
            memory: totals.memory,
            channels: totals.channels,
            cpu: totals.cpu,
        };
        Self {
            totals: Arc::new(Totals::new(
                LimitOwner::Network,
                allowed,
                Some(host.totals()),
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
            at_capacity: network.at_capacity.unwrap_or(host.at_capacity()),
            name: network.name.clone(),
            host,
            listener,
            notes: network.notes,
            events,
            roster: Mutex::default(),
            empty: Condvar::new(),
            channels: Mutex::default(),
            channel_totals: [&network.channel_totals, &network.opened_totals].map(Arc::clone),
            look_timer: LookTimer::default(),
            groups: OnceLock::new(),
            newer: Newer::default(),
            sweeps: Sweeps::default(),
        }
    }

    /// Tells the program of an event; log lines are `tracing` events, too.
    pub(crate) fn tell(&self, event: Event) {
        if let Event::Log {
            process,
            level,
            line,
        } = &event
        {
            trace_log(&self.name, process, *level, line);
        }
        if let Some(events) = &self.events {
            events.tell(&event);
        }
        (self.listener)(event);
    }

    /// Enters a new process: under its name, followed by a number if that is taken, or as the successor
    /// of an earlier incarnation.
    pub(crate) fn enrol(
        &self,
        request: &SpawnRequest,
        budget: Arc<Budget>,
    ) -> Result<Arc<Process>, SpawnFault> {
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
                roster.free_name(&request.spec.name, id)
            }
        };
        let process = Arc::new(Process::new(id, name, request, budget));
        roster.living.insert(id, process.clone());
        Ok(process)
    }

    /// Removes a process that never started.
    pub(crate) fn forget(&self, process: &Process) {
        let mut roster = lock(&self.roster);
        roster.born -= 1;
        roster.remove(process);
        self.signal_if_none(roster);
    }

    /// Removes a process, and tells everybody how it ended.
    pub(crate) fn ended(&self, process: &Process, outcome: Outcome) {
        let report = ProcessReport {
            name: process.name.to_string(),
            id: process.id,
            component: process.component_name().to_owned(),
            outcome: outcome.clone(),
            lifetime: process.lifetime(),
            restarts: 0,
            gave_up: None,
        };
        process.ended(outcome);
        self.concluded(process, report);
    }

    /// Removes a process whose end is final, and tells everybody.
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
                roster.failures.push(Held::shared(report, process.kept()));
            }
        }
        self.signal_if_none(roster);
    }

    /// Tells those who wait if there is no process at all.
    pub(super) fn signal_if_empty(&self) {
        self.signal_if_none(lock(&self.roster));
    }

    fn signal_if_none(&self, mut roster: MutexGuard<'_, Roster>) {
        if roster.living.is_empty() {
            let waiting = std::mem::take(&mut roster.waiting);
            drop(roster);
            if let Some(events) = &self.events {
                events.processes_ended();
            }
            self.empty.notify_all();
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    /// Standard output is written, or there is none.
    pub(crate) fn output_ended(&self) {
        if let Some(events) = &self.events {
            events.output_ended();
        }
    }

    /// Waits until no process is left.
    pub(super) async fn emptied(&self) {
        poll_fn(|context| {
            let mut roster = lock(&self.roster);
            if roster.living.is_empty() {
                return Poll::Ready(());
            }
            remember(&mut roster.waiting, context.waker());
            Poll::Pending
        })
        .await;
    }

    /// Ends the living process of this name, if there is one.
    pub(super) fn kill(&self, name: &str, reason: &str) -> bool {
        let named = self
            .living()
            .into_iter()
            .find(|process| &*process.name == name);
        if let Some(process) = &named {
            process.end(Outcome::Stopped(reason.to_owned()));
        }
        named.is_some()
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

    /// The living processes, in the order in which they were requested.
    pub(crate) fn living(&self) -> Vec<Arc<Process>> {
        lock(&self.roster).living.values().cloned().collect()
    }

    /// Ends every process with this reason; no more can start.
    pub(super) fn stop(&self, reason: &str) {
        let mut roster = lock(&self.roster);
        roster.stopping.get_or_insert_with(|| reason.to_owned());
        drop(roster);
        for process in self.living() {
            process.end(Outcome::Stopped(reason.to_owned()));
        }
        self.groups
            .get()
            .into_iter()
            .flatten()
            .for_each(|group| group.stop());
    }

    /// What its processes end with, if it is being stopped.
    pub(crate) fn stopped(&self) -> Option<Outcome> {
        lock(&self.roster).stopping.clone().map(Outcome::Stopped)
    }

    /// Adds what makes a channel that is opened while the network runs count as the network's.
    pub(crate) fn counted(&self, options: Options, label: &str, open: Arc<OpenChannel>) -> Options {
        options
            .label(label)
            .totals(self.channel_totals[1].clone())
            .live_count(self.host.counts().channels.clone())
            .keep_alive(open)
    }

    /// Remembers a channel, for as long as it has an end.
    pub(crate) fn register_channel(&self, sender: &Sender) {
        self.register_probe(&sender.inspect());
    }

    /// Remembers a channel by its probe, likewise.
    pub(crate) fn register_probe(&self, probe: &Arc<dyn Inspect>) {
        let mut channels = lock(&self.channels);
        if channels.probes.len() >= channels.sweep_at.max(FIRST_SWEEP) {
            channels.probes.retain(|probe| probe.strong_count() > 0);
            channels.sweep_at = 2 * channels.probes.len();
        }
        channels.probes.push(Arc::downgrade(probe));
    }

    /// How many channels have an end, or had one not long ago.
    pub(super) fn channels_at_most(&self) -> u64 {
        lock(&self.channels).probes.len() as u64
    }

    /// How often messages with ends have entered its channels, or come back.
    pub(super) fn ends_moved(&self) -> u64 {
        self.channel_totals
            .iter()
            .map(|totals| totals.moves())
            .sum()
    }

    /// Every channel that still has an end.
    pub(crate) fn probes(&self) -> Vec<Arc<dyn Inspect>> {
        let channels = lock(&self.channels);
        channels.probes.iter().filter_map(Weak::upgrade).collect()
    }

    pub(super) fn add_deadlock(&self, report: DeadlockReport) {
        self.tell(Event::Deadlock(report.clone()));
        let mut roster = lock(&self.roster);
        roster.deadlocked += 1;
        if roster.deadlocks.len() < Report::MOST_DEADLOCKS {
            roster.deadlocks.push(report);
        }
    }

    /// Notes a line of standard input that could not be taken as it is, and tells everybody.
    pub(crate) fn bad_line(&self, line: BadLine) {
        lock(&self.roster).bad_lines.add(line.fate);
        self.tell(Event::BadLine(line));
    }

    /// The statistics of channels that are gone.
    pub(super) fn channel_totals(&self) -> &[Arc<ChannelTotals>] {
        &self.channel_totals
    }

    /// What has been counted of its processes.
    pub(super) fn counted_so_far(&self) -> Counted {
        let roster = lock(&self.roster);
        Counted {
            born: roster.born,
            failed: roster.failed,
            restarts: roster.restarts,
            deadlocks: roster.deadlocked,
            stopping: roster.stopping.clone(),
        }
    }

    /// What became of the network so far.
    pub(super) fn report(&self) -> Report {
        let probes = self.probes();
        let (mut sent, mut dropped) = (0, 0);
        for gone in &self.channel_totals {
            sent += gone.sent.load(Ordering::Acquire);
            dropped += gone.dropped.load(Ordering::Acquire);
        }
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
            failures: reports(&roster.failures),
            failed: roster.failed,
            restarts: roster.restarts,
            restarted: reports(&roster.restarted),
            unfinished: roster.unfinished,
            bad_lines: roster.bad_lines,
            deadlocked: roster.deadlocked,
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
    pub(crate) fn restarting(&self, process: &Process, report: RestartReport) {
        self.tell(Event::Restarting(report.clone()));
        let mut roster = lock(&self.roster);
        roster.restarts += 1;
        if roster.restarted.len() < Report::MOST_FAILURES {
            roster.restarted.push(Held::shared(report, process.kept()));
        }
    }

    /// Notes what became of a message that was not finished, and tells everybody.
    pub(crate) fn unfinished(&self, message: UnfinishedMessage) {
        lock(&self.roster).unfinished.add(&message.fate);
        self.tell(Event::Unfinished(message));
    }

    /// Ends the processes of these names, because one that they are linked with has failed.
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

/// Tells a log line to whoever has subscribed to `tracing`: target `transputer::process`, with the
/// network and the process.
fn trace_log(network: &str, process: &str, level: Level, line: &str) {
    macro_rules! event {
        ($level:ident) => {
            tracing::event!(
                target: "transputer::process",
                tracing::Level::$level,
                network,
                process,
                "{line}"
            )
        };
    }
    match level {
        Level::Trace => event!(TRACE),
        Level::Debug => event!(DEBUG),
        Level::Info => event!(INFO),
        Level::Warn => event!(WARN),
        Level::Error => event!(ERROR),
    }
}

/// Adds a waker, once.
pub(crate) fn remember(waiting: &mut Vec<Waker>, waker: &Waker) {
    if !waiting.iter().any(|known| known.will_wake(waker)) {
        waiting.push(waker.clone());
    }
}

/// Copies, for the program.
fn reports<T: Clone>(kept: &[Held<T>]) -> Vec<T> {
    kept.iter().map(|kept| T::clone(kept)).collect()
}

impl Roster {
    /// The wanted name or, if that is taken, one like it.
    fn free_name(&mut self, wanted: &Arc<str>, id: ProcessId) -> Arc<str> {
        let name: Arc<str> = if self.names.contains(&**wanted) {
            format!("{wanted}-{}", id.0).into()
        } else {
            wanted.clone()
        };
        self.names.insert(name.clone());
        name
    }

    fn remove(&mut self, process: &Process) {
        self.living.remove(&process.id);
        self.names.remove(&process.name);
    }
}
