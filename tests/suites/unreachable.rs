//! Messages that nobody can ever receive are dropped while the network runs, and hide nothing.

use transputer::{Host, HostOptions, Limits, Verdict};
use transputer_tests::{guest_of, input, new_host, output};

/// Waits until the host has so many channels.
fn until_channels(host: &Host, count: u64) {
    while host.open_channels() != count {
        std::thread::yield_now();
    }
}

/// Ties knots in a network that runs on, and waits until they are gone.
fn knots(count: i64, width: i64, bytes: i64) {
    let host = new_host(HostOptions::default().max_processes(100));
    let mut network = host.network("knots");
    network
        .process("ties", &guest_of(&host, "ties_knots"))
        .argument("count", count)
        .argument("width", width)
        .argument("bytes", bytes);
    let tied = output(&mut network, "ties.tied");
    let go_on = input(&mut network, "ties.go_on");
    let running = network.start().expect("it starts");
    tied.receive().expect("it ties them");
    until_channels(&host, 2);
    let left = host.memory_in_use();
    assert!(left < 8 << 20, "{left} bytes are left");
    go_on.send_value(&()).expect("it runs on");
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    let messages = u64::try_from(count * width).expect("it is positive");
    assert_eq!((report.sent, report.dropped), (messages + 2, messages));
}

#[test]
fn a_channel_that_carries_its_own_end_is_freed() {
    knots(1, 1, 1 << 20);
}

#[test]
fn a_circle_of_channels_that_carry_each_others_ends_is_freed() {
    knots(1, 2, 1 << 20);
    knots(3, 50, 1 << 10);
}

#[test]
fn who_ties_knots_all_day_pays_for_them_himself() {
    // Far more than it may have open, or wait, at once.
    knots(50_000, 2, 1 << 10);
}

#[test]
fn a_long_chain_of_ends_is_dropped_without_a_deep_stack() {
    let host = new_host(HostOptions::default().max_processes(100));
    let mut network = host.network("nested");
    let depth = 200_000;
    network
        .process("nests", &guest_of(&host, "nests_deeply"))
        .argument("depth", i64::from(depth))
        .limits(Limits::default().channels(depth + 2).memory(256 << 20));
    let report = network.start().expect("it starts").wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    // Whoever looks for deadlocks may hold the first link, and drops the chain after its look.
    until_channels(&host, 0);
    while host.memory_in_use() != 0 {
        std::thread::yield_now();
    }
}

#[test]
fn an_end_that_nobody_can_get_at_is_closed() {
    let host = new_host(HostOptions::default().max_processes(100));
    let mut network = host.network("behind");
    network.process("waits", &guest_of(&host, "waits_behind_knot"));
    let closed = output(&mut network, "waits.closed");
    let go_on = input(&mut network, "waits.go_on");
    let running = network.start().expect("it starts");
    assert_eq!(closed.receive_value::<bool>().ok(), Some(true));
    until_channels(&host, 2);
    go_on.send_value(&()).expect("it runs on");
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}
