//! How processes end, and that their end is theirs alone.

use std::time::Duration;

use transputer::{
    ChannelOptions, HostOptions, HostReceiver, LimitKind, Limits, Network, Outcome, PoisonKind,
    ReceiveError, Report, Trap, Verdict,
};
use transputer_tests::{Events, guest, guest_of, host, input, new_host, output};

/// The one failure of a network.
fn failure(report: &Report) -> &Outcome {
    assert_eq!(report.verdict(), Verdict::Failed, "{report:?}");
    assert_eq!(report.failed, 1, "{report:?}");
    &report.failures[0].outcome
}

fn trap(report: &Report) -> &Trap {
    match failure(report) {
        Outcome::Trapped(trap) => trap,
        other => panic!("expected a trap, found {other:?}"),
    }
}

/// A network of one process, which is given one number and sends none.
fn fed_with(name: &str, port: &str, out: &str, number: u64) -> (Report, HostReceiver) {
    let mut network = host().network(name);
    network.process(name, &guest(name));
    let numbers = input(&mut network, &format!("{name}.{port}"));
    let out = output(&mut network, &format!("{name}.{out}"));
    let running = network.start().expect("it starts");
    numbers.send_value(&number).expect("it receives");
    drop(numbers);
    (running.wait(), out)
}

/// A process that has told that it is about to compute without end.
fn looping(network: &mut Network, name: &str) -> HostReceiver {
    network.process(name, &guest("loops_forever"));
    output(network, &format!("{name}.started"))
}

#[test]
fn a_process_without_ports_runs_and_finishes() {
    let mut network = host().network("quiet");
    network.process("no_ports", &guest("no_ports"));
    let report = network.start().expect("it starts").wait();
    assert_eq!(report.verdict(), Verdict::Succeeded);
    assert_eq!((report.processes, report.failed), (1, 0));
}

#[test]
fn a_trap_keeps_its_reason_and_the_guest_frames() {
    let (report, out) = fed_with("traps", "numbers", "out", 0);
    let trap = trap(&report);
    assert!(trap.reason.contains("unreachable"), "{trap:?}");
    let named = trap
        .backtrace
        .iter()
        .any(|frame| frame.contains("process::abort"));
    assert!(named, "{trap:#?}");
    match out.receive() {
        Err(ReceiveError::Poisoned(poison)) => {
            assert_eq!(poison.kind, PoisonKind::PeerTrapped);
            assert!(poison.reason.contains("`traps`"), "{poison:?}");
        }
        other => panic!("expected poison, found {other:?}"),
    }
}

#[test]
fn a_panic_says_where_and_why() {
    let mut network = host().network("panics");
    network.process("panics", &guest("panics"));
    let indices = input(&mut network, "panics.indices");
    let _letters = output(&mut network, "panics.letters");
    let running = network.start().expect("it starts");
    indices.send_value(&26_u32).expect("it receives");
    let report = running.wait();
    let reason = &trap(&report).reason;
    assert!(reason.starts_with("panicked at "), "{reason}");
    assert!(reason.contains("panics.rs"), "{reason}");
    assert!(
        reason.contains("the len is 26 but the index is 26"),
        "{reason}"
    );
}

#[test]
fn a_returned_error_is_the_outcome_and_poisons() {
    let mut network = host().network("returns_err");
    network
        .process("returns_err", &guest("returns_err"))
        .argument("text", "out of luck");
    let _out = output(&mut network, "returns_err.out");
    let report = network.start().expect("it starts").wait();
    assert_eq!(failure(&report), &Outcome::Failed("out of luck".to_owned()));
}

#[test]
fn an_exhausted_stack_traps() {
    let (report, _out) = fed_with("exhausts_stack", "depths", "reached", u64::MAX);
    let reason = &trap(&report).reason;
    assert!(reason.contains("stack"), "{reason}");
}

