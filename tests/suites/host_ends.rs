//! The ends that an embedding program holds.

use std::future::poll_fn;
use std::pin::Pin;

use futures_lite::StreamExt;
use futures_sink::Sink;
use transputer::signature::PayloadType;
use transputer::{
    ChannelOptions, Event, GuardError, HostAlternation, HostEnd, HostGuard, HostOutcome,
    HostReceiver, HostSender, Order, Outcome, ReceiveError, ReceiveValueError, Running, SendError,
    SendValueError, TrySendValueError, Verdict,
};
use transputer_tests::{guest, host, input, output};

/// A running `double`, with host ends at both sides.
fn doubling() -> (Running, HostSender, HostReceiver) {
    let mut network = host().network("doubling");
    network.process("double", &guest("double"));
    let numbers = input(&mut network, "double.numbers");
    let doubled = output(&mut network, "double.doubled");
    (network.start().expect("it starts"), numbers, doubled)
}

/// Feeds 0 to 9 from a thread of its own, then closes.
fn feed(numbers: HostSender) {
    std::thread::spawn(move || {
        for number in 0..10_u64 {
            numbers.send_value(&number).expect("double receives");
        }
    });
}

const DOUBLED: [u64; 10] = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18];

#[test]
fn a_blocking_iterator_ends_when_the_channel_closes() {
    let (_running, numbers, doubled) = doubling();
    feed(numbers);
    let values: Result<Vec<u64>, _> = doubled.values().collect();
    assert_eq!(values.expect("all are numbers"), DOUBLED);
    assert_eq!(doubled.receive(), Err(ReceiveError::Closed));
}

#[test]
fn a_stream_ends_when_the_channel_closes() {
    let (_running, numbers, mut doubled) = doubling();
    feed(numbers);
    let messages = futures_lite::future::block_on(async {
        let mut messages = Vec::new();
        while let Some(message) = doubled.next().await {
            messages.push(message.expect("no poison"));
        }
        messages
    });
    // Small even numbers are one byte in CBOR, the number itself.
    assert_eq!(
        messages,
        DOUBLED.map(|number| vec![u8::try_from(number).expect("small")])
    );
}

#[test]
fn async_programs_send_and_receive() {
    let (_running, numbers, doubled) = doubling();
    futures_lite::future::block_on(async {
        for number in 0..10_u8 {
            numbers.send_async([number]).await.expect("double receives");
            let twice = doubled.receive_async().await.expect("double sends");
            assert_eq!(twice, [2 * number]);
        }
    });
}

#[test]
fn crossbeam_ends_take_part() {
    let (_running, numbers, doubled) = doubling();
    let numbers = numbers.into_crossbeam(2).expect("a thread");
    let doubled = doubled.into_crossbeam(2).expect("a thread");
    let feeder = std::thread::spawn(move || {
        for number in 0..10_u8 {
            numbers.send(vec![number]).expect("the network receives");
        }
    });
    let twice: Vec<Vec<u8>> = doubled.iter().collect();
    assert_eq!(
        twice,
        DOUBLED.map(|number| vec![u8::try_from(number).expect("small")])
    );
    feeder.join().expect("it has sent everything");
}

#[test]
fn a_channel_closes_when_nobody_wants_its_messages_as_crossbeam_ends() {
    let (running, numbers, _doubled) = doubling();
    let (sender, receiver) = running.channel("spare", ChannelOptions::rendezvous());
    let receiver = receiver.into_crossbeam(2).expect("a thread");
    let clone = receiver.clone();
    drop(receiver);
    sender.send(*b"wanted").expect("a clone is left");
    assert_eq!(clone.recv().as_deref(), Ok(b"wanted".as_slice()));
    drop(clone);
    let refused = sender.send(*b"unwanted").expect_err("nobody is left");
    assert_eq!(refused, SendError::Closed(b"unwanted".to_vec()));
    drop(numbers);
    running.wait();
}

#[test]
fn poison_comes_as_the_last_item() {
    let (running, numbers, doubled) = doubling();
    numbers.send_value(&1_u64).expect("double receives");
    assert_eq!(doubled.receive_value::<u64>().expect("a number"), 2);
    numbers.send_value(&u64::MAX).expect("double receives");
    let mut values = doubled.values::<u64>();
    match values.next() {
        Some(Err(ReceiveValueError::Channel(ReceiveError::Poisoned(poison)))) => {
            assert!(poison.reason.contains("too large to double"), "{poison:?}");
        }
        other => panic!("expected poison, found {other:?}"),
    }
    assert!(values.next().is_none());
    assert_eq!(running.wait().failed, 1);
}

