//! Which of a part's processes send everything once, even where another host takes over.

use std::collections::BTreeMap;
use std::sync::Arc;

use transputer::parts::Part;
use transputer::plan::{Plan, PlannedProcess};
use transputer::policies::Unfinished;
use transputer::{Event, HostReceiver};
use transputer_reach::{Origins, Outlet};

use super::process_of;

/// Those that say so, while their ports are being wired.
pub(super) struct Once {
    processes: BTreeMap<String, Origins>,
    outlets: BTreeMap<usize, (String, usize)>,
}

/// The same when all their outputs are known.
#[derive(Clone)]
pub(super) struct ReadyOnce {
    processes: BTreeMap<String, Arc<Origins>>,
    outlets: BTreeMap<usize, (String, usize)>,
}

impl Once {
    pub(super) fn of(plan: &Plan, part: &Part) -> Self {
        let processes = part.processes.iter().map(|index| &plan.processes[*index]);
        let once = |it: &&PlannedProcess| it.restart.unfinished == Unfinished::RedeliverOnce;
        let processes = processes.filter(once);
        Self {
            processes: processes
                .map(|it| (it.name.clone(), Origins::default()))
                .collect(),
            outlets: BTreeMap::new(),
        }
    }

    /// A port, and which of the part's outlets it has.
    pub(super) fn output(&mut self, port: &str, outlet: usize, receiver: &HostReceiver) {
        let process = process_of(port);
        if let Some(origins) = self.processes.get_mut(process) {
            let statistics = receiver.statistics_later();
            let output = origins.output(move || statistics().received);
            self.outlets.insert(outlet, (process.to_owned(), output));
        }
    }

    pub(super) fn ready(self) -> ReadyOnce {
        let processes = self.processes.into_iter();
        ReadyOnce {
            processes: processes
                .map(|(name, origins)| (name, Arc::new(origins)))
                .collect(),
            outlets: self.outlets,
        }
    }
}

impl ReadyOnce {
    pub(super) fn of_input(&self, port: &str) -> Option<Arc<Origins>> {
        self.processes.get(process_of(port)).cloned()
    }

    pub(super) fn know_again(&self, index: usize, outlet: Outlet) -> Outlet {
        let known = self.outlets.get(&index);
        let origins =
            known.and_then(|(name, output)| Some((self.processes.get(name)?.clone(), *output)));
        match origins {
            Some((origins, output)) => outlet.know_again(origins, output),
            None => outlet,
        }
    }

    /// A process that is restarted here answers its last message again.
    pub(super) fn note(&self, event: &Event) {
        if let Event::Restarting(report) = event
            && let Some(origins) = self.processes.get(&report.name)
        {
            origins.again();
        }
    }
}
