//! Restarts: when, how often, after how long; and what becomes of channels meanwhile.

use std::time::Duration;

use transputer::{
    Backoff, ChannelOptions, Event, Group, Host, HostOptions, LimitKind, Limits, Network, Outcome,
    PoisonKind, ReceiveError, Report, Restart, RestartPolicy, Strategy, TryReceiveError,
    Unfinished, Verdict,
};
use transputer_tests::{
    Crashing, FAIL, MINUTE, PANIC, RETURN, at_once, guest, guest_of, host, input, new_host, output,
};

/// The outcomes for which a network's processes were restarted.
fn reasons(report: &Report) -> Vec<&Outcome> {
    let restarted = report.restarted.iter();
    restarted.map(|restart| &restart.outcome).collect()
}

fn is_panic(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Trapped(trap) if trap.reason.contains("a bad number"))
}

#[test]
fn without_a_policy_a_failure_is_final() {
    for restart in [Restart::never(), Restart::default()] {
        let crashing = Crashing::start(restart);
        crashing.send(PANIC);
        let poison = match crashing.out.receive() {
            Err(ReceiveError::Poisoned(poison)) => poison,
            other => panic!("expected poison, found {other:?}"),
        };
        assert_eq!(poison.kind, PoisonKind::PeerTrapped);
        let report = crashing.end();
        assert_eq!((report.failed, report.restarts), (1, 0));
    }
}

#[test]
fn on_failure_a_process_is_restarted_and_its_channels_stay() {
    let crashing = Crashing::start(at_once());
    crashing.passes(1);
    crashing.send(PANIC);
    crashing.passes(2);
    crashing.send(FAIL);
    crashing.passes(3);
    let status = crashing.running.status();
    assert_eq!(status[0].name, "worker");
    assert_eq!(status[0].incarnation, 3);
    let report = crashing.end();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    assert_eq!((report.processes, report.restarts), (1, 2));
    assert!(is_panic(reasons(&report)[0]), "{report:?}");
    let failed = Outcome::Failed("no such number".to_owned());
    assert_eq!(reasons(&report)[1], &failed);
}

#[test]
fn on_failure_a_clean_return_is_final() {
    let crashing = Crashing::start(at_once());
    crashing.send(RETURN);
    assert_eq!(crashing.out.receive(), Err(ReceiveError::Closed));
    let report = crashing.end();
    assert_eq!((report.verdict(), report.restarts), (Verdict::Succeeded, 0));
}

#[test]
fn always_restarts_after_a_clean_return_until_the_input_ends() {
    let restart = at_once().policy(RestartPolicy::Always);
    let crashing = Crashing::start(restart);
    for number in 0..5 {
        crashing.passes(number);
        crashing.send(RETURN);
    }
    crashing.send(PANIC);
    crashing.passes(6);
    let report = crashing.end();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    let finished = reasons(&report)
        .into_iter()
        .filter(|outcome| outcome.is_finished());
    assert_eq!((finished.count(), report.restarts), (5, 6));
}

#[test]
fn the_events_tell_of_each_restart_with_its_incarnation() {
    let crashing = Crashing::start(at_once());
    crashing.send(PANIC);
    crashing.passes(1);
    let events = crashing.events.clone();
    let report = crashing.end();
    let told: Vec<String> = events
        .list()
        .iter()
        .filter_map(|event| match event {
            Event::Restarting(restart) => Some(format!(
                "{} {} ends {}",
                restart.name,
                restart.incarnation,
                is_panic(&restart.outcome)
            )),
            Event::Restarted {
                process,
                incarnation,
                id,
            } => Some(format!("{process} {incarnation} starts as {}", id.0)),
            Event::Ended(ended) => Some(format!("{} after {}", ended.name, ended.restarts)),
            _ => None,
        })
        .collect();
    let expected = [
        "worker 1 ends true",
        "worker 2 starts as 2",
        "worker after 1",
    ];
    assert_eq!(told, expected);
    assert_eq!(report.restarts, 1);
    let json = serde_json::to_value(&report).expect("a report is an object");
    assert_eq!(json["restarts"], 1);
    assert_eq!(json["restarted"][0]["name"], "worker");
}

