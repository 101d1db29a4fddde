//! What processes are composed of and with: patience, children, helpers made of channels.

use transputer::{
    ChannelOptions, Host, HostOptions, HostReceiver, Network, Outcome, Running, Verdict,
};
use transputer_tests::{guest, guest_of, host, input, new_host, output, run};

/// Whether a process waits for an operation that is described like this.
fn is_waiting(running: &Running, process: &str, operation: &str) -> bool {
    running
        .status()
        .into_iter()
        .any(|status| status.name == process && status.doing.to_string().contains(operation))
}

#[test]
fn every_operation_can_run_out_of_patience_and_loses_nothing() {
    let mut network = host().network("impatient");
    network
        .process("patience", &guest("patience"))
        .argument("component", "waits")
        .may_spawn("waits", &guest("parks"));
    let numbers = network
        .output("patience.numbers", ChannelOptions::bounded(2))
        .expect("it is free");
    let checks = network
        .output("patience.checks", ChannelOptions::bounded(1))
        .expect("it is free");
    let running = network.start().expect("it starts");
    // It has given up on sending them, and goes on to what it waits for with the others.
    while !running.has_ended() && !is_waiting(&running, "patience", "`numbers`") {
        std::thread::yield_now();
    }
    let sent: Vec<u64> = numbers
        .values()
        .take(3)
        .map(|number| number.expect("a number"))
        .collect();
    assert_eq!(sent, [0, 1, 2]);
    assert_eq!(checks.receive_value::<u64>().ok(), Some(27));
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
}

#[test]
fn a_broadcast_reaches_every_subscriber_while_it_is_there() {
    let mut network = host().network("broadcast");
    network.process("source", &guest("broadcasts"));
    for (name, most, trap) in [("all", 10, None), ("few", 3, None), ("traps", 10, Some(5))] {
        let mut process = network.process(name, &guest("subscribes"));
        process.argument("most", most);
        if let Some(number) = trap {
            process.argument("trap", number);
        }
    }
    network
        .connect_many(
            &[
                "all.subscriptions",
                "few.subscriptions",
                "traps.subscriptions",
            ],
            &["source.subscriptions"],
            ChannelOptions::rendezvous(),
        )
        .expect("the ports fit");
    let numbers = input(&mut network, "source.numbers");
    let outs = ["all", "few", "traps"].map(|name| {
        network
            .output(&format!("{name}.out"), ChannelOptions::bounded(16))
            .expect("it is free")
    });
    let running = network.start().expect("it starts");
    for out in &outs {
        assert_eq!(
            out.receive_value::<u64>().ok(),
            Some(0),
            "it has subscribed"
        );
    }
    for number in 1..=10_u64 {
        numbers.send_value(&number).expect("the source receives");
    }
    drop(numbers);
    let [all, few, traps] = outs;
    for number in 1..=10_u64 {
        assert_eq!(all.receive_value::<u64>().ok(), Some(number));
    }
    let few: Vec<u64> = few.values().map_while(Result::ok).collect();
    assert_eq!(few, [1, 2, 3]);
    // Its channel was poisoned with what it held.
    assert!(traps.values::<u64>().any(|number| number.is_err()));
    let report = running.wait();
    assert_eq!(report.failed, 1, "{report:?}");
    assert_eq!(report.failures[0].name, "traps");
}

#[test]
fn a_server_outlives_its_clients() {
    let mut network = host().network("service");
    network.process("server", &guest("squares_server"));
    for (name, limit, trap) in [("a", 3, true), ("b", 5, false)] {
        network
            .process(name, &guest("squares_client"))
            .argument("limit", limit)
            .argument("trap", trap);
        network
            .connect(
                &format!("{name}.requests"),
                &format!("server.{name}"),
                ChannelOptions::rendezvous(),
            )
            .expect("the ports fit");
    }
    let squares = ["a", "b"].map(|name| output(&mut network, &format!("{name}.squares")));
    let lost = output(&mut network, "server.lost");
    let running = network.start().expect("it starts");
    let [a, b] = squares;
    let a: Vec<u64> = a.values().map_while(Result::ok).collect();
    assert_eq!(a, [0, 1, 4]);
    let b: Vec<u64> = b.values().map(|square| square.expect("a square")).collect();
    assert_eq!(b, [0, 1, 4, 9, 16, 25]);
    assert_eq!(lost.receive_value::<u64>().ok(), Some(1));
    let report = running.wait();
    assert_eq!(report.failed, 1, "{report:?}");
    assert_eq!(report.failures[0].name, "a");
}