#[test]
fn a_refused_message_comes_back() {
    let (running, numbers, doubled) = doubling();
    drop(doubled);
    // The process notices when it sends; then its input closes as well.
    while numbers.send_value(&1_u64).is_ok() {}
    let refused = numbers.send("precious").expect_err("nobody receives");
    assert_eq!(refused, SendError::Closed(b"precious".to_vec()));
    drop(numbers);
    // An output that nobody wants is a normal end.
    assert_eq!(running.wait().failed, 0);
}

/// A request of `mobile_client`: the end lies beside the message, and this is its place there.
#[derive(serde::Serialize, serde::Deserialize)]
struct Request {
    number: u64,
    reply: u64,
}

#[test]
fn the_program_can_serve_guests_that_send_it_their_ends() {
    let mut network = host().network("server");
    network
        .process("client", &guest("mobile_client"))
        .argument("limit", 10);
    let requests = output(&mut network, "client.requests");
    let squares = output(&mut network, "client.squares");
    let running = network.start().expect("it starts");
    let server = std::thread::spawn(move || {
        while let Ok((message, ends)) = requests.receive_with_ends() {
            let request: Request = minicbor_serde::from_slice(&message).expect("a request");
            assert_eq!((request.reply, ends.len()), (0, 1));
            let Some(HostEnd::Sender(reply)) = ends.into_iter().next() else {
                panic!("expected a sender");
            };
            let reply = reply.carrying(PayloadType::parse("u64").expect("a type"));
            let square = request.number * request.number;
            reply.send_value(&square).expect("the client waits for it");
        }
    });
    let values: Vec<u64> = squares
        .values()
        .map(|value| value.expect("a number"))
        .collect();
    assert!(values.into_iter().eq((0..10).map(|number| number * number)));
    assert_eq!(running.wait().failed, 0);
    server.join().expect("it has served everybody");
}

#[test]
fn the_program_can_send_guests_its_ends() {
    let mut network = host().network("client");
    network.process("server", &guest("mobile_server"));
    let requests = input(&mut network, "server.requests");
    let running = network.start().expect("it starts");
    for number in 0..10 {
        let (reply, answers) = running.channel("reply", ChannelOptions::rendezvous());
        let request = Request { number, reply: 0 };
        let message = minicbor_serde::to_vec(&request).expect("it has a CBOR form");
        let sent = requests.send_with_ends(message, vec![HostEnd::Sender(reply)]);
        assert!(sent.is_ok());
        let square: u64 = answers.receive_value().expect("an answer");
        assert_eq!(square, number * number);
        assert!(answers.receive().is_err(), "the server has closed its end");
    }
    drop(requests);
    assert_eq!(running.wait().failed, 0);
}

#[test]
fn refused_ends_come_back() {
    let mut network = host().network("refusing");
    network
        .process("fails", &guest("returns_err"))
        .argument("text", "no");
    let _out = output(&mut network, "fails.out");
    let running = network.start().expect("it starts");
    let (first, receiver) = running.channel("first", ChannelOptions::rendezvous());
    let (second, _) = running.channel("second", ChannelOptions::rendezvous());
    drop(receiver);
    let refused = first
        .send_with_ends("hello", vec![HostEnd::Sender(second)])
        .expect_err("nobody receives");
    let SendError::Closed((message, ends)) = refused else {
        panic!("expected a closed channel, found {refused:?}");
    };
    assert_eq!(message, b"hello");
    assert!(matches!(ends[..], [HostEnd::Sender(_)]));
    running.wait();
}

#[test]
fn a_program_chooses_among_its_ends() {
    let (running, numbers, doubled) = doubling();
    let mut choice = HostAlternation::new(host(), Order::Priority);
    // Nothing comes out before something goes in.
    let sent = choice.wait(vec![
        HostGuard::Receive(&doubled),
        HostGuard::Send(&numbers, vec![5]),
    ]);
    assert_eq!((sent.guard, sent.outcome), (1, HostOutcome::Sent));
    // Now the process offers its answer, and takes nothing more.
    let received = choice.wait(vec![
        HostGuard::Receive(&doubled),
        HostGuard::Send(&numbers, vec![6]),
    ]);
    assert_eq!(received.outcome, HostOutcome::Received(vec![10]));
    assert_eq!(received.unsent, [(1, vec![6])]);
    let waited = choice.wait(vec![
        HostGuard::Receive(&doubled),
        HostGuard::After(std::time::Duration::from_millis(5)),
    ]);
    assert_eq!(waited.outcome, HostOutcome::Elapsed);
    let skipped = choice.wait(vec![HostGuard::Skip, HostGuard::Receive(&doubled)]);
    assert_eq!(skipped.outcome, HostOutcome::Skipped);
    drop(numbers);
    let ended = choice.wait(vec![HostGuard::Receive(&doubled)]);
    assert_eq!(ended.outcome, HostOutcome::Failed(GuardError::Closed));
    assert_eq!(running.wait().failed, 0);
}

