//! Messages that a process had received and not finished when it ended.

use std::sync::mpsc;

use transputer::{
    ChannelOptions, Event, HostOptions, LimitKind, Limits, Network, Outcome, ReceiveError, Restart,
    Unfinished, UnfinishedFate, Verdict,
};
use transputer_tests::{
    Crashing, MINUTE, PANIC, at_once, guest, guest_of, host, input, new_host, output,
    until_nothing_is_held,
};

#[test]
fn an_unfinished_message_is_redelivered_so_often_and_then_dropped() {
    let crashing = Crashing::start(at_once().unfinished(Unfinished::Redeliver).attempts(3));
    crashing.send(PANIC);
    crashing.passes(1);
    let events = crashing.events.clone();
    let report = crashing.end();
    assert_eq!(report.restarts, 3);
    assert_eq!(
        (report.unfinished.redelivered, report.unfinished.dropped),
        (2, 1)
    );
    assert_eq!(report.dropped, 1, "the channel counts it as well");
    let fates: Vec<_> = events
        .list()
        .iter()
        .filter_map(|event| match event {
            Event::Unfinished(message) => Some((message.attempts, message.fate.clone())),
            _ => None,
        })
        .collect();
    let expected = [
        (1, UnfinishedFate::Redelivered),
        (2, UnfinishedFate::Redelivered),
        (3, UnfinishedFate::Dropped),
    ];
    assert_eq!(fates, expected);
}

#[test]
fn an_unfinished_message_is_dropped_and_counted() {
    let crashing = Crashing::start(at_once());
    crashing.send(PANIC);
    crashing.passes(1);
    let dropped = crashing.numbers.statistics().dropped;
    let report = crashing.end();
    assert_eq!(dropped, 1);
    assert_eq!((report.restarts, report.dropped), (1, 1));
    assert_eq!(report.unfinished.dropped, 1);
}

#[test]
fn unfinished_messages_go_to_dead_letters() {
    for restart in [
        at_once().unfinished(Unfinished::DeadLetter),
        at_once().unfinished(Unfinished::Redeliver).attempts(2),
    ] {
        let mut letters = None;
        let crashing = Crashing::wire(restart, |network| {
            let options = ChannelOptions::bounded(8);
            letters = Some(
                network
                    .dead_letters_here(&["worker"], options)
                    .expect("it fits"),
            );
        });
        let letters = letters.expect("it was wired");
        crashing.send(PANIC);
        crashing.passes(1);
        let letter = letters.receive().expect("a letter");
        let number: u64 = minicbor_serde::from_slice(&letter).expect("a number");
        assert_eq!(number, PANIC);
        let report = crashing.end();
        assert_eq!(report.unfinished.dead_lettered, 1, "{report:?}");
        assert_eq!(report.dropped, 0);
        assert_eq!(letters.receive(), Err(ReceiveError::Closed));
    }
}

#[test]
fn what_full_dead_letters_cannot_take_is_reported() {
    let mut letters = None;
    let restart = at_once().unfinished(Unfinished::DeadLetter);
    let crashing = Crashing::wire(restart, |network| {
        let options = ChannelOptions::bounded(1);
        letters = Some(
            network
                .dead_letters_here(&["worker"], options)
                .expect("it fits"),
        );
    });
    crashing.send(PANIC);
    crashing.send(PANIC);
    crashing.passes(1);
    let events = crashing.events.clone();
    let report = crashing.end();
    assert_eq!(
        (report.unfinished.dead_lettered, report.unfinished.dropped),
        (1, 1)
    );
    let refused = events.list().iter().any(|event| {
        matches!(event, Event::Unfinished(message)
            if matches!(message.fate, UnfinishedFate::Refused(_)))
    });
    assert!(refused, "{events:?}");
    drop(letters);
}

#[test]
fn a_message_in_hand_goes_to_dead_letters_when_the_supervisor_gives_up() {
    let mut letters = None;
    let restart = at_once()
        .unfinished(Unfinished::Redeliver)
        .intensity(0, MINUTE);
    let crashing = Crashing::wire(restart, |network| {
        let options = ChannelOptions::bounded(1);
        letters = Some(
            network
                .dead_letters_here(&["worker"], options)
                .expect("it fits"),
        );
    });
    crashing.send(PANIC);
    let report = crashing.running.wait();
    assert_eq!(report.unfinished.dead_lettered, 1, "{report:?}");
    assert_eq!(letters.expect("wired").iter().count(), 1);
}