#[test]
fn more_memory_than_the_limit_kills_and_names_the_limit() {
    let allowed = 8 << 20;
    let mut network = host().network("exceeds_memory");
    network
        .process("exceeds_memory", &guest("exceeds_memory"))
        .argument("mebibytes", 100_u64)
        .limits(Limits::default().memory(allowed));
    let taken = output(&mut network, "exceeds_memory.taken");
    let running = network.start().expect("it starts");
    let last = taken.values::<u64>().map_while(Result::ok).last();
    assert!(last.is_some_and(|last| (4..8).contains(&last)), "{last:?}");
    match failure(&running.wait()) {
        Outcome::Killed(overrun) => {
            assert_eq!(overrun.limit, LimitKind::Memory);
            assert_eq!(overrun.allowed, allowed);
            assert!(overrun.asked > allowed);
        }
        other => panic!("expected a kill, found {other:?}"),
    }
}

#[test]
fn a_memory_limit_that_the_host_cannot_keep_is_refused() {
    let mut network = host().network("greedy");
    network
        .process("parks", &guest("parks"))
        .limits(Limits::default().memory(1 << 40));
    let _input = input(&mut network, "parks.input");
    let error = network.start().expect_err("no process can have 1 TiB");
    assert!(error.to_string().contains("memory limit"), "{error}");
}

#[test]
fn computing_for_too_long_kills() {
    let mut network = host().network("computes");
    let started = looping(&mut network, "loops");
    network.process("other", &guest("no_ports"));
    let limited = Limits::default().cpu(Duration::from_millis(20));
    network
        .process("limited", &guest("loops_forever"))
        .limits(limited);
    let limited = output(&mut network, "limited.started");
    let running = network.start().expect("it starts");
    started.receive().expect("the unlimited one starts");
    // One that is slow to start may be over its limit before it has said so.
    let told = limited.iter().take_while(Result::is_ok).count();
    assert!(told <= 1, "it says so once");
    running.stop("the other would run for ever");
    let report = running.wait();
    let failures = report.failures.iter();
    let mut limited = failures.filter(|failure| failure.name == "limited");
    match limited.next().map(|failure| &failure.outcome) {
        Some(Outcome::Killed(overrun)) => assert_eq!(overrun.limit, LimitKind::Cpu),
        other => panic!("expected a kill, found {other:?}"),
    }
}

#[test]
fn lasting_too_long_kills_even_a_parked_process() {
    let mut network = host().network("patient");
    network
        .process("parks", &guest("parks"))
        .limits(Limits::default().wall(Duration::from_millis(20)));
    let _input = input(&mut network, "parks.input");
    match failure(&network.start().expect("it starts").wait()) {
        Outcome::Killed(overrun) => assert_eq!(overrun.limit, LimitKind::Wall),
        other => panic!("expected a kill, found {other:?}"),
    }
}

#[test]
fn endless_loops_on_every_worker_leave_the_neighbours_running() {
    let mut network = host().network("busy");
    let workers = host().workers();
    let loops: Vec<_> = (0..workers)
        .map(|worker| looping(&mut network, &format!("loops-{worker}")))
        .collect();
    network.process("double", &guest("double"));
    let numbers = input(&mut network, "double.numbers");
    let doubled = output(&mut network, "double.doubled");
    let running = network.start().expect("it starts");
    for started in &loops {
        started.receive().expect("each loop starts");
    }
    for number in 0..100_u64 {
        numbers.send_value(&number).expect("double receives");
        let twice: u64 = doubled.receive_value().expect("double sends");
        assert_eq!(twice, 2 * number);
    }
    drop(numbers);
    assert_eq!(doubled.receive(), Err(ReceiveError::Closed));
    // Its ends are closed a moment before it has ended.
    while running
        .status()
        .iter()
        .any(|process| process.name == "double")
    {
        std::thread::yield_now();
    }
    running.stop("the test is over");
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Stopped);
    assert_eq!(report.failed, workers as u64, "{report:?}");
}

#[test]
fn a_trap_ends_that_process_alone() {
    let mut network = host().network("mixed");
    network.process("traps", &guest("traps"));
    network.process("double", &guest("double"));
    let trigger = input(&mut network, "traps.numbers");
    let _never = output(&mut network, "traps.out");
    let numbers = input(&mut network, "double.numbers");
    let doubled = output(&mut network, "double.doubled");
    let running = network.start().expect("it starts");
    trigger.send_value(&0_u64).expect("traps receives");
    assert!(trigger.send_value(&0_u64).is_err());
    numbers.send_value(&4_u64).expect("double receives");
    assert_eq!(doubled.receive_value::<u64>().expect("double sends"), 8);
    drop(numbers);
    let report = running.wait();
    assert_eq!(report.failed, 1);
    assert_eq!(report.failures[0].name, "traps");
}

