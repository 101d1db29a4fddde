//! What crosses channels between real guests: everything, once, in order.

use serde::{Deserialize, Serialize};
use transputer::{
    ChannelOptions, Limits, Network, PoisonKind, ReceiveError, ReceiveTimeoutError, SendError,
    Value, Verdict,
};
use transputer_tests::{guest, host, input, output};

/// A network of one guest under its own name.
fn alone(name: &str) -> Network {
    let mut network = host().network(name);
    network.process(name, &guest(name));
    network
}

#[test]
fn messages_of_every_size_arrive_whole() {
    let mut network = alone("echo");
    let lines = input(&mut network, "echo.lines");
    let out = output(&mut network, "echo.out");
    let running = network.start().expect("it starts");
    let edges = [1016, 2040, 4096, 65_536, 70_000, 1 << 20];
    let sizes = [0, 1].into_iter();
    for size in sizes.chain(edges.into_iter().flat_map(|edge| edge - 1..=edge + 1)) {
        let message: Vec<u8> = (0..size).map(|byte: u32| byte.to_le_bytes()[0]).collect();
        lines.send(message.clone()).expect("echo receives");
        let back = out.receive().expect("echo sends");
        assert!(
            back == message,
            "a message of {size} bytes came back changed"
        );
    }
    drop(lines);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn a_message_over_the_limit_is_refused_and_the_process_goes_on() {
    for (size, arrives) in [(4_096, 4_096), (4_097, 0)] {
        let mut network = host().network("limited");
        network
            .process("sends", &guest("oversized_message"))
            .argument("size", size)
            .limits(Limits::default().message(4_096));
        let out = output(&mut network, "sends.out");
        let running = network.start().expect("it starts");
        assert_eq!(out.receive().expect("one message").len(), arrives);
        assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    }
}

#[test]
fn a_stream_keeps_its_order_at_every_capacity() {
    for capacity in [0, 1, 2, 128] {
        for source in ["count", "count_buffered"] {
            let mut network = host().network("stream");
            network
                .process("source", &guest(source))
                .argument("limit", 1_000);
            network.process("double", &guest("double"));
            network
                .connect(
                    "source.numbers",
                    "double.numbers",
                    ChannelOptions::bounded(capacity),
                )
                .expect("the ports fit");
            let doubled = network
                .output("double.doubled", ChannelOptions::bounded(capacity))
                .expect("it is free");
            let running = network.start().expect("it starts");
            let values: Vec<u64> = doubled
                .values()
                .map(|value| value.expect("a number"))
                .collect();
            assert!(
                values.into_iter().eq((0..2_000).step_by(2)),
                "{source} at {capacity}"
            );
            assert_eq!(running.wait().verdict(), Verdict::Succeeded);
        }
    }
}

#[test]
fn a_buffered_sender_holds_nothing_back_from_a_receiver_that_waits() {
    let mut network = alone("sends_and_computes");
    let numbers = network
        .output("sends_and_computes.numbers", ChannelOptions::bounded(128))
        .expect("it is free");
    let running = network.start().expect("it starts");
    assert_eq!(numbers.receive_value::<u64>().expect("it is sent"), 7);
    running.stop("it would never end");
    running.wait();
}

#[test]
fn a_batch_never_exceeds_the_capacity() {
    let mut network = host().network("held");
    network
        .process("source", &guest("count_buffered"))
        .argument("limit", 1_000);
    let numbers = network
        .output("source.numbers", ChannelOptions::bounded(4))
        .expect("it is free");
    let running = network.start().expect("it starts");
    let mut most = 0;
    while let Ok(_number) = numbers.receive() {
        let seen = numbers.statistics();
        most = most.max(seen.sent - seen.received);
    }
    assert!(most <= 4, "{most} messages were in a channel of capacity 4");
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn a_receiver_that_takes_batches_holds_no_more_than_the_capacity() {
    for capacity in [0, 1, 2, 8] {
        let mut network = alone("double");
        let numbers = network
            .input("double.numbers", ChannelOptions::bounded(capacity))
            .expect("it is free");
        let doubled = output(&mut network, "double.doubled");
        let running = network.start().expect("it starts");
        let mut accepted = 0;
        // The process has one number in hand, which nobody takes; the rest waits behind it.
        while accepted < capacity + 1 {
            match numbers.try_send([1]) {
                Ok(()) => accepted += 1,
                Err(_) => std::thread::yield_now(),
            }
        }
        while !is_waiting(&running, "double", "send on") {
            std::thread::yield_now();
        }
        for _ in 0..3 {
            assert!(numbers.try_send([1]).is_err(), "more than {capacity} wait");
        }
        drop(numbers);
        assert_eq!(doubled.iter().count(), capacity + 1);
        assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    }
}

/// Whether a process waits for an operation that is described like this.
fn is_waiting(running: &transputer::Running, process: &str, operation: &str) -> bool {
    running
        .status()
        .into_iter()
        .any(|status| status.name == process && status.doing.to_string().contains(operation))
}

#[test]
fn buffered_senders_hold_nothing_back_from_who_waits() {
    let mut network = alone("fork_buffered");
    let numbers = input(&mut network, "fork_buffered.numbers");
    let even = output(&mut network, "fork_buffered.even");
    let odd = output(&mut network, "fork_buffered.odd");
    let running = network.start().expect("it starts");
    for number in 0..100_u64 {
        numbers.send_value(&number).expect("it receives");
        let side = if number % 2 == 0 { &even } else { &odd };
        assert_eq!(
            side.receive_value::<u64>().expect("it sends at once"),
            number
        );
    }
    drop(numbers);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn many_senders_and_receivers_share_one_channel() {
    const WORKERS: usize = 10;
    let mut network = host().network("farm");
    network
        .process("source", &guest("count"))
        .argument("limit", 1_000);
    let mut ports = Vec::new();
    for worker in 0..WORKERS {
        network.process(&format!("double-{worker}"), &guest("double"));
        ports.push((
            format!("double-{worker}.numbers"),
            format!("double-{worker}.doubled"),
        ));
    }
    network.process("sum", &guest("sum"));
    let inputs: Vec<&str> = ports.iter().map(|(port, _)| port.as_str()).collect();
    let outputs: Vec<&str> = ports.iter().map(|(_, port)| port.as_str()).collect();
    let options = ChannelOptions::bounded(8);
    network
        .connect_many(&["source.numbers"], &inputs, options)
        .expect("they fit");
    network
        .connect_many(&outputs, &["sum.numbers"], options)
        .expect("they fit");
    let total = output(&mut network, "sum.total");
    let running = network.start().expect("it starts");
    assert_eq!(total.receive_value::<u64>().expect("a total"), 999 * 1_000);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn an_alternation_takes_from_whoever_is_ready() {
    let mut network = alone("selects");
    let a = input(&mut network, "selects.a");
    let b = input(&mut network, "selects.b");
    let merged = output(&mut network, "selects.merged");
    let running = network.start().expect("it starts");
    for number in 0..100_u64 {
        let side = if number % 3 == 0 { &a } else { &b };
        side.send_value(&number).expect("it receives from either");
        assert_eq!(merged.receive_value::<u64>().expect("it sends"), number);
    }
    drop(a);
    b.send_value(&7_u64).expect("the other side is still open");
    assert_eq!(merged.receive_value::<u64>().expect("it sends"), 7);
    drop(b);
    assert_eq!(merged.receive(), Err(ReceiveError::Closed));
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn an_alternation_with_a_send_guard_loses_nothing() {
    let mut network = alone("selects_send");
    let numbers = input(&mut network, "selects_send.numbers");
    let newest = output(&mut network, "selects_send.newest");
    let missed = output(&mut network, "selects_send.missed");
    let running = network.start().expect("it starts");
    // Nobody takes the first two: they are overwritten, and counted.
    for number in 1..=3_u64 {
        numbers.send_value(&number).expect("it receives");
    }
    assert_eq!(newest.receive_value::<u64>().expect("an offer"), 3);
    drop(numbers);
    assert_eq!(missed.receive_value::<u64>().expect("a count"), 2);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn an_end_in_a_message_works_for_who_receives_it() {
    for capacity in [0, 16] {
        let mut network = host().network("mobile");
        network
            .process("client", &guest("mobile_client"))
            .argument("limit", 100);
        network.process("server", &guest("mobile_server"));
        network
            .connect(
                "client.requests",
                "server.requests",
                ChannelOptions::bounded(capacity),
            )
            .expect("the ports fit");
        let squares = output(&mut network, "client.squares");
        let running = network.start().expect("it starts");
        let values: Vec<u64> = squares
            .values()
            .map(|value| value.expect("a number"))
            .collect();
        assert!(
            values
                .into_iter()
                .eq((0..100).map(|number| number * number))
        );
        assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    number: u64,
    text: String,
    marks: Vec<Mark>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Mark {
    Empty,
    Long(u32),
    Words { count: u32, longest: Option<String> },
}

#[test]
fn records_and_variants_are_serde_values_in_cbor() {
    let mut network = alone("record");
    let lines = input(&mut network, "record.lines");
    let marked = output(&mut network, "record.marked");
    let _running = network.start().expect("it starts");
    let cases = [
        (String::new(), Mark::Empty),
        ("x".repeat(81), Mark::Long(81)),
        (
            "to be or".to_owned(),
            Mark::Words {
                count: 3,
                longest: Some("or".to_owned()),
            },
        ),
    ];
    for (number, (text, mark)) in (0..).zip(cases) {
        let line = |marks| Line {
            number,
            text: text.clone(),
            marks,
        };
        lines
            .send_value(&line(vec![Mark::Empty]))
            .expect("it receives");
        let back: Line = marked.receive_value().expect("it sends");
        assert_eq!(back, line(vec![Mark::Empty, mark]));
    }
}

#[test]
fn arguments_of_every_type_arrive() {
    let mut network = host().network("arguments");
    let place = Value::Table(vec![
        ("x".to_owned(), Value::Float(1.5)),
        ("y".to_owned(), Value::Float(-2.0)),
    ]);
    network
        .process("arguments", &guest("arguments"))
        .argument("flag", true)
        .argument("small", -5)
        .argument("letter", "é")
        .argument("text", "two words")
        .argument("raw", "bytes")
        .argument(
            "list",
            Value::List(vec![Value::Integer(1), Value::Integer(500)]),
        )
        .argument(
            "pair",
            Value::List(vec![Value::Integer(7), Value::String("x".to_owned())]),
        )
        .argument("place", place);
    let out = output(&mut network, "arguments.out");
    let running = network.start().expect("it starts");
    let text: String = out.receive_value().expect("a text");
    let (before, after) = text.split_once("two words ").expect("the text is in it");
    assert_eq!(before, "true -5 é ");
    assert!(
        after.ends_with("[1, 500] (7, \"x\") Point { x: 1.5, y: -2.0 } None"),
        "{after}"
    );
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn poison_reaches_both_sides_with_its_reason() {
    let mut network = host().network("poisoned");
    network
        .process("poisons", &guest("poisons"))
        .argument("limit", 3);
    network.process("sum", &guest("tolerates_poison"));
    network
        .connect("poisons.out", "sum.numbers", ChannelOptions::rendezvous())
        .expect("the ports fit");
    let numbers = input(&mut network, "poisons.numbers");
    let result = output(&mut network, "sum.result");
    let running = network.start().expect("it starts");
    for number in 1..4_u64 {
        numbers.send_value(&number).expect("it receives");
    }
    let (sum, text): (u64, String) = result.receive_value().expect("a result");
    assert_eq!(sum, 3);
    assert!(text.contains("3 is not below 3"), "{text}");
    match numbers.send("more") {
        Err(SendError::Poisoned(message, poison)) => {
            assert_eq!(message, b"more");
            assert_eq!(poison.kind, PoisonKind::Poisoned);
            assert_eq!(&*poison.reason, "3 is not below 3");
        }
        other => panic!("expected poison, found {other:?}"),
    }
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn a_loop_that_ends_poisoned_fails_its_process() {
    let mut network = host().network("cascade");
    network
        .process("poisons", &guest("poisons"))
        .argument("limit", 1);
    network.process("double", &guest("double"));
    network
        .connect(
            "poisons.out",
            "double.numbers",
            ChannelOptions::rendezvous(),
        )
        .expect("the ports fit");
    let numbers = input(&mut network, "poisons.numbers");
    let _doubled = output(&mut network, "double.doubled");
    let running = network.start().expect("it starts");
    numbers.send_value(&1_u64).expect("it receives");
    let report = running.wait();
    assert_eq!(report.failed, 1, "{report:?}");
    let text = report.failures[0].outcome.to_string();
    assert!(text.contains("1 is not below 1"), "{text}");
}

#[test]
fn leaving_a_loop_loses_nothing() {
    let mut network = alone("leaves_loop");
    let numbers = network
        .input("leaves_loop.numbers", ChannelOptions::bounded(100))
        .expect("it is free");
    let out = output(&mut network, "leaves_loop.out");
    for number in [3, 2, 1, 0, 10, 11, 12, 13_u64] {
        numbers.send_value(&number).expect("there is room");
    }
    drop(numbers);
    let running = network.start().expect("it starts");
    let values: Vec<u64> = out.values().map(|value| value.expect("a number")).collect();
    assert_eq!(values, [3, 2, 1, 0, 10, 11, 12, 13]);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn two_processes_play_ping_pong() {
    let mut network = host().network("ping-pong");
    network
        .process("pinger", &guest("pinger"))
        .argument("rounds", 1_000);
    network.process("ponger", &guest("ponger"));
    let rendezvous = ChannelOptions::rendezvous();
    network
        .connect("pinger.ping", "ponger.ping", rendezvous)
        .expect("they fit");
    network
        .connect("ponger.pong", "pinger.pong", rendezvous)
        .expect("they fit");
    let elapsed = output(&mut network, "pinger.elapsed");
    let running = network.start().expect("it starts");
    assert!(elapsed.receive_value::<u64>().expect("a time") > 0);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn a_deadlock_is_found_named_and_ended() {
    let mut network = host().network("stuck");
    // Each waits for the other's first message.
    network.process("first", &guest("double"));
    network.process("second", &guest("double"));
    let rendezvous = ChannelOptions::rendezvous();
    network
        .connect("first.doubled", "second.numbers", rendezvous)
        .expect("they fit");
    network
        .connect("second.doubled", "first.numbers", rendezvous)
        .expect("they fit");
    let report = network.start().expect("it starts").wait();
    assert_eq!(report.verdict(), Verdict::Deadlocked);
    assert_eq!(report.deadlocks.len(), 1);
    let deadlock = &report.deadlocks[0];
    let stuck: Vec<_> = deadlock
        .stuck
        .iter()
        .map(|stuck| stuck.process.as_str())
        .collect();
    assert_eq!(stuck, ["first", "second"]);
    let told = deadlock.stuck[0].to_string();
    let expected = "`first` waits to receive on its port `numbers` from `second` \
                    (channel `second.doubled -> first.numbers`), for ";
    assert!(told.starts_with(expected), "{told}");
    assert!(deadlock.stuck[0].waits[0].lasted.is_some());
    assert_eq!(deadlock.cycle.len(), 2);
}

#[test]
fn a_host_end_is_no_deadlock() {
    let mut network = alone("double");
    let numbers = input(&mut network, "double.numbers");
    let doubled = output(&mut network, "double.doubled");
    let running = network.start().expect("it starts");
    // The process can only wait for the host now, as often as anybody looks.
    assert_eq!(
        doubled.receive_timeout(std::time::Duration::from_millis(50)),
        Err(ReceiveTimeoutError::TimedOut)
    );
    numbers.send_value(&1_u64).expect("it receives");
    assert_eq!(doubled.receive_value::<u64>().expect("it sends"), 2);
    drop(numbers);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}
