//! The seven ways in which an operation ends without a message, each told apart by its type: from
//! a guest, and from the program that embeds the host.

use std::time::Duration;

use transputer::{
    ChannelError, ChannelOptions, HostReceiver, LimitKind, Limits, Network, Outcome, PoisonKind,
    ReceiveValueError, Report, Verdict,
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
        .limits(Limits {
            memory: Some(MEMORY),
            ..Limits::default()
        });
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
fn seen_by_host(source: Source, port: &str, first: Option<u64>) -> (ChannelError, Report) {
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

fn first_error(out: &HostReceiver) -> ChannelError {
    loop {
        if let Err(error) = out.receive() {
            return error;
        }
    }
}

fn kind(error: &ChannelError) -> Option<PoisonKind> {
    match error {
        ChannelError::Poisoned(poison) => Some(poison.kind),
        _ => None,
    }
}

#[test]
fn closed() {
    assert_eq!(told_by_guest(closes, "source.numbers", None), "closed");
    let (error, report) = seen_by_host(closes, "source.numbers", None);
    assert_eq!(error, ChannelError::Closed);
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
        ChannelError::Poisoned(poison) => {
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
    assert_eq!(told, "killed: memory");
    let (error, report) = seen_by_host(fails_memory, "source.taken", None);
    assert_eq!(kind(&error), Some(PoisonKind::PeerKilled));
    match &report.failures[0].outcome {
        Outcome::Killed(overrun) => assert_eq!(overrun.limit, LimitKind::Memory),
        other => panic!("expected a kill, found {other:?}"),
    }
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
    assert_eq!(received, Err(ChannelError::TimedOut));
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
