//! Finding processes that wait for each other without end.

use std::collections::HashMap;
use std::sync::Mutex;

use transputer_core::ProcessId;
use transputer_core::channel::{Poison, PoisonKind};
use transputer_core::deadlock::{AwaitedEnd, find};

use super::state::{inspected, processes};

/// Looks for deadlocks among all processes, and poisons the channels of those that it finds: their
/// operations fail, as they do under a host.
pub(super) fn look() {
    static LOOKING: Mutex<()> = Mutex::new(());
    // Somebody else does.
    let Ok(_looking) = LOOKING.try_lock() else {
        return;
    };
    let inspected = inspected();
    let awaits = || {
        let living = processes();
        let awaited = living.iter().filter_map(|process| {
            let (target, ticket) = process.awaits()?;
            Some(AwaitedEnd::new(
                ProcessId(process.id),
                ProcessId(target),
                ticket,
            ))
        });
        awaited.collect::<Vec<_>>()
    };
    let by_id: HashMap<_, _> = inspected.iter().map(|it| (it.id(), it)).collect();
    for found in find(&inspected, awaits) {
        let poison = Poison::new(PoisonKind::Deadlock, reason(&found.cycle));
        for wait in found.stuck.iter().flat_map(|stuck| &stuck.waits) {
            if let Some(inspected) = by_id.get(&wait.channel) {
                inspected.poison(poison.clone());
            }
        }
    }
}

/// The cycle by names, as a host tells it.
fn reason(cycle: &[ProcessId]) -> String {
    let names: HashMap<u64, String> = processes()
        .iter()
        .map(|process| (process.id, process.name.clone()))
        .collect();
    let named = cycle.iter().chain(cycle.first()).map(|id| {
        let name = names.get(&id.0);
        name.map_or_else(|| format!("process {}", id.0), Clone::clone)
    });
    match named.collect::<Vec<_>>() {
        names if names.is_empty() => "nobody can receive the message that would end it".to_owned(),
        names => names.join(" -> "),
    }
}
