//! Attacks by way of channels: too many, ends that hold each other, and readers that don't read.

use std::time::{Duration, Instant};

use transputer::{ChannelOptions, HostReceiver, HostSender, Limits, Outcome, Usage, Verdict};
use transputer_tests::{input, output};

use crate::{Attack, hostile, only_failure};

#[test]
fn a_million_channels_are_as_many_as_it_may_open() {
    const MOST: u32 = 1_000;
    let (attack, told) = Attack::start(|host, network| {
        network
            .process("hoarder", &hostile(host, "hoarder"))
            .limits(Limits::default().channels(MOST));
        output(network, "hoarder.told")
    });
    let opened = told.receive().expect("it tells");
    let opened = u32::from_le_bytes(opened[..].try_into().expect("four bytes"));
    // Its port is an end, too.
    assert_eq!(opened, MOST - 1);
    assert!(attack.host.usage().channels >= u64::from(opened));
    drop(told);
    assert_eq!(attack.end().verdict(), Verdict::Succeeded);
}

#[test]
fn a_million_channels_one_by_one_leave_nothing() {
    let (attack, ()) = Attack::start(|host, network| {
        network.process("opener", &hostile(host, "opener"));
    });
    assert_eq!(attack.end().verdict(), Verdict::Succeeded);
}

/// A thousand times, so that what is kept shows.
#[test]
fn ends_that_were_sent_to_themselves_are_freed() {
    let (attack, ()) = Attack::start(|host, network| {
        network.process("attacker", &hostile(host, "sends_itself"));
    });
    assert_eq!(attack.end().verdict(), Verdict::Succeeded);
}

/// A thousand of them, while who made them goes on.
#[test]
fn cycles_of_ends_in_undelivered_messages_are_freed_while_the_network_runs() {
    let (mut attack, (told, go_on)) = sends_cycles();
    told.receive().expect("it makes them");
    attack.neighbours_finish();
    let patience = Instant::now() + Duration::from_secs(60);
    let left = || {
        let Usage {
            processes,
            channels,
            ends,
            messages,
            bytes,
            ..
        } = attack.host.usage();
        (processes, channels, ends, messages, bytes)
    };
    // Its two ports, and the program's ends of them.
    while left() != (1, 2, 4, 0, 0) {
        assert!(Instant::now() < patience, "{:?}", attack.host.usage());
        std::thread::yield_now();
    }
    go_on.send("enough").expect("it is still there");
    drop((told, go_on));
    assert_eq!(attack.end().verdict(), Verdict::Succeeded);
}

#[test]
fn cycles_of_ends_in_undelivered_messages_are_freed_with_the_network() {
    let (attack, ends) = sends_cycles();
    // Nobody listens, so it does not stay.
    drop(ends);
    assert_eq!(attack.end().verdict(), Verdict::Succeeded);
}

fn sends_cycles() -> (Attack, (HostReceiver, HostSender)) {
    Attack::start(|host, network| {
        network.process("attacker", &hostile(host, "sends_cycle"));
        (
            output(network, "attacker.told"),
            input(network, "attacker.go_on"),
        )
    })
}

/// Who sends to it waits; what waits in the channel is what it may hold.
#[test]
fn a_reader_that_never_reads_makes_nothing_grow() {
    const CAPACITY: usize = 8;
    const SIZE: usize = 1_000;
    let (attack, (messages, told)) = Attack::start(|host, network| {
        network.process("never_reads", &hostile(host, "never_reads"));
        let messages = network
            .input("never_reads.in", ChannelOptions::bounded(CAPACITY))
            .expect("it is a port");
        (messages, output(network, "never_reads.told"))
    });
    told.receive().expect("it is there");
    for _ in 0..CAPACITY {
        messages.send(vec![7; SIZE]).expect("there is room");
    }
    let flood = std::thread::spawn(move || {
        // It parks here until the end.
        while messages.send(vec![7; SIZE]).is_ok() {}
    });
    let mut attack = attack;
    attack.neighbours_finish();
    let usage = attack.host.usage();
    assert_eq!(usage.messages, CAPACITY as u64);
    assert_eq!(usage.bytes, (CAPACITY * SIZE) as u64);
    drop(told);
    attack.running.stop("the test is over");
    flood.join().expect("the channel ends");
    let report = attack.end();
    assert!(matches!(only_failure(&report), Outcome::Stopped(_)));
}
