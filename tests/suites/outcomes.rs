//! The seven ways in which an operation ends without a message, each told apart by its type: from
//! a guest, and from the program that embeds the host.

use std::time::Duration;

use transputer::{
    ChannelOptions, HostReceiver, LimitKind, Limits, Network, Outcome, Peer, PoisonKind,
    ReceiveError, ReceiveTimeoutError, ReceiveValueError, Report, Restart, Totals, Verdict,
};
use transputer_tests::{guest, host, input, output};

const MEMORY: u64 = 8 << 20;

/// What feeds the port whose end is observed.
type Source = fn(&mut Network);

fn closes(network: &mut Network) {
    network
        .process("source", &guest("count"))
        .argument("limit", 0);
}

fn fails_memory(network: &mut Network) {
    network
        .process("source", &guest("exceeds_memory"))
        .argument("mebibytes", 100)
        .limits(Limits::default().memory(MEMORY));
}

/// What a guest says that has received from this source until there was an error.
fn told_by_guest(source: Source, port: &str, first: Option<u64>) -> String {
    let mut network = host().network("told");
    source(&mut network);
    network
        .process("tells", &guest("tells_outcome"))
        .argument("alone", false);
    network
        .connect(port, "tells.numbers", ChannelOptions::rendezvous())
        .expect("the ports fit");
    let feed = first.map(|first| (input(&mut network, "source.numbers"), first));
    let told = output(&mut network, "tells.told");
    let running = network.start().expect("it starts");
    if let Some((feed, first)) = &feed {
        feed.send_value(first).expect("the source receives");
    }
    let text = told.receive_value().expect("it tells");
    drop(feed);
    running.wait();
    text
}

/// What a guest says that receives from the test, which leaves the channel to `then`.
fn told_by_fed_guest(
    alone: bool,
    milliseconds: Option<i64>,
    then: fn(&transputer::HostSender),
) -> (String, Report) {
    let mut network = host().network("fed");
    let mut tells = network.process("tells", &guest("tells_outcome"));
    tells.argument("alone", alone);
    if let Some(milliseconds) = milliseconds {
        tells.argument("milliseconds", milliseconds);
    }
    let numbers = network
        .input("tells.numbers", ChannelOptions::bounded(1))
        .expect("it is free");
    let told = output(&mut network, "tells.told");
    let running = network.start().expect("it starts");
    then(&numbers);
    let text = told.receive_value().expect("it tells");
    drop(numbers);
    (text, running.wait())
}

/// What the embedding program gets that receives from this source until there is an error.
fn seen_by_host(source: Source, port: &str, first: Option<u64>) -> (ReceiveError, Report) {
    let mut network = host().network("seen");
    source(&mut network);
    let feed = first.map(|first| (input(&mut network, "source.numbers"), first));
    let out = output(&mut network, port);
    let running = network.start().expect("it starts");
    if let Some((feed, first)) = &feed {
        feed.send_value(first).expect("the source receives");
    }
    let error = first_error(&out);
    drop(feed);
    (error, running.wait())
}

fn first_error(out: &HostReceiver) -> ReceiveError {
    loop {
        if let Err(error) = out.receive() {
            return error;
        }
    }
}

fn kind(error: &ReceiveError) -> Option<PoisonKind> {
    match error {
        ReceiveError::Poisoned(poison) => Some(poison.kind),
        _ => None,
    }
}

#[test]
fn closed() {
    assert_eq!(told_by_guest(closes, "source.numbers", None), "closed");
    let (error, report) = seen_by_host(closes, "source.numbers", None);
    assert_eq!(error, ReceiveError::Closed);
    assert_eq!(report.verdict(), Verdict::Succeeded);
}

#[test]
fn poisoned_with_the_reason() {
    let poisons: Source = |network| {
        network
            .process("source", &guest("poisons"))
            .argument("limit", 0);
    };
    let reason = "5 is not below 0";
    let told = told_by_guest(poisons, "source.out", Some(5));
    assert_eq!(told, format!("poisoned: {reason}"));
    match seen_by_host(poisons, "source.out", Some(5)).0 {
        ReceiveError::Poisoned(poison) => {
            assert_eq!(poison.kind, PoisonKind::Poisoned);
            assert_eq!(&*poison.reason, reason);
        }
        other => panic!("expected poison, found {other:?}"),
    }
}

#[test]
fn peer_trapped() {
    let traps: Source = |network| {
        network.process("source", &guest("traps"));
    };
    assert_eq!(told_by_guest(traps, "source.out", Some(0)), "trapped");
    let (error, report) = seen_by_host(traps, "source.out", Some(0));
    assert_eq!(kind(&error), Some(PoisonKind::PeerTrapped));
    assert!(matches!(report.failures[0].outcome, Outcome::Trapped(_)));
}

