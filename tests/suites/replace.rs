//! Another component for a running process: nothing lost, nothing doubled, nothing reordered.

use std::time::Duration;

use transputer::{
    ChannelOptions, Event, HostReceiver, HostSender, Network, OutOfPatience, Replace, ReplaceError,
    Restart, Running, Verdict,
};
use transputer_tests::{Events, guest, host, input, output};

/// What `relays_marked` adds to a number.
const MARK: u64 = 1 << 63;

/// A relay between two channels of this capacity.
fn relay(capacity: usize, restart: Restart) -> (HostSender, HostReceiver, Running) {
    let mut network = host().network("relay");
    network.process("relay", &guest("relays")).restart(restart);
    let options = ChannelOptions::bounded(capacity);
    let numbers = network.input("relay.numbers", options).expect("it fits");
    let out = network.output("relay.out", options).expect("it fits");
    (numbers, out, network.start().expect("it starts"))
}

const STREAM: u64 = 20_000;

/// Replaces a relay again and again under a steady stream.
fn under_a_stream(capacity: usize, restart: Restart) {
    let (numbers, out, running) = relay(capacity, restart);
    let feeding = std::thread::spawn(move || {
        for number in 0..STREAM {
            numbers.send_value(&number).expect("it is received");
        }
    });
    let (marked, plain) = (guest("relays_marked"), guest("relays"));
    let replacing = running.clone();
    let swapping = std::thread::spawn(move || {
        let mut replaced = 0;
        for component in [&marked, &plain].into_iter().cycle() {
            match replacing.replace("relay", component, Replace::default()) {
                Ok(()) => replaced += 1,
                Err(ReplaceError::Ended { .. } | ReplaceError::NoSuchProcess(_)) => break,
                Err(other) => panic!("{other}"),
            }
        }
        replaced
    });
    let read: Vec<u64> = out
        .values()
        .map(|number| number.expect("a number"))
        .collect();
    let report = running.wait();
    feeding.join().expect("everything is sent");
    let replaced = swapping.join().expect("replaced without errors");
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    assert!(replaced >= 2, "replaced only {replaced} times");
    let numbers: Vec<u64> = read.iter().map(|number| number & !MARK).collect();
    assert!(
        numbers.into_iter().eq(0..STREAM),
        "lost, doubled or out of order"
    );
    assert!(
        read.iter().any(|number| number & MARK != 0),
        "the new component never ran"
    );
    assert_eq!(report.unfinished.redelivered, 0);
}

#[test]
fn a_steady_stream_at_a_rendezvous() {
    under_a_stream(0, Restart::never());
}

#[test]
fn a_steady_stream_through_buffers() {
    under_a_stream(128, Restart::never());
}

#[test]
fn a_steady_stream_through_a_process_that_can_be_restarted() {
    under_a_stream(16, Restart::on_failure());
}