#[test]
fn a_message_keeps_its_ends_when_it_is_redelivered() {
    let mut network = host().network("asking");
    network
        .process("server", &guest("answers_if_allowed"))
        .restart(at_once().unfinished(Unfinished::Redeliver).attempts(1));
    network.process("client", &guest("asks_once"));
    network
        .connect(
            "client.requests",
            "server.requests",
            ChannelOptions::rendezvous(),
        )
        .expect("it fits");
    let allowed = input(&mut network, "server.allowed");
    let square = output(&mut network, "client.square");
    let running = network.start().expect("it starts");
    // The refusal is what the server crashes over, so it counts against that, and is tried once;
    // the request, with the end for its answer, comes again.
    for allow in [false, false, true] {
        allowed.send_value(&allow).expect("it is received");
    }
    assert_eq!(square.receive_value::<u64>().expect("an answer"), 49);
    drop(allowed);
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    assert_eq!(
        (report.unfinished.redelivered, report.unfinished.dropped),
        (2, 2)
    );
}

#[test]
fn messages_of_two_ports_come_again_together() {
    let mut network = host().network("pairs");
    network
        .process("worker", &guest("crashes_holding"))
        .restart(at_once().unfinished(Unfinished::Redeliver).attempts(2));
    let first = input(&mut network, "worker.first");
    let second = input(&mut network, "worker.second");
    let sums = output(&mut network, "worker.sums");
    let running = network.start().expect("it starts");
    first.send_value(&1_u64).expect("it is received");
    second.send_value(&PANIC).expect("it is received");
    // After two attempts 666 is dropped, and the first half of the pair is still there.
    second.send_value(&10_u64).expect("it is received");
    assert_eq!(sums.receive_value::<u64>().expect("a sum"), 11);
    drop((first, second));
    let report = running.wait();
    assert_eq!(report.restarts, 2, "{report:?}");
    assert_eq!(
        (report.unfinished.redelivered, report.unfinished.dropped),
        (3, 1)
    );
}

#[test]
fn waiting_for_several_ports_finishes_the_messages_of_all() {
    let mut network = host().network("two inputs");
    network
        .process("worker", &guest("relays_from_two"))
        .restart(at_once().unfinished(Unfinished::Redeliver).attempts(1));
    let a = input(&mut network, "worker.a");
    let b = input(&mut network, "worker.b");
    let out = output(&mut network, "worker.out");
    let running = network.start().expect("it starts");
    let next = || out.receive_value::<u64>().expect("a number");
    a.send_value(&1_u64).expect("it is received");
    assert_eq!(next(), 1);
    b.send_value(&PANIC).expect("it is received");
    b.send_value(&2_u64).expect("it is received");
    assert_eq!(next(), 2, "1 is finished, and does not come again");
    drop((a, b));
    assert_eq!(running.wait().unfinished.redelivered, 0);
}

#[test]
fn dead_letters_must_fit() {
    let mut network = host().network("letters");
    network.process("worker", &guest("crashes"));
    network.process("texts", &guest("echo"));
    network.process("sums", &guest("relays"));
    let options = ChannelOptions::bounded(1);
    let letters = |network: &mut Network, from, to| network.dead_letters(&[from], to, options);
    letters(&mut network, "worker", "sums.numbers").expect("the same type fits");
    let error = letters(&mut network, "texts", "worker.numbers").expect_err("bytes are not a u64");
    assert!(
        error
            .to_string()
            .contains("`texts.lines` receives `list<u8>`"),
        "{error}"
    );
    letters(&mut network, "worker", "texts.lines").expect("bytes take everything");
}

#[test]
fn dead_letters_of_bytes_leave_the_ends_behind() {
    let mut network = host().network("asking");
    network
        .process("server", &guest("answers_if_allowed"))
        .restart(at_once().unfinished(Unfinished::DeadLetter));
    network.process("client", &guest("asks_once"));
    network
        .connect(
            "client.requests",
            "server.requests",
            ChannelOptions::rendezvous(),
        )
        .expect("it fits");
    let letters = network
        .dead_letters_here(&["server"], ChannelOptions::bounded(2))
        .expect("it fits");
    let allowed = input(&mut network, "server.allowed");
    let square = output(&mut network, "client.square");
    let running = network.start().expect("it starts");
    allowed.send_value(&false).expect("it is received");
    for _ in ["the refusal", "the request"] {
        letters.receive().expect("a message without ends");
    }
    // The end for the answer is gone, and the client learns why none will come.
    match square.receive() {
        Err(ReceiveError::Poisoned(poison)) => {
            let says = "process `client` failed: a process at the channel trapped: \
                        process `server` trapped: panicked at ";
            assert!(poison.reason.starts_with(says), "{poison:?}");
        }
        other => panic!("expected poison, found {other:?}"),
    }
    drop(allowed);
    let report = running.wait();
    assert_eq!(report.unfinished.dead_lettered, 2, "{report:?}");
}

const MIB: usize = 1 << 20;

