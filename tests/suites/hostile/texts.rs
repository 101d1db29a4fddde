//! Attacks by way of texts that the host keeps: failures, reasons, reports.

use std::time::{Duration, Instant};

use transputer::{
    Backoff, ChannelOptions, Host, HostOptions, LimitKind, Limits, Network, Outcome, Report,
    Restart, Verdict,
};
use transputer_tests::new_host;

use crate::{assert_killed, hostile, only_failure};

const MIB: u64 = 1 << 20;

/// The longest text that the host keeps.
const LONGEST: usize = 4 << 10;

/// What the host counts for the text of a failure: with the process, as the reason of its channels and
/// its cause, and in the report.
const KEPT: u64 = 4 * LONGEST as u64;

/// A host on which everybody together has so much memory.
fn host(max_memory: u64) -> Host {
    new_host(
        HostOptions::default()
            .max_processes(64)
            .max_memory(max_memory),
    )
}

/// So that a text of 60 MiB is taken at all.
fn long() -> Limits {
    Limits::default().message(64 * MIB)
}

/// Runs a network, and says besides what the host has counted for it at its end.
fn run(host: &Host, wire: impl FnOnce(&mut Network)) -> (Report, u64) {
    let mut network = host.network("attacked");
    wire(&mut network);
    let running = network.start().expect("there is room");
    let report = running.wait();
    let kept = host.memory_in_use();
    drop(running);
    let patience = Instant::now() + Duration::from_secs(20);
    // Whoever looks for deadlocks may have the network for a moment.
    while host.memory_in_use() > 0 && Instant::now() < patience {
        std::thread::yield_now();
    }
    assert_eq!(host.memory_in_use(), 0, "all is given back");
    (report, kept)
}

/// So many bytes of texts. Handles of processes that have just ended may be on their way out: they are a
/// few entries of 64 bytes, less than any text.
fn assert_kept(kept: u64, texts: u64) {
    let most = texts + LONGEST as u64;
    assert!((texts..most).contains(&kept), "{kept} of {texts} bytes");
}

fn assert_cut(outcome: &Outcome) {
    match outcome {
        Outcome::Failed(text) => {
            assert_eq!(text.len(), LONGEST);
            assert!(
                text.ends_with("... (cut: 62914560 bytes)"),
                "{}",
                &text[4_000..]
            );
        }
        other => panic!("expected a failure, found {other:?}"),
    }
}

#[test]
fn a_failure_of_60_mebibytes_is_cut() {
    let host = host(128 * MIB);
    let (report, kept) = run(&host, |network| {
        network
            .process("fails", &hostile(&host, "failtext"))
            .limits(long());
    });
    assert_cut(only_failure(&report));
    assert_kept(kept, KEPT);
}

#[test]
fn failures_of_restarted_processes_stay_within_the_total() {
    const RESTARTS: u32 = 20;
    let host = host(64 * MIB);
    let (report, kept) = run(&host, |network| {
        let restart = Restart::on_failure()
            .intensity(RESTARTS, Duration::from_secs(600))
            .backoff(Backoff::none());
        network
            .process("fails", &hostile(&host, "failrestart"))
            .limits(long())
            .restart(restart);
    });
    assert_eq!(report.restarts, u64::from(RESTARTS));
    report
        .restarted
        .iter()
        .for_each(|it| assert_cut(&it.outcome));
    assert_cut(only_failure(&report));
    assert_kept(kept, (u64::from(RESTARTS) + 1) * KEPT);
}

#[test]
fn failures_of_children_stay_within_the_total() {
    let host = host(66 * MIB);
    let (report, kept) = run(&host, |network| {
        network
            .process("parent", &hostile(&host, "failparent"))
            .limits(long())
            .may_spawn("failtext", &hostile(&host, "failtext"));
    });
    assert_eq!(report.failed, 20, "{report:?}");
    report
        .failures
        .iter()
        .for_each(|it| assert_cut(&it.outcome));
    assert_kept(kept, 20 * KEPT);
}

/// Nor does it grow by what it is told.
#[test]
fn who_asks_for_a_reason_is_not_killed_by_its_length() {
    let host = host(128 * MIB);
    let (report, _) = run(&host, |network| {
        network
            .process("bad", &hostile(&host, "failpeer"))
            .limits(long());
        network
            .process("good", &hostile(&host, "askswhy"))
            .limits(Limits::default().memory(16 * MIB));
        network
            .connect("bad.out", "good.in", ChannelOptions::rendezvous())
            .expect("the ports fit");
    });
    assert_cut(only_failure(&report));
    assert_eq!(report.failures[0].name, "bad");
}

#[test]
fn reasons_count_for_who_gives_them() {
    let host = host(64 * MIB);
    let (report, _) = run(&host, |network| {
        for n in 1..=4 {
            network
                .process(&format!("p{n}"), &hostile(&host, "reasons"))
                .limits(Limits::default().memory(MIB));
        }
    });
    assert_eq!(report.failed, 4, "{report:?}");
    for failure in &report.failures {
        assert_killed(&failure.outcome, LimitKind::Memory);
    }
}

#[test]
fn a_report_keeps_so_many_deadlocks_and_counts_the_others() {
    let host = host(64 * MIB);
    let (report, _) = run(&host, |network| {
        network.process("waits", &hostile(&host, "deadlocks"));
    });
    assert_eq!(report.verdict(), Verdict::Deadlocked);
    assert_eq!(report.deadlocked, 150);
    assert_eq!(report.deadlocks.len(), Report::MOST_DEADLOCKS);
}