#[test]
fn processes_run_in_parallel_and_in_sequence() {
    let mut network = host().network("composed");
    network
        .process("composes", &guest("composes"))
        .may_spawn("good", &guest("no_ports"))
        .may_spawn("bad", &guest("returns_err"))
        .may_spawn("waits", &guest("parks"));
    let told = output(&mut network, "composes.told");
    let running = network.start().expect("it starts");
    let told: Vec<String> = told.values().map(|text| text.expect("text")).collect();
    let unknown = "`unknown`: cannot spawn `unknown`: ";
    assert_eq!(told[0], "a b");
    assert_eq!(told[1], "c e |  | 1 of 3 processes failed: `d` failed: no");
    assert_eq!(
        told[2],
        " |  | 2 of 2 processes failed: `f` stopped: `g`, which ran in parallel, failed; \
         `g` failed: no"
    );
    assert!(
        told[3].starts_with(&format!("h |  | 1 of 2 processes failed: {unknown}")),
        "{}",
        told[3]
    );
    assert!(
        told[4].starts_with(&format!(" | i | 1 of 2 processes failed: {unknown}")),
        "{}",
        told[4]
    );
    assert_eq!(told[5], "j k");
    assert_eq!(told[6], "l | n | 1 of 3 processes failed: `m` failed: no");
    let report = running.wait();
    assert_eq!(report.failed, 4, "{report:?}");
}

/// A barrier, and as many members, which have so many phases to do, and trap before one.
fn barrier(host: &Host, name: &str, stays: bool, members: &[(i64, Option<i64>)]) -> Network {
    let mut network = host.network(name);
    network
        .process("opener", &guest_of(host, "opens_barrier"))
        .argument("count", members.len() as i64)
        .argument("stays", stays);
    let mut ports = Vec::new();
    for (number, (phases, trap)) in members.iter().enumerate() {
        let name = format!("member-{number}");
        let mut member = network.process(&name, &guest_of(host, "keeps_step"));
        member.argument("phases", *phases);
        if let Some(phase) = trap {
            member.argument("trap", *phase);
        }
        ports.push(format!("{name}.members"));
    }
    let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
    network
        .connect_many(&["opener.members"], &ports, ChannelOptions::rendezvous())
        .expect("the ports fit");
    network
}

/// Where a member tells the phases that it has begun.
fn began(network: &mut Network, member: usize) -> HostReceiver {
    network
        .output(
            &format!("member-{member}.began"),
            ChannelOptions::bounded(16),
        )
        .expect("it is free")
}

#[test]
fn a_barrier_keeps_its_members_in_step_until_they_resign() {
    let mut members = [(100, None); 10];
    members[..5].fill((50, None));
    let mut network = barrier(host(), "in step", false, &members);
    network.process("merge", &guest("double"));
    let began: Vec<String> = (0..10).map(|n| format!("member-{n}.began")).collect();
    let began: Vec<&str> = began.iter().map(String::as_str).collect();
    network
        .connect_many(&began, &["merge.numbers"], ChannelOptions::rendezvous())
        .expect("the ports fit");
    let doubled = output(&mut network, "merge.doubled");
    let running = network.start().expect("it starts");
    let order: Vec<u64> = doubled
        .values()
        .map(|phase| phase.expect("a phase"))
        .collect();
    let expected = (0..100).flat_map(|phase| {
        let members = if phase < 50 { 10 } else { 5 };
        std::iter::repeat_n(2 * phase, members)
    });
    assert!(order.iter().copied().eq(expected), "out of step: {order:?}");
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
}

#[test]
fn a_member_that_traps_poisons_its_barrier() {
    let members = [(10, None), (10, None), (10, Some(3))];
    let mut network = barrier(host(), "broken", false, &members);
    let began = [0, 1, 2].map(|member| began(&mut network, member));
    let report = run(network);
    for began in began {
        let phases: Vec<u64> = began.values().map_while(Result::ok).collect();
        assert!(phases.len() <= 3, "{phases:?}");
    }
    assert_eq!(report.failed, 3, "{report:?}");
    for failure in &report.failures {
        match &failure.outcome {
            Outcome::Trapped(_) => assert_eq!(failure.name, "member-2"),
            other => {
                let text = other.to_string();
                assert!(text.contains("process `member-2` trapped"), "{text}");
            }
        }
    }
}

#[test]
fn a_deadlock_at_a_barrier_is_named() {
    // A seeded host looks when nothing can go on. Another one may find the opener first, which waits for itself.
    let host = new_host(HostOptions::default().seed(1).max_processes(16));
    let mut network = barrier(&host, "stuck", true, &[(1, None), (1, None)]);
    let _began = [0, 1].map(|member| began(&mut network, member));
    let report = run(network);
    assert_eq!(report.verdict(), Verdict::Deadlocked, "{report:?}");
    let text = report.deadlocks[0].to_string();
    for named in [
        "deadlock of 3 processes",
        "`member-0` waits to meet with `opener` (channel `barrier opened by opener`)",
        "`member-1` waits to meet with `opener`",
        "`opener` waits to receive",
    ] {
        assert!(text.contains(named), "{text}");
    }
    for failure in &report.failures {
        let text = failure.outcome.to_string();
        assert!(text.contains("deadlock"), "{text}");
    }
}

#[test]
fn a_prepared_alternation_serves_a_whole_loop() {
    let mut network = host().network("prepared");
    network.process("prepared", &guest("prepared"));
    let numbers = input(&mut network, "prepared.numbers");
    let out = output(&mut network, "prepared.out");
    let running = network.start().expect("it starts");
    for number in 0..1_000_u64 {
        numbers.send_value(&number).expect("it is empty");
        assert_eq!(out.receive_value::<u64>().ok(), Some(number));
    }
    drop(numbers);
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
}
