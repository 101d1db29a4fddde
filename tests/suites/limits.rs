//! Every limit holds, and going over it ends the process with an outcome that names the limit,
//! its value and the use.

use std::time::Duration;

use transputer::{
    ChannelOptions, Doing, Event, Host, HostOptions, Level, LimitKind, LimitOwner, Limits, Network,
    Outcome, Overrun, ProcessSettings, ReceiveError, Report, SpawnFault, Totals, Verdict,
};
use transputer_tests::{Events, guest, guest_of, host, input, new_host, output, run_alone};

const MIB: u64 = 1 << 20;

/// What a process was killed for.
fn overrun(outcome: &Outcome) -> &Overrun {
    match outcome {
        Outcome::Killed(overrun) => overrun,
        other => panic!("expected a kill, found {other:?}"),
    }
}

/// What the only failure of a network was killed for.
fn killed(report: &Report) -> &Overrun {
    assert_eq!(report.verdict(), Verdict::Failed, "{report:?}");
    assert_eq!(report.failed, 1, "{report:?}");
    overrun(&report.failures[0].outcome)
}

fn hoards(settings: &mut ProcessSettings<'_>, messages: u32, bytes: u32, rounds: u32) {
    settings
        .argument("messages", i64::from(messages))
        .argument("bytes", i64::from(bytes))
        .argument("rounds", i64::from(rounds));
}

/// A network of one process that lets messages wait; the last number that it said, and its end.
fn hoarding(
    host: &Host,
    (messages, bytes, rounds): (u32, u32, u32),
    memory: u64,
    totals: Totals,
) -> (Option<u64>, Report) {
    let mut network = host.network("hoarding");
    network.totals(totals);
    let mut settings = network.process("hoards", &guest_of(host, "hoards"));
    hoards(&mut settings, messages, bytes, rounds);
    settings.limits(Limits::default().memory(memory));
    let had = output(&mut network, "hoards.had");
    let running = network.start().expect("it starts");
    let last = had.values::<u64>().map_while(Result::ok).last();
    (last, running.wait())
}

#[test]
fn messages_that_wait_count_as_memory_of_who_sent_them() {
    let (had, report) = hoarding(host(), (1_000, 64 << 10, 1), 16 * MIB, Totals::default());
    assert_eq!(had, None, "64 MB do not fit");
    let overrun = killed(&report);
    assert_eq!(
        (overrun.limit, overrun.owner, overrun.allowed),
        (LimitKind::Memory, LimitOwner::Process, 16 * MIB)
    );
    assert!(overrun.asked > 16 * MIB && overrun.asked < 17 * MIB);
    let text = report.failures[0].outcome.to_string();
    assert!(text.contains("over its memory limit: asked for"), "{text}");
}

#[test]
fn messages_that_were_received_count_no_longer() {
    // 8 MB at a time, 80 MB in all.
    let (had, report) = hoarding(host(), (128, 64 << 10, 10), 16 * MIB, Totals::default());
    assert_eq!(had, Some(1_280));
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
}

#[test]
fn empty_messages_count_as_well() {
    let (had, report) = hoarding(host(), (1 << 20, 0, 1), 16 * MIB, Totals::default());
    assert_eq!(had, None, "a million places take more than 16 MiB");
    assert_eq!(killed(&report).limit, LimitKind::Memory);
}

/// A network of one process that calls by numbers; how many checks it made, and its end.
fn quick_calls(fill: bool) -> (Option<u64>, Report) {
    let mut network = host().network("quick");
    let mut settings = network.process("quick_calls", &guest("quick_calls"));
    settings
        .argument("fill", fill)
        .limits(Limits::default().memory(4 * MIB).message(8));
    let checks = output(&mut network, "quick_calls.checks");
    let running = network.start().expect("it starts");
    (checks.receive_value::<u64>().ok(), running.wait())
}

#[test]
fn calls_by_number_refuse_forged_numbers_wrong_lengths_and_large_messages() {
    let (checks, report) = quick_calls(false);
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    assert_eq!(checks, Some(16));
}