#[test]
fn a_process_that_waits_is_replaced_at_once_and_keeps_its_number() {
    let (numbers, out, running) = relay(0, Restart::never());
    let before = running.status()[0].id;
    numbers.send_value(&1_u64).expect("it is received");
    assert_eq!(out.receive_value::<u64>().expect("a number"), 1);
    let forever = Replace {
        patience: Duration::MAX,
        ..Replace::default()
    };
    running
        .replace("relay", &guest("relays_marked"), forever)
        .expect("it waits");
    let status = &running.status()[0];
    assert_eq!((status.id, status.name.as_str()), (before, "relay"));
    numbers.send_value(&2_u64).expect("it is received");
    assert_eq!(out.receive_value::<u64>().expect("a number"), 2 | MARK);
    drop(numbers);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn an_event_tells_of_the_new_component() {
    let mut network = host().network("relay");
    network.process("relay", &guest("relays"));
    let numbers = input(&mut network, "relay.numbers");
    let out = output(&mut network, "relay.out");
    let events = Events::of(&mut network);
    let running = network.start().expect("it starts");
    let told = running.replace_component("relays", &guest("relays_marked"), Replace::default());
    assert_eq!(told, [("relay".to_owned(), Ok(()))]);
    drop((numbers, out));
    running.wait();
    let replaced = events
        .list()
        .iter()
        .any(|event| matches!(event, Event::Replaced { process, .. } if process == "relay"));
    assert!(replaced, "{events:?}");
}

#[test]
fn a_component_with_other_ports_is_refused_and_both_are_named() {
    let (numbers, out, running) = relay(0, Restart::never());
    let refused = running
        .replace("relay", &guest("echo"), Replace::default())
        .expect_err("it does not fit");
    assert!(
        matches!(refused, ReplaceError::Misfit { .. }),
        "{refused:?}"
    );
    let text = refused.to_string();
    for part in [
        "echo.wasm",
        "relays.wasm",
        "`relay.numbers` receives `u64`",
        "port `lines`",
    ] {
        assert!(text.contains(part), "{text}");
    }
    numbers.send_value(&1_u64).expect("the old one runs on");
    assert_eq!(out.receive_value::<u64>().expect("a number"), 1);
    let nobody = running.replace("nobody", &guest("relays"), Replace::default());
    assert_eq!(
        nobody,
        Err(ReplaceError::NoSuchProcess("nobody".to_owned()))
    );
    drop(numbers);
    running.wait();
}

/// A process that computes without end, after it said that it does.
fn busy() -> (HostReceiver, Running) {
    let mut network: Network = host().network("busy");
    network.process("busy", &guest("loops_forever"));
    let started = output(&mut network, "busy.started");
    let running = network.start().expect("it starts");
    started.receive().expect("it starts");
    (started, running)
}

const SHORT: Duration = Duration::from_millis(1);

#[test]
fn a_busy_process_is_left_alone_if_so_asked() {
    let (_started, running) = busy();
    let options = Replace {
        patience: SHORT,
        then: OutOfPatience::Fail,
    };
    let refused = running.replace("busy", &guest("loops_forever"), options);
    assert!(
        matches!(refused, Err(ReplaceError::TimedOut { .. })),
        "{refused:?}"
    );
    running.stop("enough");
    running.wait();
}

#[test]
fn a_busy_process_is_cut_when_patience_runs_out() {
    let (started, running) = busy();
    let options = Replace {
        patience: SHORT,
        then: OutOfPatience::Cut,
    };
    running
        .replace("busy", &guest("loops_forever"), options)
        .expect("it is cut");
    started.receive().expect("its successor starts");
    running.stop("enough");
    running.wait();
}

#[test]
fn what_a_cut_process_had_not_finished_is_delivered_to_its_successor() {
    let (numbers, out, running) = relay(0, Restart::on_failure());
    // It cannot send 1, for nobody receives, so it never comes to wait for another number.
    numbers.send_value(&1_u64).expect("it is received");
    let options = Replace {
        patience: SHORT,
        then: OutOfPatience::Cut,
    };
    running
        .replace("relay", &guest("relays_marked"), options)
        .expect("it is cut");
    assert_eq!(out.receive_value::<u64>().expect("a number"), 1 | MARK);
    drop(numbers);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn later_incarnations_run_the_new_component() {
    let mut network = host().network("relay");
    network
        .process("relay", &guest("relays"))
        .restart(Restart::on_failure().backoff(transputer::Backoff::none()));
    let numbers = input(&mut network, "relay.numbers");
    let out = output(&mut network, "relay.out");
    let running = network.start().expect("it starts");
    running
        .replace("relay", &guest("relays_marked"), Replace::default())
        .expect("it waits");
    // What is no number ends it with an error.
    numbers.send(b"\xff".to_vec()).expect("it is received");
    numbers.send_value(&3_u64).expect("it is received");
    assert_eq!(out.receive_value::<u64>().expect("a number"), 3 | MARK);
    drop(numbers);
    assert!(running.wait().restarts >= 1);
}
