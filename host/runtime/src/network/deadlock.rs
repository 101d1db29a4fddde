//! Watching a network for deadlock.
//!
//! The [lookout](crate::lookout) looks whenever the scheduler falls quiet, which finds a network that has
//! stopped altogether at once, and every now and then while it runs, which finds a part that
//! has. Those looks are spaced so that they never take more than a small share of the time.
//!
//! What is found is reported, then its channels are poisoned: the processes get an error of
//! their own kind and can end, instead of hanging until somebody comes.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use transputer_core::channel::{Inspect, Poison, PoisonKind};
use transputer_core::deadlock::{self, AwaitedEnd, Awaits, Deadlock, WaitsOn};
use transputer_core::{ChannelId, ProcessId};

use super::report::{DeadlockReport, Report, StuckReport};
use super::state::NetworkState;
use super::wait::{Names, Wait};
use crate::host::lock;
use crate::process::Waiting;

/// The shortest time between two looks at a network that runs.
const PAUSE: Duration = Duration::from_millis(100);

/// A look may take one part in so many of the time.
const SHARE: u32 = 20;

/// When to look at a network again.
#[derive(Debug, Default)]
pub(crate) struct LookTimer {
    next: Mutex<Option<Instant>>,
    /// Whether a task will make it quiet again by then.
    alarm: Arc<AtomicBool>,
}

impl LookTimer {
    fn is_due(&self, now: Instant) -> bool {
        match *lock(&self.next) {
            Some(next) => now >= next,
            None => true,
        }
    }

    fn looked(&self, began: Instant) {
        let ended = Instant::now();
        let pause = PAUSE.max((ended - began) * SHARE);
        *lock(&self.next) = Some(ended + pause);
    }
}

impl NetworkState {
    /// Whether it has not been looked at for a while.
    pub(crate) fn is_look_due(&self, now: Instant) -> bool {
        self.look_timer.is_due(now)
    }

    /// Called when it was due at a tick, while a process computes.
    pub(crate) fn on_tick(self: &Arc<Self>) {
        if self.look_timer.is_due(Instant::now()) {
            self.look_for_deadlock();
        }
    }

    /// Called when nothing is ready and nothing computes.
    pub(crate) fn on_quiet(self: &Arc<Self>) {
        // While timers are pending it will fall quiet again, so that a look may be left out.
        let timers = self.host.scheduler().timers_pending() > 0;
        if !timers || self.look_timer.is_due(Instant::now()) {
            self.look_for_deadlock();
        } else if !self.host.is_seeded() {
            self.look_soon();
        }
    }

    /// Has it fall quiet again before long: the timer that is pending may be an hour away.
    fn look_soon(&self) {
        let alarm = self.look_timer.alarm.clone();
        if alarm.swap(true, Ordering::AcqRel) {
            return;
        }
        let scheduler = self.host.scheduler();
        let sleep = scheduler.clock().sleep(PAUSE);
        scheduler.spawn(async move {
            sleep.await;
            alarm.store(false, Ordering::Release);
        });
    }

    fn look_for_deadlock(self: &Arc<Self>) {
        let began = Instant::now();
        self.sweep();
        let (probes, mut all) = self.find_deadlocks(true);
        if all.is_empty() && self.waits_for_others() {
            all = self.find_deadlocks(false).1;
        }
        for found in all {
            let report = self.deadlock_report(&found);
            let reason = reason(&report.cycle);
            self.add_deadlock(report);
            let poison = Poison::new(PoisonKind::Deadlock, reason);
            poison_waits(&probes, &found, &poison);
        }
        self.look_timer.looked(began);
    }

    /// Everything that processes wait at, and what is found there.
    fn find_deadlocks(
        self: &Arc<Self>,
        others_live: bool,
    ) -> (Vec<Arc<dyn Inspect>>, Vec<Deadlock>) {
        let mut probes = self.probes();
        probes.extend(self.permit_probes(others_live));
        let found = deadlock::find(&probes, || self.awaits());
        (probes, found)
    }

    /// The same, as long as the program does nothing at those channels.
    pub(super) fn find_deadlocks_while(
        self: &Arc<Self>,
        program_waits: impl Fn(ChannelId) -> bool,
    ) -> (Vec<Arc<dyn Inspect>>, Vec<Deadlock>) {
        let mut probes = self.probes();
        probes.extend(self.permit_probes(true));
        let found = deadlock::find_while_host_waits(&probes, program_waits, || self.awaits());
        (probes, found)
    }