/// What the host's processes have of memory while one of them works on an item of so many bytes.
fn memory_with_item(bytes: usize, restart: Option<Restart>) -> u64 {
    let host = new_host(HostOptions::default().max_processes(4));
    let mut network = host.network("keeping");
    let mut worker = network.process("worker", &guest_of(&host, "keeps_item"));
    if let Some(restart) = restart {
        worker.restart(restart);
    }
    let items = input(&mut network, "worker.items");
    let told = output(&mut network, "worker.told");
    let end = input(&mut network, "worker.end");
    let running = network.start().expect("it starts");
    items.send(vec![7; bytes]).expect("it is received");
    let size: u64 = told.receive_value().expect("it works on it");
    assert_eq!(size, bytes as u64);
    let memory = host.memory_in_use();
    drop((items, end));
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    until_nothing_is_held(&host);
    memory
}

/// What is kept for a process that can be restarted counts as its memory: the bytes, and an entry.
#[test]
fn what_is_kept_for_redelivery_counts_as_memory() {
    for bytes in [1, MIB] {
        let kept = memory_with_item(bytes, Some(Restart::on_failure()));
        let not_kept = memory_with_item(bytes, None);
        assert_eq!(kept - not_kept, bytes as u64 + 64);
    }
}

/// A process that has no memory for the copy is killed over the message, which is not lost: so often it
/// is tried, and then it is a dead letter.
#[test]
fn a_message_without_memory_to_keep_it_goes_to_dead_letters() {
    let host = new_host(HostOptions::default().max_processes(4));
    let mut network = host.network("keeping");
    network
        .process("worker", &guest_of(&host, "keeps_item"))
        .limits(Limits::default().memory(2 * MIB as u64))
        .restart(at_once().unfinished(Unfinished::Redeliver).attempts(2));
    let options = ChannelOptions::bounded(1);
    let letters = network.dead_letters_here(&["worker"], options);
    let letters = letters.expect("it fits");
    let items = input(&mut network, "worker.items");
    let told = output(&mut network, "worker.told");
    let end = input(&mut network, "worker.end");
    let running = network.start().expect("it starts");
    items.send(vec![7; 2 * MIB]).expect("it is received");
    assert_eq!(letters.receive().map(|letter| letter.len()), Ok(2 * MIB));
    items.send([7]).expect("it is received");
    assert_eq!(told.receive_value::<u64>().ok(), Some(1));
    drop((items, end));
    let report = running.wait();
    assert_eq!((report.restarts, report.dropped), (2, 0));
    assert_eq!(report.unfinished.dead_lettered, 1, "{report:?}");
    for restart in &report.restarted {
        match &restart.outcome {
            Outcome::Killed(overrun) => assert_eq!(overrun.limit, LimitKind::Memory),
            other => panic!("expected a kill, found {other:?}"),
        }
    }
    until_nothing_is_held(&host);
}

#[test]
fn a_program_hears_what_is_finished() {
    let mut network = host().network("doubling");
    network.process("double", &guest("double"));
    let (tell, told) = mpsc::channel();
    let listener = move |count| tell.send(count).expect("the test listens");
    let options = ChannelOptions::rendezvous();
    let numbers = network.input_until_finished("double.numbers", options, listener);
    let numbers = numbers.expect("the port is there");
    let doubled = output(&mut network, "double.doubled");
    let running = network.start().expect("it starts");
    numbers.send_value(&1_u64).expect("it is received");
    // The process holds it as long as nobody takes what it makes of it.
    assert_eq!(told.try_recv(), Err(mpsc::TryRecvError::Empty));
    doubled.receive().expect("a number");
    // It asks for the next one.
    assert_eq!(told.recv(), Ok(1));
    numbers.send_value(&2_u64).expect("it is received");
    doubled.receive().expect("a number");
    drop(numbers);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    assert_eq!(told.recv(), Ok(2));
    assert!(told.try_recv().is_err());
}

#[test]
fn what_is_given_up_is_finished_and_what_is_delivered_again_is_not() {
    let mut network = host().network("crashing");
    let restart = at_once().unfinished(Unfinished::Redeliver).attempts(2);
    network
        .process("worker", &guest("crashes"))
        .restart(restart);
    let (tell, told) = mpsc::channel();
    let listener = move |count| tell.send(count).expect("the test listens");
    let options = ChannelOptions::rendezvous();
    let numbers = network.input_until_finished("worker.numbers", options, listener);
    let numbers = numbers.expect("the port is there");
    let out = output(&mut network, "worker.out");
    let running = network.start().expect("it starts");
    numbers.send_value(&PANIC).expect("it is received");
    assert_eq!(told.recv(), Ok(1), "given up after two attempts");
    numbers.send_value(&7_u64).expect("it is received");
    assert_eq!(out.receive_value::<u64>().expect("a number"), 7);
    assert_eq!(told.recv(), Ok(2));
    drop(numbers);
    let report = running.wait();
    assert_eq!((report.restarts, report.unfinished.redelivered), (2, 1));
    assert!(told.try_recv().is_err());
}