#[test]
fn more_restarts_than_the_intensity_end_it_with_its_last_outcome() {
    let crashing = Crashing::start(at_once().intensity(2, MINUTE));
    crashing.send(PANIC);
    crashing.send(FAIL);
    crashing.passes(1);
    crashing.send(PANIC);
    match crashing.out.receive() {
        Err(ReceiveError::Poisoned(poison)) => assert_eq!(poison.kind, PoisonKind::PeerTrapped),
        other => panic!("expected poison, found {other:?}"),
    }
    let report = crashing.end();
    assert_eq!((report.failed, report.restarts), (1, 2));
    let failure = &report.failures[0];
    assert!(is_panic(&failure.outcome), "{failure:?}");
    assert_eq!(failure.restarts, 2);
    let why = failure.gave_up.as_deref().expect("a reason");
    assert_eq!(
        why,
        "restarted 2 times within 60s, as often as its `intensity` allows"
    );
}

/// A host in virtual time, and a process on it that crashes whenever it starts.
fn crashes_at_once(seed: u64, restart: Restart) -> (Host, Network) {
    let host = new_host(HostOptions::default().seed(seed).max_processes(10));
    let mut network = host.network("crashes at once");
    network
        .process("worker", &guest_of(&host, "returns_err"))
        .argument("text", "again")
        .restart(restart);
    (host, network)
}

/// The waits before its restarts, until the supervisor gives up.
fn waits(restart: Restart) -> Vec<u128> {
    let (_host, mut network) = crashes_at_once(7, restart);
    let out = output(&mut network, "worker.out");
    let report = network.start().expect("it starts").wait();
    drop(out);
    assert_eq!(report.failed, 1, "{report:?}");
    let restarted = report.restarted.iter();
    restarted.map(|restart| restart.wait.as_millis()).collect()
}

#[test]
fn the_backoff_grows_in_virtual_time() {
    let began = std::time::Instant::now();
    let restart = Restart::on_failure()
        .intensity(6, 60 * MINUTE)
        .backoff(Backoff::exponential(MINUTE / 6, 3, 5 * MINUTE));
    let waited = waits(restart);
    assert_eq!(waited, [10_000, 30_000, 90_000, 270_000, 300_000, 300_000]);
    assert!(began.elapsed() < 10 * MINUTE, "the waits were real");
}

#[test]
fn restarts_outside_the_period_do_not_count() {
    // Each wait is longer than the period, so two restarts never fall into one; the row of
    // waits grows to the maximum, and only a stop ends it.
    let restart = Restart::on_failure()
        .intensity(1, Duration::from_secs(1))
        .backoff(Backoff::constant(Duration::from_secs(2)));
    let (_host, mut network) = crashes_at_once(3, restart);
    let out = output(&mut network, "worker.out");
    let (enough, told) = std::sync::mpsc::channel();
    network.on_event(move |event| {
        if let Event::Restarted {
            incarnation: 20, ..
        } = event
        {
            // The network may have been stopped already.
            let _ = enough.send(());
        }
    });
    let running = network.start().expect("it starts");
    told.recv().expect("twenty incarnations");
    running.stop("enough");
    let report = running.wait();
    drop(out);
    assert!(report.restarts >= 19, "{report:?}");
    assert_eq!(report.verdict(), Verdict::Stopped);
}

#[test]
fn a_peer_that_waits_across_a_restart_gets_its_message() {
    let crashing = Crashing::start(at_once());
    let out = crashing.out;
    let reader = std::thread::spawn(move || out.receive_value::<u64>());
    crashing.numbers.send_value(&PANIC).expect("it is received");
    crashing.numbers.send_value(&5_u64).expect("it is received");
    let read = reader.join().expect("no panic");
    assert_eq!(read.expect("a number"), 5);
    drop(crashing.numbers);
    assert_eq!(crashing.running.wait().restarts, 1);
}

#[test]
fn an_end_that_the_process_closed_stays_closed() {
    let mut network = host().network("closing");
    network
        .process("worker", &guest("closes_then_crashes"))
        .restart(at_once());
    let numbers = input(&mut network, "worker.numbers");
    let out = output(&mut network, "worker.out");
    let told = output(&mut network, "worker.told");
    let running = network.start().expect("it starts");
    let heard = |number: u64| {
        numbers.send_value(&number).expect("it is received");
    };
    heard(2);
    assert_eq!(out.receive_value::<u64>().expect("a number"), 2);
    assert_eq!(told.receive_value::<String>().expect("a text"), "sent");
    heard(1);
    assert_eq!(out.receive(), Err(ReceiveError::Closed));
    heard(2);
    let text: String = told.receive_value().expect("a text");
    assert!(text.contains("closed"), "{text}");
    drop(numbers);
    assert_eq!(running.wait().restarts, 1);
}