#[test]
fn a_thousand_processes_run_on_two_workers() {
    const LINKS: usize = 1_000;
    let host = new_host(HostOptions::default().workers(2));
    let double = guest_of(&host, "double");
    let mut network = host.network("chain");
    for link in 0..LINKS {
        network.process(&format!("double-{link}"), &double);
    }
    for link in 1..LINKS {
        let from = format!("double-{}.doubled", link - 1);
        let to = format!("double-{link}.numbers");
        network
            .connect(&from, &to, ChannelOptions::rendezvous())
            .expect("the ports fit");
    }
    let numbers = input(&mut network, "double-0.numbers");
    let doubled = output(&mut network, &format!("double-{}.doubled", LINKS - 1));
    let running = network.start().expect("it starts");
    for _ in 0..3 {
        numbers.send_value(&0_u64).expect("the chain receives");
        assert_eq!(doubled.receive_value::<u64>().expect("the chain sends"), 0);
    }
    assert_eq!(running.status().len(), LINKS);
    drop(numbers);
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    assert_eq!(report.processes, LINKS as u64);
}

#[test]
fn spawned_children_run_and_are_waited_for() {
    let mut network = host().network("family");
    network
        .process("spawner", &guest("spawner"))
        .argument("length", 10)
        .argument("component", "link")
        .may_spawn("link", &guest("echo"));
    let lines = input(&mut network, "spawner.lines");
    let out = output(&mut network, "spawner.out");
    let running = network.start().expect("it starts");
    lines.send("through ten").expect("the chain receives");
    assert_eq!(out.receive().as_deref(), Ok(&b"through ten"[..]));
    drop(lines);
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    assert_eq!(report.processes, 11);
}

#[test]
fn a_process_spawns_only_what_it_may() {
    let mut network = host().network("orphan");
    network
        .process("spawner", &guest("spawner"))
        .argument("length", 1)
        .argument("component", "link")
        .may_spawn("other", &guest("echo"));
    let _lines = input(&mut network, "spawner.lines");
    let _out = output(&mut network, "spawner.out");
    match failure(&network.start().expect("it starts").wait()) {
        Outcome::Failed(text) => {
            assert!(
                text.contains("`link`") && text.contains("`other`"),
                "{text}"
            );
        }
        other => panic!("expected a failure, found {other:?}"),
    }
}