#[test]
fn the_program_is_a_member_of_its_barriers() {
    let (running, numbers, doubled) = doubling();
    let barrier = running.barrier("phase");
    let member = barrier.enrol();
    let worker = std::thread::spawn(move || (0..100).all(|_| member.sync().is_ok()));
    assert!((0..100).all(|_| barrier.sync().is_ok()));
    assert!(worker.join().expect("it has kept in step"));
    // The other membership has resigned: alone, nobody is waited for.
    assert_eq!(barrier.sync(), Ok(()));
    drop((numbers, doubled));
    running.wait();
}

#[test]
fn bytes_ports_take_no_values() {
    let mut network = host().network("raw");
    network.process("echo", &guest("echo"));
    let lines = input(&mut network, "echo.lines");
    let _out = output(&mut network, "echo.out");
    assert!(lines.payload_type().is_bytes());
    let error = lines.send_value(&1_u64).expect_err("the port takes bytes");
    assert!(error.to_string().contains("use `send`"), "{error}");
}

#[test]
fn an_undecodable_message_says_what_was_expected() {
    let (_running, numbers, doubled) = doubling();
    numbers.send_value(&1_u64).expect("double receives");
    let error = doubled
        .receive_value::<String>()
        .expect_err("it is a number");
    assert!(error.to_string().contains("`u64`"), "{error}");
}

#[test]
fn a_process_rejects_what_is_no_cbor_of_its_type() {
    let (running, numbers, doubled) = doubling();
    numbers.send([0x61, b'x']).expect("double receives");
    assert!(matches!(doubled.receive(), Err(ReceiveError::Poisoned(_))));
    let text = running.wait().failures[0].outcome.to_string();
    assert!(text.contains("expected u64, found the text `x`"), "{text}");
}

#[test]
fn what_was_sent_can_be_read_after_the_end() {
    let mut network = host().network("late reader");
    network
        .process("count", &guest("count"))
        .argument("limit", 10);
    let numbers = network
        .output("count.numbers", ChannelOptions::bounded(10))
        .expect("it is free");
    let report = network.start().expect("it starts").wait();
    assert_eq!(report.dropped, 0);
    let values: Vec<u64> = numbers
        .values()
        .map(|value| value.expect("a number"))
        .collect();
    assert!(values.into_iter().eq(0..10));
}

#[test]
fn dropped_messages_are_counted() {
    let mut network = host().network("lossy");
    network.process("late", &guest("late_reader"));
    let go = input(&mut network, "late.go");
    let lossy = ChannelOptions::bounded(3).overflow(transputer::Overflow::DropOldest);
    let numbers = network.input("late.numbers", lossy).expect("it is free");
    let out = output(&mut network, "late.out");
    let running = network.start().expect("it starts");
    for number in 0..10_u64 {
        numbers.send_value(&number).expect("it never blocks");
    }
    assert_eq!(numbers.statistics().dropped, 7);
    drop(numbers);
    go.send_value(&()).expect("it waits for this");
    let kept: Vec<u64> = out.values().map(|value| value.expect("a number")).collect();
    assert_eq!(kept, [7, 8, 9]);
    assert_eq!(running.wait().dropped, 7);
}

