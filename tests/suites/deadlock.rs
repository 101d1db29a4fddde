//! Deadlock: whole and partial, named, and never a false alarm.

use std::time::Duration;

use transputer::{
    ChannelOptions, DeadlockReport, Event, HostOptions, HostReceiver, HostSender, Network, Verdict,
};
use transputer_tests::{Events, guest, guest_of, host, input, new_host, output};

/// Processes in a circle, each of which waits for the one before it.
fn circle(network: &mut Network, names: &[&str]) {
    for name in names {
        network.process(name, &guest("double"));
    }
    for (index, from) in names.iter().enumerate() {
        let to = names[(index + 1) % names.len()];
        network
            .connect(
                &format!("{from}.doubled"),
                &format!("{to}.numbers"),
                ChannelOptions::rendezvous(),
            )
            .expect("the ports fit");
    }
}

/// So many processes that answer the test.
fn answering(network: &mut Network, count: usize) -> Vec<(HostSender, HostReceiver)> {
    let mut ends = Vec::new();
    for number in 0..count {
        let name = format!("lively-{number}");
        network.process(&name, &guest("double"));
        let numbers = input(network, &format!("{name}.numbers"));
        ends.push((numbers, output(network, &format!("{name}.doubled"))));
    }
    ends
}

fn ask_all(ends: &[(HostSender, HostReceiver)]) {
    for (number, (numbers, doubled)) in (0..).zip(ends) {
        numbers.send_value::<u64>(&number).expect("it receives");
        let twice: u64 = doubled.receive_value().expect("it sends");
        assert_eq!(twice, 2 * number);
    }
}

fn deadlocks(events: &Events) -> Vec<DeadlockReport> {
    let list = events.list();
    let found = list.iter().filter_map(|event| match event {
        Event::Deadlock(report) => Some(report.clone()),
        _ => None,
    });
    found.collect()
}

fn wait_for_a_deadlock(events: &Events, mut meanwhile: impl FnMut()) -> DeadlockReport {
    loop {
        if let Some(report) = deadlocks(events).into_iter().next() {
            return report;
        }
        meanwhile();
        std::thread::yield_now();
    }
}

const FOUR: [&str; 4] = ["north", "east", "south", "west"];

fn names(report: &DeadlockReport) -> Vec<&str> {
    let stuck = report.stuck.iter();
    stuck.map(|stuck| stuck.process.as_str()).collect()
}

#[test]
fn four_of_forty_are_named_while_the_others_keep_answering() {
    let mut network = host().network("partly stuck");
    circle(&mut network, &FOUR);
    let lively = answering(&mut network, 36);
    let events = Events::of(&mut network);
    let running = network.start().expect("it starts");
    let report = wait_for_a_deadlock(&events, || ask_all(&lively));
    assert_eq!(names(&report), FOUR);
    assert_eq!(report.cycle.len(), 4);
    ask_all(&lively);
    drop(lively);
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Deadlocked);
    assert_eq!(
        (report.failed, report.deadlocks.len()),
        (4, 1),
        "{report:?}"
    );
}

#[test]
fn a_part_is_found_while_others_compute_without_end() {
    let mut network = host().network("busy and stuck");
    circle(&mut network, &FOUR);
    network.process("loops", &guest("loops_forever"));
    let started = output(&mut network, "loops.started");
    let events = Events::of(&mut network);
    let running = network.start().expect("it starts");
    started.receive().expect("the loop starts");
    let report = wait_for_a_deadlock(&events, || {});
    assert_eq!(names(&report), FOUR);
    running.stop("the loop would go on");
    assert_eq!(running.wait().deadlocks.len(), 1);
}

#[test]
fn who_waits_for_the_stuck_is_stuck_as_well() {
    let mut network = host().network("queue");
    circle(&mut network, &["first", "second"]);
    // A chain behind the circle: it will never get anything either.
    network.process("reader", &guest("selects"));
    network.process("late", &guest("late_reader"));
    network
        .connect("late.out", "reader.a", ChannelOptions::rendezvous())
        .expect("the ports fit");
    let go = input(&mut network, "late.go");
    let numbers = input(&mut network, "late.numbers");
    let other = input(&mut network, "reader.b");
    let _merged = output(&mut network, "reader.merged");
    let running = network.start().expect("it starts");
    // The test holds ends of these two: only the circle is stuck.
    while running.status().len() > 2 {
        std::thread::yield_now();
    }
    go.send_value(&()).expect("it still waits for this");
    drop((numbers, other));
    let report = running.wait();
    assert_eq!(report.deadlocks.len(), 1);
    assert_eq!(names(&report.deadlocks[0]), ["first", "second"]);
    assert_eq!(report.failed, 2, "{report:?}");
}

#[test]
fn a_parent_that_waits_for_a_stuck_child_is_named() {
    // Seeded, nobody looks before the parent waits, too: by itself the child is stuck already.
    let host = new_host(HostOptions::default().seed(1));
    let mut network = host.network("family");
    network
        .process("parent", &guest_of(&host, "monitor"))
        .argument("component", "child")
        .may_spawn("child", &guest_of(&host, "waits_for_itself"));
    let _ended = output(&mut network, "parent.ended");
    let report = network.start().expect("it starts").wait();
    assert_eq!(report.deadlocks.len(), 1, "{report:?}");
    let stuck = names(&report.deadlocks[0]);
    assert_eq!(stuck, ["parent", "child"]);
}

#[test]
fn a_channel_is_called_as_its_opener_says() {
    let mut network = host().network("naming");
    network.process("asker", &guest("names_channel"));
    let report = network.start().expect("it starts").wait();
    assert_eq!(report.deadlocks.len(), 1, "{report:?}");
    let waits = &report.deadlocks[0].stuck[0].waits;
    assert_eq!(waits[0].channel, "asker's questions");
}

#[test]
fn a_sleeper_is_no_deadlock() {
    let mut network = host().network("dreaming");
    network
        .process("sleeper", &guest("sleeper"))
        .argument("milliseconds", 30);
    network.process("double", &guest("double"));
    network
        .connect(
            "sleeper.slept",
            "double.numbers",
            ChannelOptions::rendezvous(),
        )
        .expect("the ports fit");
    let doubled = output(&mut network, "double.doubled");
    let running = network.start().expect("it starts");
    assert!(doubled.receive_value::<u64>().expect("it wakes up") >= 60);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn an_end_that_the_test_holds_is_no_deadlock() {
    let mut network = host().network("waiting for us");
    let ends = answering(&mut network, 2);
    let events = Events::of(&mut network);
    let running = network.start().expect("it starts");
    for (_, doubled) in &ends {
        assert!(doubled.receive_timeout(Duration::from_millis(20)).is_err());
    }
    ask_all(&ends);
    assert!(deadlocks(&events).is_empty());
    drop(ends);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}
