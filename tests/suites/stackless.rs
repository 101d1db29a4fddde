//! Processes that are async functions: `tests/guests-stackless`. A host runs their components by their core
//! modules, or not at all.

use std::time::Duration;

use transputer::{
    ChannelOptions, Event, HostOptions, LimitKind, Limits, Network, OutOfPatience, Outcome,
    Replace, ReplaceError, Report, Verdict,
};
use transputer_tests::{
    Events, guest, guest_of, host, input, is_asynchronous, new_host, output, until_nothing_is_held,
};

/// A network, where core modules are run at all.
fn network(name: &str) -> Option<Network> {
    let possible = std::env::var_os("TRANSPUTER_CORE_MODULES").is_none_or(|it| it != "0");
    possible.then(|| host().network(name))
}

fn failure(report: &Report) -> &Outcome {
    assert_eq!(report.failures.len(), 1, "{report:?}");
    &report.failures[0].outcome
}

#[test]
fn a_pipeline_of_both_forms_computes_primes() {
    let Some(mut network) = network("primes") else {
        return;
    };
    assert!(guest("task_filters").is_stackless());
    assert_eq!(guest("count").is_stackless(), is_asynchronous());
    network
        .process("count", &guest("count"))
        .argument("limit", 1_000_u64);
    let mut from = "count.numbers".to_owned();
    for prime in [2_u64, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31] {
        let name = format!("filter{prime}");
        network
            .process(&name, &guest("task_filters"))
            .argument("prime", prime);
        let capacity = if prime % 4 == 1 { 0 } else { 16 };
        network
            .connect(
                &from,
                &format!("{name}.candidates"),
                ChannelOptions::bounded(capacity),
            )
            .expect("the ports fit");
        from = format!("{name}.survivors");
    }
    network.process("sum", &guest("sum"));
    network
        .connect(&from, "sum.numbers", ChannelOptions::bounded(4))
        .expect("the ports fit");
    let total = output(&mut network, "sum.total");
    let running = network.start().expect("it starts");
    // What no prime up to 31 divides, below the square of 37.
    let is_prime = |n: u64| (2..n).all(|d| !n.is_multiple_of(d));
    let expected: u64 = 1 + (37..1_000).filter(|n| is_prime(*n)).sum::<u64>();
    let sum: u64 = total.receive_value().expect("a sum");
    assert_eq!(sum, expected);
    drop(total);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn texts_of_all_sizes_pass() {
    let Some(mut network) = network("echo") else {
        return;
    };
    network.process("echo", &guest("task_echoes"));
    let texts = input(&mut network, "echo.texts");
    let echoes = output(&mut network, "echo.echoes");
    let running = network.start().expect("it starts");
    for length in [0_usize, 1, 15, 16, 17, 1_000, 70_000, 1 << 20] {
        let text = "é".repeat(length);
        texts.send_value(&text).expect("it receives");
        let echo: String = echoes.receive_value().expect("it sends");
        assert_eq!(echo, text);
    }
    drop(texts);
    assert!(echoes.receive().is_err());
    drop(echoes);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

/// 100,000 receives are given up while numbers come, and none of these is lost.
#[test]
fn what_was_given_up_is_received_later() {
    const NUMBERS: u64 = 5_000;
    for (capacity, cancelled) in [(0, 100_000_u64), (1, 1_000), (64, 1_000)] {
        let Some(mut network) = network("cancels") else {
            return;
        };
        network
            .process("count", &guest("count"))
            .argument("limit", NUMBERS);
        network
            .process("cancels", &guest("task_cancels"))
            .argument("cancelled", cancelled);
        network
            .connect(
                "count.numbers",
                "cancels.numbers",
                ChannelOptions::bounded(capacity),
            )
            .expect("the ports fit");
        let sums = output(&mut network, "cancels.sums");
        let running = network.start().expect("it starts");
        let next = || sums.receive_value::<u64>().expect("it sends");
        assert_eq!(next(), NUMBERS * (NUMBERS - 1) / 2);
        assert_eq!(next(), 0, "none is out of order");
        assert!(next() >= cancelled);
        drop(sums);
        assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    }
}

#[test]
fn an_alternation_sends_and_receives() {
    let Some(mut network) = network("merge") else {
        return;
    };
    for name in ["a", "b"] {
        network
            .process(name, &guest("count"))
            .argument("limit", 500_u64);
    }
    network.process("merge", &guest("task_merges"));
    network.process("sum", &guest("sum"));
    for (from, to, capacity) in [
        ("a.numbers", "merge.a", 0),
        ("b.numbers", "merge.b", 3),
        ("merge.merged", "sum.numbers", 0),
    ] {
        network
            .connect(from, to, ChannelOptions::bounded(capacity))
            .expect("the ports fit");
    }
    let total = output(&mut network, "sum.total");
    let running = network.start().expect("it starts");
    assert_eq!(total.receive_value::<u64>().expect("a sum"), 500 * 499);
    drop(total);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn a_time_a_skip_and_a_message_taken_in_advance_win() {
    let Some(mut network) = network("guards") else {
        return;
    };
    network.process("tells", &guest("task_tells_guards"));
    let numbers = network
        .input("tells.numbers", ChannelOptions::bounded(8))
        .expect("the port can be wired");
    let guards = output(&mut network, "tells.guards");
    let running = network.start().expect("it starts");
    let next = || guards.receive_value::<u64>().expect("it sends");
    assert_eq!(next(), 2);
    assert_eq!(next(), 3);
    for number in [40_u64, 2, 0] {
        numbers.send_value(&number).expect("there is room");
    }
    assert_eq!(next(), 42);
    drop((numbers, guards));
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn several_tasks_share_a_process() {
    let Some(mut network) = network("tasks") else {
        return;
    };
    for (name, limit) in [("a", 100_u64), ("b", 200)] {
        network
            .process(name, &guest("count"))
            .argument("limit", limit);
    }
    network.process("adds", &guest("task_adds"));
    for (from, to) in [("a.numbers", "adds.a"), ("b.numbers", "adds.b")] {
        network
            .connect(from, to, ChannelOptions::bounded(2))
            .expect("the ports fit");
    }
    let sums = output(&mut network, "adds.sums");
    let running = network.start().expect("it starts");
    let next = || sums.receive_value::<u64>().expect("it sends");
    assert_eq!([next(), next(), next()], [100 * 99 / 2, 200 * 199 / 2, 7]);
    drop(sums);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn a_call_that_begins_while_another_is_told_takes_nothing_from_it() {
    let Some(mut network) = network("turns") else {
        return;
    };
    network.process("turns", &guest("task_counts_turns"));
    let first = input(&mut network, "turns.first");
    let second = input(&mut network, "turns.second");
    let sums = output(&mut network, "turns.sums");
    let running = network.start().expect("it starts");
    for n in 0..20_u64 {
        first.send_value(&n).expect("it receives");
        second.send_value(&100_u64).expect("it receives");
        assert_eq!(sums.receive_value::<u64>().expect("a sum"), n + 100);
    }
    drop((first, second));
    assert!(sums.receive().is_err());
    drop(sums);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

/// One that wit-bindgen alone has made, whose runtime joins sets and drops subtasks itself.
#[test]
fn a_component_without_the_sdk_runs() {
    let Some(mut network) = network("plain") else {
        return;
    };
    let plain = guest("plain_adds_pairs");
    assert!(plain.is_stackless());
    network.process("pairs", &plain);
    let left = input(&mut network, "pairs.left");
    let right = input(&mut network, "pairs.right");
    let pairs = output(&mut network, "pairs.pairs");
    let running = network.start().expect("it starts");
    for length in [1, 16, 17, 70_000] {
        let (l, r) = (vec![b'l'; length], vec![b'r'; length]);
        // In both orders, so that it waits for each of them in turn.
        let ends = [(&left, &l), (&right, &r)];
        let order = if length % 2 == 0 { [0, 1] } else { [1, 0] };
        for number in order {
            let (end, bytes) = ends[number];
            end.send(bytes.clone()).expect("it receives");
        }
        let pair = pairs.receive().expect("it sends");
        assert_eq!(pair.to_vec(), [l, r, b".".to_vec()].concat());
    }
    drop((left, right));
    assert!(pairs.receive().is_err());
    drop(pairs);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn ends_move_in_messages() {
    let Some(mut network) = network("ends") else {
        return;
    };
    network.process("asks", &guest("task_asks"));
    network.process("answers", &guest("task_answers"));
    network
        .connect(
            "asks.requests",
            "answers.requests",
            ChannelOptions::rendezvous(),
        )
        .expect("the ports fit");
    let sums = output(&mut network, "asks.sums");
    let running = network.start().expect("it starts");
    assert_eq!(sums.receive_value::<u64>().expect("a sum"), 100 * 99 / 2);
    drop(sums);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn an_error_and_a_panic_fail_as_everywhere() {
    let Some(mut failing) = network("fails") else {
        return;
    };
    failing
        .process("fails", &guest("task_gives_up"))
        .argument("text", "enough");
    let numbers = input(&mut failing, "fails.numbers");
    let running = failing.start().expect("it starts");
    numbers.send_value(&1_u64).expect("it receives");
    let report = running.wait();
    assert_eq!(*failure(&report), Outcome::Failed("enough".to_owned()));
    assert!(numbers.send_value(&2_u64).is_err(), "its port is poisoned");

    let Some(mut panicking) = network("panics") else {
        return;
    };
    panicking.process("panics", &guest("task_panics"));
    let numbers = input(&mut panicking, "panics.numbers");
    let running = panicking.start().expect("it starts");
    numbers.send_value(&1_u64).expect("it receives");
    match failure(&running.wait()) {
        Outcome::Trapped(trap) => assert!(trap.reason.contains("no use for"), "{trap:?}"),
        other => panic!("expected a trap, found {other:?}"),
    }
}

#[test]
fn tasks_that_wait_for_each_other_fail_their_process() {
    let Some(mut network) = network("itself") else {
        return;
    };
    network.process("itself", &guest("task_waits_for_itself"));
    match failure(&network.start().expect("it starts").wait()) {
        Outcome::Failed(text) => assert!(text.contains("every task"), "{text}"),
        other => panic!("expected a failure, found {other:?}"),
    }
}

#[test]
fn a_deadlock_of_both_forms_is_reported() {
    let Some(mut network) = network("deadlock") else {
        return;
    };
    for (name, component) in [("a", "task_filters"), ("b", "task_filters")] {
        network
            .process(name, &guest(component))
            .argument("prime", 2_u64);
    }
    for (from, to) in [
        ("a.survivors", "b.candidates"),
        ("b.survivors", "a.candidates"),
    ] {
        network
            .connect(from, to, ChannelOptions::rendezvous())
            .expect("the ports fit");
    }
    let report = network.start().expect("it starts").wait();
    assert_eq!(report.deadlocks.len(), 1, "{report:?}");
    let mut cycle = report.deadlocks[0].cycle.clone();
    cycle.sort();
    assert_eq!(cycle, ["a", "b"]);
}

#[test]
fn an_operation_that_waits_too_long_ends_its_process() {
    let Some(mut network) = network("operation") else {
        return;
    };
    network
        .process("filter", &guest("task_filters"))
        .argument("prime", 2_u64)
        .limits(Limits::default().operation(Duration::from_millis(20)));
    let candidates = input(&mut network, "filter.candidates");
    let survivors = output(&mut network, "filter.survivors");
    let report = network.start().expect("it starts").wait();
    drop((candidates, survivors));
    assert!(matches!(failure(&report), Outcome::Killed(_)), "{report:?}");
}

/// Every step of a run with this seed.
fn trace(seed: u64) -> Vec<String> {
    let host = new_host(HostOptions::default().seed(seed));
    let mut network = host.network("merge");
    for name in ["a", "b"] {
        network
            .process(name, &guest_of(&host, "count"))
            .argument("limit", 20_u64);
    }
    network.process("merge", &guest_of(&host, "task_merges"));
    network
        .process("filter", &guest_of(&host, "task_filters"))
        .argument("prime", 1_u64);
    for (from, to) in [
        ("a.numbers", "merge.a"),
        ("b.numbers", "merge.b"),
        ("merge.merged", "filter.candidates"),
    ] {
        network
            .connect(from, to, ChannelOptions::rendezvous())
            .expect("the ports fit");
    }
    let rest = output(&mut network, "filter.survivors");
    network.trace();
    let events = Events::of(&mut network);
    let running = network.start().expect("it starts");
    assert!(rest.receive().is_err(), "1 divides all");
    drop(rest);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    let steps = events
        .list()
        .clone()
        .into_iter()
        .filter_map(|event| match event {
            Event::Step { process, step, .. } => Some(format!("{process} {step}")),
            _ => None,
        });
    steps.collect()
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    if network("seeded").is_none() {
        return;
    }
    let first = trace(7);
    assert!(first.len() > 40, "{first:?}");
    assert_eq!(trace(7), first);
    assert_ne!(trace(8), first, "a seed decides something");
}

/// More of them than there may be threads that wait, and two that communicate beside them.
#[test]
fn who_computes_gives_way_however_many_there_are() {
    const LOOPS: u64 = 300;
    if network("probe").is_none() {
        return;
    }
    for workers in [1, 2] {
        let host = new_host(HostOptions::default().workers(workers).max_processes(400));
        let mut network = host.network("beside");
        network.process("echo", &guest_of(&host, "task_echoes"));
        let texts = input(&mut network, "echo.texts");
        let echoes = output(&mut network, "echo.echoes");
        let mut begun = Vec::new();
        for n in 0..LOOPS {
            let name = format!("loop{n}");
            network.process(&name, &guest_of(&host, "task_computes"));
            begun.push(output(&mut network, &format!("{name}.begun")));
        }
        let running = network.start().expect("it starts");
        for begun in &begun {
            assert_eq!(begun.receive_value::<u64>().ok(), Some(1));
        }
        for n in 0..50 {
            texts.send_value(&n.to_string()).expect("it receives");
            assert_eq!(
                echoes.receive_value::<String>().expect("it sends"),
                n.to_string()
            );
        }
        // All are ended in the middle of a call.
        running.stop("it was enough");
        let report = running.wait();
        assert_eq!(report.processes, LOOPS + 1);
        for failure in &report.failures {
            assert!(
                matches!(&failure.outcome, Outcome::Stopped(why) if why.contains("enough")),
                "{failure:?}"
            );
        }
        drop((report, running, texts, echoes, begun));
        until_nothing_is_held(&host);
    }
}

#[test]
fn limits_of_time_hold_in_the_middle_of_a_call() {
    for (limits, kind) in [
        (
            Limits::default().cpu(Duration::from_millis(40)),
            LimitKind::Cpu,
        ),
        (
            Limits::default().wall(Duration::from_millis(40)),
            LimitKind::Wall,
        ),
    ] {
        let Some(mut network) = network("computes") else {
            return;
        };
        network
            .process("computes", &guest("task_computes"))
            .limits(limits);
        let begun = output(&mut network, "computes.begun");
        let running = network.start().expect("it starts");
        assert_eq!(begun.receive_value::<u64>().ok(), Some(1));
        let report = running.wait();
        match failure(&report) {
            Outcome::Killed(overrun) => assert_eq!(overrun.limit, kind),
            other => panic!("it {other}"),
        }
    }
}

/// Whoever computes is at no point where it could be replaced without loss.
#[test]
fn who_computes_can_be_replaced_in_the_middle_of_a_call() {
    let Some(mut network) = network("computes") else {
        return;
    };
    network.process("computes", &guest("task_computes"));
    let begun = output(&mut network, "computes.begun");
    let running = network.start().expect("it starts");
    assert_eq!(begun.receive_value::<u64>().ok(), Some(1));
    let replace = |then| {
        let options = Replace::default().patience(Duration::from_millis(1));
        running.replace("computes", &guest("task_computes"), options.then(then))
    };
    let refused = replace(OutOfPatience::Fail);
    assert!(matches!(refused, Err(ReplaceError::TimedOut { .. })));
    replace(OutOfPatience::Cut).expect("it is cut");
    assert_eq!(
        begun.receive_value::<u64>().ok(),
        Some(1),
        "its successor begins"
    );
    running.stop("it was enough");
    assert!(matches!(failure(&running.wait()), Outcome::Stopped(_)));
}