#[test]
fn a_value_that_is_not_of_the_ports_type_is_not_sent() {
    let (running, numbers, doubled) = doubling();
    let refused = |error: SendValueError| {
        assert!(matches!(error, SendValueError::Misfit { .. }), "{error:?}");
        error.to_string()
    };
    let text = refused(
        numbers
            .send_value("seven")
            .expect_err("the port takes numbers"),
    );
    assert_eq!(
        text,
        "the port takes `u64`, and the value is something else: expected `u64`, found the text \"seven\""
    );
    refused(numbers.send_value(&-1).expect_err("it is negative"));
    refused(numbers.send_value(&(1_u64, 2_u64)).expect_err("it is two"));
    let error = numbers
        .try_send_value(&1.5)
        .expect_err("it is no whole number");
    assert!(matches!(error, TrySendValueError::Value(_)), "{error}");
    // The process has seen nothing of it.
    numbers.send_value(&21_u64).expect("it receives");
    assert_eq!(doubled.receive_value::<u64>().expect("it doubles"), 42);
    drop(numbers);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn values_in_async_programs() {
    let (running, numbers, doubled) = doubling();
    let exchange = async {
        let wrong = numbers.send_value_async("seven").await;
        assert!(
            matches!(wrong, Err(SendValueError::Misfit { .. })),
            "{wrong:?}"
        );
        for number in 0..10_u64 {
            numbers
                .send_value_async(&number)
                .await
                .expect("double receives");
            let twice = doubled.receive_value_async::<u64>().await;
            assert_eq!(twice.expect("double sends"), 2 * number);
        }
        drop(numbers);
        running.wait_async().await
    };
    let report = futures_lite::future::block_on(exchange);
    assert_eq!(report.verdict(), Verdict::Succeeded);
}

/// A future that other threads may go on with, as tokio's tasks are.
#[test]
fn futures_of_values_can_be_sent() {
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    let (running, numbers, doubled) = doubling();
    let value = std::rc::Rc::new(4_u64);
    let sending = is_send(numbers.send_value_async(&*value));
    let receiving = is_send(doubled.receive_value_async::<u64>());
    let both = futures_lite::future::zip(sending, receiving);
    let (sent, received) = futures_lite::future::block_on(both);
    assert!(sent.is_ok());
    assert_eq!(received.expect("double sends"), 8);
    drop(numbers);
    let report = futures_lite::future::block_on(is_send(running.wait_async()));
    assert_eq!(report.verdict(), Verdict::Succeeded);
}

#[test]
fn a_sink_and_a_stream_of_values() {
    let (running, numbers, doubled) = doubling();
    let mut sink = numbers.into_sink::<u64>();
    let stream = doubled.into_stream::<u64>();
    let feeding = async move {
        for number in 0..10 {
            poll_fn(|context| Pin::new(&mut sink).poll_ready(context))
                .await
                .expect("it receives");
            Pin::new(&mut sink)
                .start_send(number)
                .expect("it is a number");
        }
        poll_fn(|context| Pin::new(&mut sink).poll_close(context))
            .await
            .expect("it receives");
    };
    let values = stream
        .map(|value| value.expect("all are numbers"))
        .collect::<Vec<u64>>();
    let both = futures_lite::future::zip(feeding, values);
    let (_, values) = futures_lite::future::block_on(both);
    assert_eq!(values, DOUBLED);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn one_process_is_killed_and_events_tell_of_it() {
    let mut network = host().network("killing");
    for name in ["first", "second"] {
        network.process(name, &guest("double"));
    }
    let into_first = input(&mut network, "first.numbers");
    let of_first = output(&mut network, "first.doubled");
    let into_second = input(&mut network, "second.numbers");
    let of_second = output(&mut network, "second.doubled");
    let events = network.events(100);
    let running = network.start().expect("it starts");
    assert!(!running.kill("third", "it is not there"));
    assert!(running.kill("first", "it is not needed"));
    let error = of_first.receive().expect_err("it was killed");
    let ReceiveError::Poisoned(poison) = &error else {
        panic!("it did not just close: {error}")
    };
    assert!(poison.to_string().contains("it is not needed"), "{poison}");
    into_second.send_value(&4_u64).expect("the other lives");
    assert_eq!(of_second.receive_value::<u64>().expect("it doubles"), 8);
    drop((into_first, into_second));
    // The iterator ends with the network.
    let ended: Vec<(String, Outcome)> = events
        .into_iter()
        .filter_map(|event| match event {
            Event::Ended(report) => Some((report.name, report.outcome)),
            _ => None,
        })
        .collect();
    let stopped = Outcome::Stopped("it is not needed".to_owned());
    assert_eq!(
        ended,
        [
            ("first".to_owned(), stopped),
            ("second".to_owned(), Outcome::Finished)
        ]
    );
    assert!(running.has_ended());
}

#[test]
fn events_that_nobody_reads_are_counted() {
    let mut network = host().network("talking");
    network.process("logs", &guest("logs"));
    let identity = network.output("logs.identity", ChannelOptions::bounded(1));
    let _identity = identity.expect("it is its only port");
    let mut events = network.events(1);
    let running = network.start().expect("it starts");
    running.wait();
    let read = futures_lite::future::block_on(async {
        let mut read = 0;
        while StreamExt::next(&mut events).await.is_some() {
            read += 1;
        }
        read
    });
    assert_eq!(read, 1);
    assert!(events.missed() > 0);
}
