//! Networks that go on only if the embedding program does something at certain channels.
//!
//! For a program that carries channels to other machines: it knows whether a message is under way to one of its ends,
//! and so whether processes that wait there, and those that wait for them, are stuck.

use std::hash::{DefaultHasher, Hash, Hasher};

use transputer_core::ChannelId;
use transputer_core::channel::{Poison, PoisonKind, Side};
use transputer_core::deadlock::{Deadlock, WaitsOn};

use super::deadlock::poison_waits;
use super::report::{DeadlockReport, StuckReport};
use super::running::Running;

/// A network in which every process waits, and none can go on unless the embedding program does something.
#[derive(Clone, Debug)]
pub struct Standstill {
    found: Vec<Deadlock>,
    /// Who waits for what.
    pub stuck: Vec<StuckReport>,
    /// The channels of the program at which processes wait, and what they wait to do there.
    pub waits_at: Vec<(ChannelId, Side)>,
    /// Another number whenever one of the processes has gone on meanwhile.
    pub mark: u64,
}

impl Standstill {
    fn waits(&self) -> impl Iterator<Item = &WaitsOn> {
        let stuck = self.found.iter().flat_map(|found| &found.stuck);
        stuck.flat_map(|stuck| &stuck.waits)
    }
}

impl Running {
    /// Whether every process waits, without a deadline, for something that only the program could do at one of these
    /// channels, or for another process that does. A network whose processes have ended stands still as well.
    ///
    /// Blocks as [`look`](Self::look) does.
    pub fn standstill(&self, channels: &[ChannelId]) -> Option<Standstill> {
        let (_, found) = (self.state).find_deadlocks_while(|channel| channels.contains(&channel));
        let stuck: usize = found.iter().map(|found| found.stuck.len()).sum();
        if stuck != self.state.living().len() {
            return None;
        }
        let reports = found
            .iter()
            .map(|found| self.state.deadlock_report(found))
            .flat_map(|report| report.stuck);
        let mut standstill = Standstill {
            stuck: reports.collect(),
            found,
            waits_at: Vec::new(),
            mark: 0,
        };
        let waits = standstill.waits().map(|wait| (wait.channel, wait.side));
        standstill.waits_at = waits.filter(|it| channels.contains(&it.0)).collect();
        let mut hasher = DefaultHasher::new();
        for found in standstill.found.iter().flat_map(|found| &found.stuck) {
            found.process.hash(&mut hasher);
        }
        for wait in standstill.waits() {
            (wait.channel, wait.ticket).hash(&mut hasher);
        }
        standstill.mark = hasher.finish();
        Some(standstill)
    }

    /// Reports that this standstill is part of a deadlock, of which others see the rest. `elsewhere` says who else is
    /// stuck, and waits for what.
    pub fn report_deadlock(&self, standstill: &Standstill, elsewhere: Vec<String>) {
        self.state.add_deadlock(DeadlockReport {
            stuck: standstill.stuck.clone(),
            more_stuck: 0,
            cycle: Vec::new(),
            more_in_cycle: 0,
            elsewhere,
        });
    }

    /// Poisons the channels at which the processes of a deadlock wait, so that they end instead of hanging.
    pub fn end_deadlock(&self, standstill: &Standstill) {
        let reason = "processes on several hosts wait for each other";
        let poison = Poison::new(PoisonKind::Deadlock, reason);
        let probes = self.state.probes();
        (standstill.found.iter()).for_each(|found| poison_waits(&probes, found, &poison));
    }
}