#[test]
fn always_keeps_ends_over_a_clean_return_but_not_those_closed_aloud() {
    let mut network = host().network("returning");
    let restart = at_once().policy(RestartPolicy::Always);
    network
        .process("worker", &guest("closes_and_returns"))
        .restart(restart);
    let numbers = input(&mut network, "worker.numbers");
    let out = output(&mut network, "worker.out");
    let last = output(&mut network, "worker.last");
    let running = network.start().expect("it starts");
    for number in [5_u64, 6, 1, 7] {
        numbers.send_value(&number).expect("it is received");
        assert_eq!(out.receive_value::<u64>().expect("a number"), number);
        let closed = last.try_receive() == Err(TryReceiveError::Closed);
        if number != 1 {
            assert_eq!(closed, number == 7, "after {number}");
        }
    }
    drop(numbers);
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
}

#[test]
fn mistakes_in_the_wiring_are_named() {
    let mut network = host().network("mistaken");
    network.process("worker", &guest("crashes")).restart(
        Restart::on_failure()
            .unfinished(Unfinished::DeadLetter)
            .attempts(0),
    );
    let _numbers = input(&mut network, "worker.numbers");
    let _out = output(&mut network, "worker.out");
    let members = ["worker", "wroker", "worker"];
    network.group(Group::new("g", Strategy::OneForAll, members));
    let error = network.start().expect_err("it cannot start").to_string();
    for part in [
        "there is no process `wroker`",
        "in two groups, or twice in one",
        "no dead letters",
        "`attempts` cannot be 0",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_process_over_its_limit_is_restarted_too() {
    let mut network = host().network("limited");
    network
        .process("worker", &guest("loops_forever"))
        .limits(Limits::default().wall(Duration::from_millis(20)))
        .restart(at_once().intensity(2, MINUTE));
    let started = output(&mut network, "worker.started");
    let running = network.start().expect("it starts");
    let starts = started.iter().take_while(Result::is_ok).count();
    let report = running.wait();
    // One that is slow to start may be over its limit before it has said so.
    assert!(starts <= 3, "{report:?}");
    assert_eq!((report.restarts, report.failed), (2, 1));
    let killed = |outcome: &Outcome| matches!(outcome, Outcome::Killed(overrun) if overrun.limit == LimitKind::Wall);
    assert!(reasons(&report).into_iter().all(killed), "{report:?}");
}

#[test]
fn a_stop_does_not_wait_for_a_restart() {
    let hour = Backoff::constant(60 * MINUTE);
    let crashing = Crashing::start(at_once().backoff(hour));
    crashing.send(PANIC);
    while crashing.running.status()[0].doing != transputer::Doing::Down {
        std::thread::yield_now();
    }
    crashing.running.stop("enough");
    let report = crashing.end();
    assert_eq!(report.verdict(), Verdict::Stopped);
    assert!(is_panic(&report.failures[0].outcome), "{report:?}");
}

#[test]
fn who_waits_for_a_process_that_is_down_is_in_no_deadlock() {
    for seed in 0..5 {
        let host = new_host(HostOptions::default().seed(seed).max_processes(10));
        let hour = Backoff::constant(60 * MINUTE);
        let mut network = host.network("patient");
        network
            .process("count", &guest_of(&host, "count"))
            .argument("limit", 1001_u64);
        network
            .process("worker", &guest_of(&host, "crashes"))
            .restart(at_once().intensity(5, 600 * MINUTE).backoff(hour));
        network.process("sum", &guest_of(&host, "sum"));
        let rendezvous = ChannelOptions::rendezvous();
        network
            .connect("count.numbers", "worker.numbers", rendezvous)
            .expect("it fits");
        network
            .connect("worker.out", "sum.numbers", rendezvous)
            .expect("it fits");
        let total = network
            .output("sum.total", ChannelOptions::bounded(1))
            .expect("it fits");
        let report = network.start().expect("it starts").wait();
        assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
        assert_eq!(report.restarts, 2);
        // All below 1000, but for the two that it crashed over.
        let sum = 499_500 - PANIC - FAIL;
        assert_eq!(total.receive_value::<u64>().expect("a sum"), sum);
    }
}
