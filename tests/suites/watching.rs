//! What a program sees of a network while it runs.

use std::time::Duration;

use transputer::{ChannelOptions, Doing, Event, Holder, HostOptions, Side};
use transputer_tests::{Events, guest_of, host, new_host, output};

/// Polls until something is so; `park_timeout` only spares the machine.
fn wait_until(is_so: impl Fn() -> bool) {
    while !is_so() {
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// However messages were sent and received: one by one, in batches, by an alternation.
#[test]
fn processes_note_whose_messages_they_received_where_that_is_asked() {
    const EACH: u64 = 300;
    let host = host();
    for wanted in [true, false] {
        let mut network = host.network("heard");
        let counted = ChannelOptions::bounded(16);
        for (name, guest) in [("one", "count"), ("other", "count_buffered")] {
            network
                .process(name, &guest_of(host, guest))
                .argument("limit", EACH as i64);
        }
        network.process("merges", &guest_of(host, "selects"));
        network.process("relays", &guest_of(host, "relays"));
        for (from, to) in [
            ("one.numbers", "merges.a"),
            ("other.numbers", "merges.b"),
            ("merges.merged", "relays.numbers"),
        ] {
            network.connect(from, to, counted).expect("they fit");
        }
        let out = network.output("relays.out", counted).expect("a port");
        if wanted {
            network.note_senders();
        }
        let events = Events::of(&mut network);
        let running = network.start().expect("it starts");
        let mut sum = 0;
        while let Ok(number) = out.receive_value::<u64>() {
            sum += number;
        }
        running.wait();
        assert_eq!(sum, EACH * (EACH - 1));
        let events = events.list();
        let ended = |name: &str| {
            let mut reports = events.iter().filter_map(|event| match event {
                Event::Ended(report) => Some(report),
                _ => None,
            });
            reports
                .find(|report| report.name == name)
                .expect("it has ended")
        };
        let heard = |name: &str| {
            let heard = ended(name).lifetime.heard_from.iter();
            let heard = heard.map(|from| (from.process, from.channel.as_str(), from.messages));
            heard.collect::<Vec<_>>()
        };
        for name in ["one", "other", "merges", "relays"] {
            assert!(ended(name).lifetime.lasted > Duration::ZERO);
            assert_eq!(ended(name).lifetime.spawned_by, None);
        }
        if !wanted {
            assert_eq!(heard("merges"), []);
            continue;
        }
        assert_eq!(heard("one"), []);
        let expected = [
            (ended("one").id, "one.numbers -> merges.a", EACH),
            (ended("other").id, "other.numbers -> merges.b", EACH),
        ];
        assert_eq!(heard("merges"), expected);
        let expected = [(
            ended("merges").id,
            "merges.merged -> relays.numbers",
            2 * EACH,
        )];
        assert_eq!(heard("relays"), expected);
    }
}

#[test]
fn a_look_tells_what_waits_where_and_what_was_counted() {
    let host = host();
    let mut network = host.network("relayed");
    network.process("first", &guest_of(host, "relays"));
    network.process("second", &guest_of(host, "relays"));
    network
        .connect("first.out", "second.numbers", ChannelOptions::bounded(1))
        .expect("they fit");
    let numbers = network
        .input("first.numbers", ChannelOptions::rendezvous())
        .expect("a port");
    let out = network
        .output("second.out", ChannelOptions::rendezvous())
        .expect("a port");
    let running = network.start().expect("it starts");
    // One is with the second process, which cannot send it; one in the channel; one with the first.
    for number in 0..3_u64 {
        numbers.send_value(&number).expect("there is room");
    }
    let waits = |name: &str, operation: Side| {
        let status = running.look();
        let process = status.processes.iter().find(|process| process.name == name);
        match &process.expect("it lives").doing {
            Doing::Waiting(waits) => waits[0].operation == operation,
            _ => false,
        }
    };
    wait_until(|| waits("first", Side::Send) && waits("second", Side::Send));
    let status = running.look();
    assert_eq!(status.network, "relayed");
    assert_eq!((status.born, status.failed, status.deadlocks), (2, 0, 0));
    let (first, second) = (&status.processes[0], &status.processes[1]);
    assert_eq!((first.received, first.sent), (3, 2));
    assert_eq!((second.received, second.sent), (1, 0));
    assert!(first.memory >= 65_536, "{first:?}");
    let channel = status
        .channels
        .iter()
        .find(|channel| channel.capacity == 1)
        .expect("it is open");
    assert_eq!(channel.label, "first.out -> second.numbers");
    assert_eq!((channel.waiting, channel.sent, channel.received), (1, 2, 1));
    assert!(channel.is_full() && channel.bytes > 0);
    assert_eq!(channel.senders, [Holder::Process(first.id)]);
    assert_eq!(channel.receivers, [Holder::Process(second.id)]);
    assert_eq!(channel.wait_to_send, [Holder::Process(first.id)]);
    assert_eq!(first.outputs, [("out".to_owned(), channel.id)]);
    assert_eq!(second.inputs, [("numbers".to_owned(), channel.id)]);
    drop(numbers);
    let rest: Vec<u64> = out.values::<u64>().map_while(Result::ok).collect();
    assert_eq!(rest, [0, 1, 2]);
    let report = running.wait();
    let status = running.look();
    assert_eq!((status.sent, report.sent), (9, 9), "{status:?}");
    assert!(status.processes.is_empty());
}

/// Messages of batches are counted one by one, on both sides.
#[test]
fn messages_of_batches_are_counted() {
    let host = host();
    let mut network = host.network("batches");
    network
        .process("count", &guest_of(host, "count_buffered"))
        .argument("limit", 1_000);
    network.process("relays", &guest_of(host, "relays"));
    network
        .connect(
            "count.numbers",
            "relays.numbers",
            ChannelOptions::bounded(64),
        )
        .expect("they fit");
    let out = network
        .output("relays.out", ChannelOptions::rendezvous())
        .expect("a port");
    let running = network.start().expect("it starts");
    let received = out.values::<u64>().map_while(Result::ok).take(999).count();
    assert_eq!(received, 999);
    // The last message has not been taken: both may still live, and the second does.
    let relays = || {
        running
            .look()
            .processes
            .into_iter()
            .find(|process| process.name == "relays")
    };
    wait_until(|| relays().is_some_and(|relays| (relays.received, relays.sent) == (1_000, 999)));
    drop(out);
    running.wait();
}

#[test]
fn who_computes_has_the_processor_time() {
    let host = new_host(HostOptions::default().workers(1));
    let mut network = host.network("computes");
    network.process("loops", &guest_of(&host, "loops_forever"));
    let started = output(&mut network, "loops.started");
    let running = network.start().expect("it starts");
    started.receive_value::<()>().expect("it has started");
    let time = || running.look().processes[0].processor_time;
    wait_until(|| time() > Duration::from_millis(20));
    running.stop("enough");
    running.wait();
}
