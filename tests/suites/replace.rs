//! Another component for a running process: nothing lost, nothing doubled, nothing reordered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use transputer::{
    ChannelOptions, Doing, Event, HostOptions, HostReceiver, HostSender, LimitKind, Limits,
    Network, OutOfPatience, Outcome, Replace, ReplaceError, Restart, Running, Verdict,
};
use transputer_tests::{Events, guest, guest_of, host, input, new_host, output};

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

/// How often a relay is replaced under a stream that goes on until then.
const SWAPS: usize = 20;

/// Replaces a relay again and again under a steady stream; each component has passed a number on
/// before the next one takes its place.
fn under_a_stream(capacity: usize, restart: Restart) {
    let (numbers, out, running) = relay(capacity, restart);
    let enough = Arc::new(AtomicBool::new(false));
    let feeding = std::thread::spawn({
        let enough = enough.clone();
        move || {
            let more = (0_u64..).take_while(|_| !enough.load(Ordering::SeqCst));
            let sent = more.map(|number| numbers.send_value(&number).expect("it is received"));
            sent.count() as u64
        }
    });
    let (marked, plain) = (guest("relays_marked"), guest("relays"));
    let replacing = running.clone();
    let mark = Arc::new(AtomicU64::new(0));
    let swapping = std::thread::spawn({
        let mark = mark.clone();
        move || {
            for (component, wanted) in [(&marked, MARK), (&plain, 0)].iter().cycle().take(SWAPS) {
                replacing
                    .replace("relay", component, Replace::default())
                    .expect("it is replaced");
                while mark.load(Ordering::SeqCst) != *wanted {
                    std::thread::yield_now();
                }
            }
            enough.store(true, Ordering::SeqCst);
        }
    });
    let mut read = Vec::new();
    for number in out.values::<u64>() {
        let number = number.expect("a number");
        read.push(number & !MARK);
        mark.store(number & MARK, Ordering::SeqCst);
    }
    let report = running.wait();
    let sent = feeding.join().expect("everything is sent");
    swapping.join().expect("replaced without errors");
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    assert!(
        read.iter().copied().eq(0..sent),
        "lost, doubled or out of order: {} of {sent}",
        read.len()
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
    let forever = Replace::default().patience(Duration::MAX);
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
    let options = Replace::default().patience(SHORT).then(OutOfPatience::Fail);
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
    let options = Replace::default().patience(SHORT).then(OutOfPatience::Cut);
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
    // It cannot send 1, because nobody receives, so it never comes to wait for another number.
    numbers.send_value(&1_u64).expect("it is received");
    let options = Replace::default().patience(SHORT).then(OutOfPatience::Cut);
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
    // What is not a number ends it with an error.
    numbers.send(b"\xff".to_vec()).expect("it is received");
    numbers.send_value(&3_u64).expect("it is received");
    assert_eq!(out.receive_value::<u64>().expect("a number"), 3 | MARK);
    drop(numbers);
    assert!(running.wait().restarts >= 1);
}

#[test]
fn a_limit_on_operations_holds_for_the_new_component_and_for_nothing_else() {
    let host = new_host(HostOptions::default().seed(1));
    let allowed = Duration::from_secs(60);
    let mut network = host.network("relay");
    network
        .process("relay", &guest_of(&host, "relays"))
        .limits(Limits::default().operation(allowed));
    network.process("yields", &guest_of(&host, "yields"));
    let until = input(&mut network, "yields.until");
    let numbers = input(&mut network, "relay.numbers");
    let out = network
        .output("relay.out", ChannelOptions::bounded(1))
        .expect("it fits");
    // Virtual time stands still until `yields` ends.
    let running = network.start().expect("it starts");
    let slow = guest_of(&host, "relays_slowly");
    // It is replaced while it is parked, and patience would never run out.
    while !running
        .status()
        .iter()
        .any(|process| process.name == "relay" && matches!(process.doing, Doing::Waiting(_)))
    {
        std::thread::yield_now();
    }
    running
        .replace("relay", &slow, Replace::default())
        .expect("it waits");
    numbers.send_value(&1_u64).expect("it is received");
    drop(until);
    // It sleeps for an hour, which is not an operation, then waits for another number.
    let report = running.wait();
    match &report.failures[0].outcome {
        Outcome::Killed(overrun) => assert_eq!(overrun.limit, LimitKind::Operation),
        other => panic!("expected a kill, found {other:?}"),
    }
    assert_eq!(out.statistics().sent, 1, "killed while it slept");
}

#[test]
fn a_process_that_has_hardly_begun_is_replaced_as_soon_as_it_waits() {
    for seed in 0..20 {
        let host = new_host(HostOptions::default().seed(seed));
        let mut network = host.network("relay");
        network.process("relay", &guest_of(&host, "relays"));
        network.process("yields", &guest_of(&host, "yields"));
        // Virtual time, and patience with it, stands still until `yields` ends.
        let until = input(&mut network, "yields.until");
        let numbers = input(&mut network, "relay.numbers");
        let out = output(&mut network, "relay.out");
        let marked = guest_of(&host, "relays_marked");
        let running = network.start().expect("it starts");
        running
            .replace("relay", &marked, Replace::default())
            .expect("it is replaced");
        let sending = std::thread::spawn(move || numbers.send_value(&7_u64));
        let number = out.receive_value::<u64>().expect("a number");
        assert_eq!(number, 7 | MARK);
        sending.join().expect("it ends").expect("it is received");
        drop(until);
        assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    }
}