#[test]
fn batches_count_as_memory_of_who_sent_them() {
    let (checks, report) = quick_calls(true);
    assert_eq!(checks, Some(16));
    let overrun = killed(&report);
    assert_eq!(
        (overrun.limit, overrun.owner, overrun.allowed),
        (LimitKind::Memory, LimitOwner::Process, 4 * MIB)
    );
    // One message too many, of a byte.
    assert!(overrun.asked <= 4 * MIB + 65, "{overrun:?}");
}

#[test]
fn dropped_messages_count_no_longer() {
    // Nobody reads; the channel keeps two.
    let mut network = host().network("overflowing");
    let mut settings = network.process("count", &guest("count"));
    settings
        .argument("limit", 1_000_000_i64)
        .limits(Limits::default().memory(4 * MIB));
    let options = ChannelOptions::bounded(2).overflow(transputer::Overflow::DropOldest);
    let numbers = network
        .output("count.numbers", options)
        .expect("it is free");
    let report = network.start().expect("it starts").wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    assert_eq!(report.sent - report.dropped, 2);
    drop(numbers);
}

#[test]
fn a_networks_memory_is_for_all_of_its_processes() {
    let host = new_host(HostOptions::default().max_processes(100));
    let totals = Totals::default().memory(12 * MIB);
    let (had, report) = hoarding(&host, (1_000, 64 << 10, 1), 64 * MIB, totals);
    assert_eq!(had, None);
    let overrun = killed(&report);
    assert_eq!(
        (overrun.limit, overrun.owner, overrun.allowed),
        (LimitKind::Memory, LimitOwner::Network, 12 * MIB)
    );
    let text = report.failures[0].outcome.to_string();
    assert!(
        text.ends_with("allowed to all of its network together"),
        "{text}"
    );
    drop(report);
    assert_eq!(host.memory_in_use(), 0, "all is given back");
    // Whoever looks for deadlocks keeps a channel until it has looked.
    while host.open_channels() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_hosts_memory_is_for_all_of_its_networks() {
    let host = new_host(
        HostOptions::default()
            .max_memory(12 * MIB)
            .max_processes(100),
    );
    let mut waiting = host.network("waiting");
    waiting.process("parks", &guest_of(&host, "parks"));
    let wake = input(&mut waiting, "parks.input");
    let waiting = waiting.start().expect("it starts");
    let (_, report) = hoarding(&host, (1_000, 64 << 10, 1), 64 * MIB, Totals::default());
    let overrun = killed(&report);
    assert_eq!(
        (overrun.limit, overrun.owner, overrun.allowed),
        (LimitKind::Memory, LimitOwner::Host, 12 * MIB)
    );
    // The neighbour is none the worse, and there is room again.
    let (had, _) = hoarding(&host, (64, 64 << 10, 1), 64 * MIB, Totals::default());
    assert_eq!(had, Some(64));
    assert!(host.memory_in_use() > 0, "the neighbour has its memory");
    wake.send_value(&1_u64).expect("it waits");
    assert_eq!(waiting.wait().verdict(), Verdict::Succeeded);
    assert_eq!(host.memory_in_use(), 0);
}

#[test]
fn messages_outlive_their_sender_in_the_totals() {
    let host = new_host(HostOptions::default().max_processes(100));
    let mut network = host.network("left");
    network
        .process("count", &guest_of(&host, "count"))
        .argument("limit", 100_i64);
    let numbers = network
        .output("count.numbers", ChannelOptions::bounded(100))
        .expect("it is free");
    assert_eq!(network.start().expect("it starts").wait().failed, 0);
    let left = host.memory_in_use();
    assert!(
        (6_400..20_000).contains(&left),
        "{left} bytes for 100 numbers"
    );
    for n in 0..50_u64 {
        assert_eq!(numbers.receive_value::<u64>().ok(), Some(n));
    }
    assert!(host.memory_in_use() < left);
    drop(numbers);
    assert_eq!(host.memory_in_use(), 0);
}

/// How a process ends that waits like this, for an operation that may wait for 20 ms.
fn stalled(way: &str, milliseconds: Option<i64>) -> Report {
    let mut network = host().network("stalled");
    let mut settings = network.process("stalls", &guest("stalls"));
    settings
        .argument("way", way)
        .limits(Limits::default().operation(Duration::from_millis(20)));
    if let Some(milliseconds) = milliseconds {
        settings.argument("milliseconds", milliseconds);
    }
    // The program holds the other ends, so that there is no deadlock.
    let _never = input(&mut network, "stalls.never");
    let _nowhere = output(&mut network, "stalls.nowhere");
    network.start().expect("it starts").wait()
}

#[test]
fn an_operation_that_waits_for_too_long_ends_the_process() {
    for (way, own) in [
        ("send", None),
        ("receive", None),
        ("receive", Some(3_600_000)),
        ("alternation", None),
    ] {
        let report = stalled(way, own);
        let overrun = killed(&report);
        assert_eq!(overrun.limit, LimitKind::Operation, "{way}");
        assert_eq!(overrun.allowed, 20_000_000);
        assert!(overrun.asked >= overrun.allowed);
        let text = report.failures[0].outcome.to_string();
        assert!(text.contains("over its operation limit"), "{text}");
    }
}

#[test]
fn sleeping_and_short_waits_are_no_long_operations() {
    assert_eq!(stalled("sleep", Some(60)).verdict(), Verdict::Succeeded);
    // A thousand operations, each of which waits, last longer than one may.
    let mut network = host().network("short");
    let mut settings = network.process("stalls", &guest("double"));
    settings.limits(Limits::default().operation(Duration::from_secs(60)));
    let numbers = input(&mut network, "stalls.numbers");
    let doubled = output(&mut network, "stalls.doubled");
    let running = network.start().expect("it starts");
    for n in 0..1_000_u64 {
        numbers.send_value(&n).expect("it receives");
        assert_eq!(doubled.receive_value::<u64>().ok(), Some(2 * n));
    }
    drop(numbers);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn a_limit_that_is_far_away_hides_no_deadlock() {
    let mut network = host().network("far");
    let mut settings = network.process("stalls", &guest("stalls"));
    settings.argument("way", "barrier").limits(
        Limits::default()
            .operation(Duration::from_secs(3_600))
            .wall(Duration::from_secs(3_600)),
    );
    let never = input(&mut network, "stalls.never");
    let _nowhere = output(&mut network, "stalls.nowhere");
    let running = network.start().expect("it starts");
    // It has been looked at before it comes to its barrier, and will be again.
    while running
        .status()
        .first()
        .is_none_or(|process| process.doing == Doing::Running)
    {
        std::thread::yield_now();
    }
    never.send_value(&1_u64).expect("it waits");
    assert_eq!(running.wait().verdict(), Verdict::Deadlocked);
}

#[test]
fn logging_too_fast_ends_the_process() {
    let limits = Limits::default().log(100);
    let flood = |lines: i64| {
        run_alone("floods_log", |settings| {
            settings.argument("lines", lines).limits(limits);
        })
    };
    assert_eq!(flood(100), None, "as many as are allowed");
    let outcome = flood(10_000_000).expect("it is ended");
    let overrun = overrun(&outcome);
    assert_eq!(
        (overrun.limit, overrun.owner),
        (LimitKind::Log, LimitOwner::Process)
    );
    assert_eq!((overrun.allowed, overrun.asked), (100, 101));
    let text = "was killed: over its log limit: 101 lines in a second of 100 allowed";
    assert_eq!(outcome.to_string(), text);
}

/// How many channels a process gets, and what its network logs meanwhile.
fn opened(network: &mut Network, limits: Limits) -> (u64, Vec<String>) {
    network
        .process("opens", &guest("opens_channels"))
        .argument("most", 1_000_i64)
        .limits(limits);
    let events = Events::of(network);
    let opened = output(network, "opens.opened");
    let close = input(network, "opens.close");
    let network = std::mem::replace(network, host().network("done"));
    let running = network.start().expect("it starts");
    let count = opened.receive_value().expect("it says how many");
    close.send_value(&()).expect("it waits");
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    let list = events.list();
    let lines = list.iter().filter_map(|event| match event {
        Event::Log { level, line, .. } if *level == Level::Warn => Some(line.clone()),
        _ => None,
    });
    (count, lines.collect())
}

#[test]
fn channels_are_limited_by_process_and_by_network() {
    let own = Limits::default().channels(50);
    let (count, lines) = opened(&mut host().network("own"), own);
    // Each takes two of the ends that it may hold, and it holds two ports.
    assert_eq!(count, 49);
    assert_eq!(lines, Vec::<String>::new());

    let mut network = host().network("all");
    network.totals(Totals::default().channels(42));
    let (count, lines) = opened(&mut network, Limits::default());
    assert_eq!(count, 40, "two are the network's own");
    let expected = "cannot open a channel: over its channels limit: 43 channels of 42 allowed \
                    to all of its network together";
    assert_eq!(lines, [expected], "told once");
}

#[test]
fn a_network_with_more_channels_than_it_may_have_does_not_start() {
    let mut network = host().network("wide");
    network.totals(Totals::default().channels(1));
    network.process("double", &guest("double"));
    let _numbers = input(&mut network, "double.numbers");
    let _doubled = output(&mut network, "double.doubled");
    let error = network.start().expect_err("it has two");
    assert!(
        error.to_string().contains("over its channels limit"),
        "{error}"
    );
}

#[test]
fn a_networks_processes_are_counted() {
    let mut network = host().network("crowded");
    network.totals(Totals::default().processes(2));
    for name in ["one", "two", "three"] {
        network.process(name, &guest("no_ports"));
    }
    match network.start() {
        Err(transputer::Error::Spawn {
            reason: fault @ SpawnFault::Capacity { .. },
            ..
        }) => {
            let text = "0 processes run and 3 are to start, more than `processes` = 2 allows \
                        its network";
            assert_eq!(fault.to_string(), text);
        }
        other => panic!("expected no room, found {other:?}"),
    }
}

#[test]
fn a_networks_computing_is_counted_together() {
    let mut network = host().network("computing");
    network.totals(Totals::default().cpu(Duration::from_millis(50)));
    network.process("one", &guest("loops_forever"));
    network.process("two", &guest("loops_forever"));
    let started = [
        output(&mut network, "one.started"),
        output(&mut network, "two.started"),
    ];
    let running = network.start().expect("it starts");
    for started in &started {
        // One may be ended before the other has begun.
        let _ = started.receive();
    }
    let report = running.wait();
    assert_eq!(report.failed, 2);
    for failure in &report.failures {
        let overrun = overrun(&failure.outcome);
        assert_eq!(
            (overrun.limit, overrun.owner, overrun.allowed),
            (LimitKind::Cpu, LimitOwner::Network, 50_000_000)
        );
    }
}

#[test]
fn children_are_held_to_their_parents_limits() {
    // In virtual time nobody waits for so long before all are there.
    let host = new_host(HostOptions::default().seed(1));
    let mut network = host.network("inherited");
    let mut settings = network.process("spawner", &guest_of(&host, "spawner"));
    settings
        .argument("length", 3_i64)
        .argument("component", "stalls")
        .may_spawn("stalls", &guest_of(&host, "echo"))
        .limits(Limits::default().operation(Duration::from_millis(20)));
    let _lines = input(&mut network, "spawner.lines");
    let out = output(&mut network, "spawner.out");
    let report = network.start().expect("it starts").wait();
    assert_eq!(report.processes, 4);
    let over = report.failures.iter().filter(|failure| {
        matches!(&failure.outcome, Outcome::Killed(overrun) if overrun.limit == LimitKind::Operation)
    });
    let names: Vec<_> = over.map(|failure| failure.name.as_str()).collect();
    assert!(
        names.iter().any(|name| name.starts_with("link")),
        "{names:?}"
    );
    assert!(matches!(out.receive(), Err(ReceiveError::Poisoned(_))));
}