#[test]
fn killed_by_the_host_with_the_limit() {
    let told = told_by_guest(fails_memory, "source.taken", None);
    assert_eq!(told, "killed: `source`, over its memory limit");
    let (error, report) = seen_by_host(fails_memory, "source.taken", None);
    assert_eq!(kind(&error), Some(PoisonKind::PeerKilled));
    let ReceiveError::Poisoned(poison) = &error else {
        panic!("expected poison, found {error:?}");
    };
    let peer = poison.cause::<Peer>().expect("a process did it");
    let failure = &report.failures[0];
    assert_eq!((&*peer.name, peer.id), ("source", failure.id));
    assert_eq!(peer.outcome, failure.outcome);
    match &failure.outcome {
        Outcome::Killed(overrun) => assert_eq!(overrun.limit, LimitKind::Memory),
        other => panic!("expected a kill, found {other:?}"),
    }
}

/// What a process tells of a child that takes too much memory.
fn told_of_a_child(limits: Limits, totals: Totals) -> Vec<String> {
    let mut network = host().network("greedy");
    network
        .process("parent", &guest("tells_end"))
        .limits(limits)
        .may_spawn("greedy", &guest("exceeds_memory"));
    network.totals(totals);
    let told = output(&mut network, "parent.told");
    let running = network.start().expect("it starts");
    let told = told.values().map_while(Result::ok).collect();
    running.wait();
    told
}

#[test]
fn a_guest_learns_which_limit_of_whom_which_process_went_over() {
    let limits = Limits::default().memory(MEMORY);
    assert_eq!(
        told_of_a_child(limits, Totals::default()),
        [
            "its name: true, its number: true, its end: true",
            "Memory of Process, 8388608 allowed, asked for more: true"
        ]
    );
    let totals = Totals::default().memory(2 * MEMORY);
    assert_eq!(
        told_of_a_child(Limits::default(), totals),
        [
            "its name: true, its number: true, its end: true",
            "Memory of Network, 16777216 allowed, asked for more: true"
        ]
    );
}

#[test]
fn undecodable() {
    let (told, _) = told_by_fed_guest(false, None, |numbers| {
        numbers.send(*b"\x61x").expect("there is room");
    });
    assert_eq!(told, "undecodable: u64");

    let mut network = host().network("undecodable");
    network
        .process("source", &guest("count"))
        .argument("limit", 1);
    let numbers = output(&mut network, "source.numbers");
    let running = network.start().expect("it starts");
    match numbers.receive_value::<String>() {
        Err(ReceiveValueError::Decode { payload, .. }) => assert_eq!(payload, "u64"),
        other => panic!("expected an undecodable message, found {other:?}"),
    }
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn timed_out() {
    let (told, report) = told_by_fed_guest(false, Some(1), |_| {});
    assert_eq!(told, "timed out");
    assert_eq!(report.verdict(), Verdict::Succeeded);

    let mut network = host().network("late");
    network.process("source", &guest("double"));
    let numbers = input(&mut network, "source.numbers");
    let doubled = output(&mut network, "source.doubled");
    let running = network.start().expect("it starts");
    let received = doubled.receive_timeout(Duration::from_millis(1));
    assert_eq!(received, Err(ReceiveTimeoutError::TimedOut));
    drop(numbers);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn deadlock() {
    // The process tells before it ends; the host has it in its report.
    let (told, report) = told_by_fed_guest(true, None, |_| {});
    assert_eq!(told, "deadlock");
    assert_eq!(report.verdict(), Verdict::Deadlocked);
    assert_eq!(report.deadlocks[0].cycle, ["tells"]);
}

/// What is told of the answers to five requests: the server answers the first, has the second and
/// its queue in its hands when it ends, and never knew of the last two.
fn told_of_answers(ending: &str, restart: Restart) -> Vec<String> {
    let mut network = host().network("requests");
    network
        .process("server", &guest("ends_over_requests"))
        .argument("ending", ending)
        .restart(restart)
        .limits(Limits::default().memory(MEMORY));
    network.process("client", &guest("queues_requests"));
    network
        .connect("client.queues", "server.queues", ChannelOptions::bounded(2))
        .expect("the ports fit");
    network
        .connect("client.ready", "server.ready", ChannelOptions::bounded(1))
        .expect("the ports fit");
    let told = output(&mut network, "client.told");
    let running = network.start().expect("it starts");
    let told = told.values().map_while(Result::ok).collect();
    running.wait();
    told
}

#[test]
fn requests_that_nobody_answers_tell_how_their_server_ended() {
    let given_up = Restart::on_failure().intensity(0, Duration::from_secs(1));
    for (ending, says) in [
        (
            "panic",
            "a process at the channel trapped: process `server` trapped: panicked at ",
        ),
        (
            "fail",
            "a process at the channel failed: process `server` failed: over a request",
        ),
        (
            "memory",
            "a process at the channel was killed: process `server` was killed: over its memory limit",
        ),
        ("return", "closed"),
    ] {
        for restart in [Restart::never(), given_up] {
            let told = told_of_answers(ending, restart);
            assert_eq!(
                (told.len(), told[0].as_str()),
                (5, "0"),
                "{ending}: {told:#?}"
            );
            for answer in &told[1..] {
                assert!(answer.starts_with(says), "{ending}, {restart:?}: {told:#?}");
            }
        }
    }
}