    /// Whether a process waits for a permit that only processes of other networks could give back, all
    /// of which wait for permits, or for each other, as well. Each network is looked at by itself,
    /// as if no permit were ever given back; that holds for all of them at once if none did meanwhile.
    fn waits_for_others(self: &Arc<Self>) -> bool {
        let permits = self.host.permits();
        if permits.waiting(self.number).is_empty() {
            return false;
        }
        let freed = permits.freed();
        let all_stuck = self.host.networks().iter().all(|network| {
            let stuck = network.find_deadlocks(false).1;
            let stuck: usize = stuck.iter().map(|deadlock| deadlock.stuck.len()).sum();
            stuck == network.living().len()
        });
        all_stuck && permits.freed() == freed
    }

    fn awaits(&self) -> Awaits {
        let living = self.living();
        let parks = living.iter().filter_map(|process| {
            let number = match process.waiting()? {
                Waiting::Live => None,
                Waiting::Parked(number) => Some(number),
            };
            Some((process.id, number))
        });
        let parks: Vec<_> = parks.collect();
        let awaited = living.iter().filter_map(|process| {
            let join = process.join()?;
            Some(AwaitedEnd::new(process.id, join.target, join.ticket))
        });
        Awaits::new(awaited.collect(), parks)
    }

    pub(super) fn deadlock_report(&self, found: &Deadlock) -> DeadlockReport {
        let names = Names::new(self);
        let mut stuck: Vec<_> = found.stuck.iter().collect();
        if stuck.len() > Report::MOST_STUCK {
            let in_cycle: HashSet<_> = found.cycle.iter().collect();
            stuck.sort_by_key(|stuck| !in_cycle.contains(&stuck.process));
        }
        let more_than = |length: usize, most: usize| length.saturating_sub(most) as u64;
        let more_stuck = more_than(stuck.len(), Report::MOST_STUCK);
        let stuck = stuck.into_iter().take(Report::MOST_STUCK);
        let stuck = stuck.map(|stuck| StuckReport {
            process: names.of(stuck.process),
            waits: stuck
                .waits
                .iter()
                .take(Report::MOST_WAITS)
                .map(|wait| in_words(&names, stuck.process, wait))
                .collect(),
            more_waits: more_than(stuck.waits.len(), Report::MOST_WAITS),
            joins: stuck.awaits.iter().map(|id| names.of(*id)).collect(),
        });
        DeadlockReport {
            stuck: stuck.collect(),
            more_stuck,
            cycle: found
                .cycle
                .iter()
                .take(Report::MOST_STUCK)
                .map(|id| names.of(*id))
                .collect(),
            more_in_cycle: more_than(found.cycle.len(), Report::MOST_STUCK),
            elsewhere: Vec::new(),
        }
    }
}

fn in_words(names: &Names, process: ProcessId, wait: &WaitsOn) -> Wait {
    let (with, more) = names.holders(&wait.others);
    Wait {
        operation: wait.side,
        port: names.port(process, wait.channel),
        channel: match &wait.label {
            Some(label) => label.to_string(),
            None => format!("channel {}", wait.channel.0),
        },
        with,
        more,
        lasted: names.lasted(wait.since),
    }
}

/// How many processes of a cycle an error names.
const SHOWN: usize = 12;

/// What the processes are told, who know from its kind that it is a deadlock: the cycle.
fn reason(cycle: &[String]) -> String {
    let shown = cycle.iter().take(SHOWN).map(String::as_str);
    let back = match cycle.len() {
        0 => return "nobody can receive the message that would end it".to_owned(),
        1..=SHOWN => cycle[0].as_str(),
        _ => "...",
    };
    let names: Vec<&str> = shown.chain([back]).collect();
    names.join(" -> ")
}

/// Poisons every channel at which a process of the deadlock waits.
pub(super) fn poison_waits(probes: &[Arc<dyn Inspect>], found: &Deadlock, poison: &Poison) {
    let by_id: HashMap<_, _> = probes.iter().map(|probe| (probe.id(), probe)).collect();
    for wait in found.stuck.iter().flat_map(|stuck| &stuck.waits) {
        if let Some(probe) = by_id.get(&wait.channel) {
            probe.poison(poison.clone());
        }
    }
}