#[test]
fn a_refused_spawn_gives_the_ends_back() {
    let mut network = host().network("refused");
    network
        .process("parent", &guest("spawn_refused"))
        .argument("component", "double")
        .may_spawn("double", &guest("double"));
    let numbers = input(&mut network, "parent.numbers");
    let texts = output(&mut network, "parent.texts");
    let running = network.start().expect("it starts");
    drop(numbers);
    let text: String = texts.receive_value().expect("the output came back");
    assert!(text.contains("texts") && text.contains("doubled"), "{text}");
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn the_end_of_a_child_can_be_awaited_and_monitored() {
    let mut network = host().network("watched");
    network
        .process("monitor", &guest("monitor"))
        .argument("component", "child")
        .may_spawn("child", &guest("no_ports"));
    let ended = output(&mut network, "monitor.ended");
    let running = network.start().expect("it starts");
    let told: Vec<String> = ended.values().map(|text| text.expect("text")).collect();
    assert_eq!(told, ["", "finished"]);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn a_child_holds_nothing_any_more_when_kill_returns() {
    let mut network = host().network("killing");
    network
        .process("kills", &guest("kills_then_sends"))
        .argument("times", 2_500)
        .argument("computing", 20)
        .may_spawn("parks", &guest("parks"))
        .may_spawn("loops_forever", &guest("loops_forever"));
    let told = output(&mut network, "kills.told");
    let running = network.start().expect("it starts");
    let told: Vec<String> = told.values().map_while(Result::ok).collect();
    let seen = "killed, monitor was stopped: enough, wait stopped: enough";
    assert_eq!(
        told,
        [
            format!("20 times: receive {seen}"),
            format!("10000 times: send {seen}")
        ]
    );
    assert_eq!(running.wait().failed, 10_020);
}

#[test]
fn stopping_a_network_ends_every_process() {
    let mut network = host().network("stopped");
    network.process("parks", &guest("parks"));
    let started = looping(&mut network, "loops");
    let _input = input(&mut network, "parks.input");
    let running = network.start().expect("it starts");
    started.receive().expect("the loop starts");
    running.stop("enough");
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Stopped);
    assert_eq!(report.stopped.as_deref(), Some("enough"));
    let enough = Outcome::Stopped("enough".to_owned());
    assert_eq!(report.failures.len(), 2);
    assert!(
        report
            .failures
            .iter()
            .all(|failure| failure.outcome == enough)
    );
}

#[test]
fn the_log_reaches_the_host() {
    let mut network = host().network("talkative");
    network.process("logs", &guest("logs"));
    let identity = output(&mut network, "logs.identity");
    let events = Events::of(&mut network);
    let running = network.start().expect("it starts");
    let (name, id): (String, u64) = identity.receive_value().expect("an identity");
    assert_eq!((name.as_str(), id), ("logs", 1));
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    let lines: Vec<String> = events
        .list()
        .iter()
        .filter_map(|event| match event {
            transputer::Event::Log {
                process,
                level,
                line,
            } => Some(format!("{process} {level}: {line}")),
            _ => None,
        })
        .collect();
    let levels = ["trace", "debug", "info", "warn", "error"];
    let mut expected: Vec<String> = levels
        .map(|level| format!("logs {level}: at level {level}"))
        .to_vec();
    expected.push("logs info: plain".to_owned());
    assert_eq!(lines, expected);
}

#[test]
fn a_sleep_lasts_at_least_as_long_as_asked() {
    let mut network = host().network("sleeper");
    network
        .process("sleeper", &guest("sleeper"))
        .argument("milliseconds", 20);
    let slept = output(&mut network, "sleeper.slept");
    let running = network.start().expect("it starts");
    assert!(slept.receive_value::<u64>().expect("a time") >= 20);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn who_lets_others_run_comes_after_all_that_are_ready() {
    let host = new_host(HostOptions::default().workers(1));
    let mut network = host.network("turns");
    for name in ["lets_others_run", "relays", "count", "beats"] {
        let mut process = network.process(name, &guest_of(&host, name));
        match name {
            "lets_others_run" => process.argument("rounds", 50_u64),
            "count" => process.argument("limit", u64::MAX),
            _ => &mut process,
        };
    }
    for (from, to, capacity) in [
        ("lets_others_run.to_woken", "relays.numbers", 1),
        ("relays.out", "lets_others_run.from_woken", 1),
        ("count.numbers", "lets_others_run.from_sender", 0),
        ("beats.beats", "lets_others_run.from_computing", 1),
    ] {
        let capacity = ChannelOptions::bounded(capacity);
        network.connect(from, to, capacity).expect("they fit");
    }
    let report = network.start().expect("it starts").wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
}

/// A stop takes them one after the other: most hear that their neighbours are gone before it has come to them.
#[test]
fn whoever_a_stop_ends_is_stopped_and_has_not_failed() {
    const LENGTH: u64 = 800;
    let mut network = host().network("chain");
    for number in 0..LENGTH {
        network.process(&format!("relay-{number}"), &guest("relays"));
    }
    for number in 1..LENGTH {
        let (from, to) = (number - 1, number);
        network
            .connect(
                &format!("relay-{from}.out"),
                &format!("relay-{to}.numbers"),
                ChannelOptions::rendezvous(),
            )
            .expect("they fit");
    }
    let first = input(&mut network, "relay-0.numbers");
    let last = output(&mut network, &format!("relay-{}.out", LENGTH - 1));
    let running = network.start().expect("it starts");
    first.send_value(&7_u64).expect("it receives");
    assert_eq!(last.receive_value::<u64>().expect("it is passed on"), 7);
    running.stop("enough");
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Stopped);
    assert_eq!(report.failed, LENGTH);
    for failure in &report.failures {
        assert_eq!(
            failure.outcome,
            Outcome::Stopped("enough".to_owned()),
            "{}",
            failure.name
        );
    }
}
