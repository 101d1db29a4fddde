//! Attacks by going on in copies: what a process may use, it and its descendants use together.

use std::time::Duration;

use transputer::{
    Host, HostOptions, LimitKind, LimitOwner, Limits, Outcome, Overrun, Report, Totals,
};
use transputer_tests::{guest_of, new_host};

const MIB: u64 = 1 << 20;

fn host() -> Host {
    new_host(HostOptions::default().max_processes(64))
}

/// A process that goes on in copies, with limits for it, and for each copy if there are any.
fn forks(host: &Host, (way, depth): (&str, u32), limits: Limits, own: Limits) -> Report {
    let forks = guest_of(host, "forks");
    let mut network = host.network("forking");
    network
        .process("forks", &forks)
        .argument("way", way)
        .argument("depth", i64::from(depth))
        .limits(limits)
        .may_spawn_within("forks", &forks, own);
    network.start().expect("there is room").wait()
}

fn overrun(outcome: &Outcome) -> Option<&Overrun> {
    match outcome {
        Outcome::Killed(overrun) => Some(overrun),
        _ => None,
    }
}

/// No more than a tenth over.
fn assert_close(overrun: &Overrun) {
    let most = overrun.allowed + overrun.allowed / 10;
    assert!(overrun.asked <= most, "{overrun:?}");
}

#[test]
fn a_chain_of_copies_computes_no_longer_than_one() {
    let limits = Limits::default().cpu(Duration::from_secs(1));
    let report = forks(&host(), ("chain", 0), limits, Limits::default());
    assert!(report.processes > 1, "{report:?}");
    // The parent of the last one may not have ended yet.
    assert!((1..=2).contains(&report.failed), "{report:?}");
    for failure in &report.failures {
        let overrun = overrun(&failure.outcome).expect("it was killed");
        assert_eq!(
            (overrun.limit, overrun.owner),
            (LimitKind::Cpu, LimitOwner::Process)
        );
        assert_close(overrun);
    }
}

/// Its first process has ended long before.
#[test]
fn a_chain_of_copies_has_no_more_children_than_one() {
    let limits = Limits::default().children(1);
    let report = forks(&host(), ("chain", 0), limits, Limits::default());
    assert_eq!((report.processes, report.failed), (2, 1), "{report:?}");
    let text = report.failures[0].outcome.to_string();
    assert!(text.contains("its limit `children` = 1 allows"), "{text}");
}

#[test]
fn a_tree_of_copies_lives_no_longer_than_one() {
    let limits = Limits::default().wall(Duration::from_millis(500));
    let report = forks(&host(), ("stubborn", 0), limits, Limits::default());
    assert!(report.failed >= 64, "{report:?}");
    for failure in &report.failures {
        let overrun = overrun(&failure.outcome).expect("nobody gives up");
        assert_eq!(
            (overrun.limit, overrun.owner),
            (LimitKind::Wall, LimitOwner::Process)
        );
    }
}

#[test]
fn a_nest_of_copies_has_no_more_memory_than_one() {
    const DEPTH: u32 = 60;
    let limits = Limits::default().memory(8 * MIB);
    let report = forks(&host(), ("nest", DEPTH), limits, Limits::default());
    assert!(report.processes < u64::from(DEPTH), "{report:?}");
    assert_eq!(report.failed, report.processes, "{report:?}");
    // The innermost was refused one more, and the others tell why it failed.
    for failure in &report.failures {
        let text = failure.outcome.to_string();
        assert!(text.contains("over its memory limit"), "{text}");
    }
}

/// Those that are refused, or end at once, compute as well.
#[test]
fn the_computing_of_all_copies_counts_in_the_networks_total() {
    let host = host();
    let forks = guest_of(&host, "forks");
    let mut network = host.network("forking");
    network.totals(Totals::default().cpu(Duration::from_secs(1)).processes(50));
    network
        .process("forks", &forks)
        .argument("way", "stubborn")
        .argument("depth", 0_i64)
        .may_spawn("forks", &forks);
    let report = network.start().expect("there is room").wait();
    assert!(report.failed >= 50, "{report:?}");
    for failure in &report.failures {
        let overrun = overrun(&failure.outcome).expect("nobody gives up");
        assert_eq!(
            (overrun.limit, overrun.owner),
            (LimitKind::Cpu, LimitOwner::Network)
        );
        assert_close(overrun);
    }
}

#[test]
fn copies_with_limits_of_their_own_share_none() {
    let host = host();
    let two = Limits::default().children(2);
    let shared = forks(&host, ("nest", 3), two, Limits::default());
    assert_eq!((shared.processes, shared.failed), (3, 3), "{shared:?}");
    let own = forks(&host, ("nest", 3), two, two);
    assert_eq!((own.processes, own.failed), (4, 0), "{own:?}");
}
