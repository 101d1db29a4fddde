//! Restarts: when, how often, with what; and what becomes of channels and messages meanwhile.

use std::time::Duration;

use transputer::{
    Backoff, ChannelError, ChannelOptions, Event, Group, Host, HostOptions, HostReceiver,
    HostSender, Intensity, Network, Outcome, PoisonKind, Report, Restart, Running, Strategy,
    Unfinished, UnfinishedFate, Verdict,
};
use transputer_tests::{Events, guest, guest_of, host, input, new_host, output};

const MINUTE: Duration = Duration::from_secs(60);

/// What `crashes` panics over, what it fails over, and what it returns after.
const PANIC: u64 = 666;
const FAIL: u64 = 667;
const RETURN: u64 = 1000;

/// Restarts after failures, at once, as often as a test may need, and loses the bad message.
fn at_once() -> Restart {
    Restart::on_failure()
        .intensity(100, MINUTE)
        .backoff(Backoff::none())
        .unfinished(Unfinished::Drop)
}

/// A network of one process that crashes when it is told to.
struct Crashing {
    numbers: HostSender,
    out: HostReceiver,
    events: Events,
    running: Running,
}

impl Crashing {
    fn start(restart: Restart) -> Self {
        Self::wire(restart, |_| {})
    }

    fn wire(restart: Restart, more: impl FnOnce(&mut Network)) -> Self {
        let mut network = host().network("crashing");
        network
            .process("worker", &guest("crashes"))
            .restart(restart);
        let numbers = input(&mut network, "worker.numbers");
        let out = output(&mut network, "worker.out");
        more(&mut network);
        let events = Events::of(&mut network);
        Self {
            numbers,
            out,
            events,
            running: network.start().expect("it starts"),
        }
    }

    fn send(&self, number: u64) {
        self.numbers.send_value(&number).expect("it is received");
    }

    /// A number goes through, so the process lives.
    fn passes(&self, number: u64) {
        self.send(number);
        assert_eq!(self.out.receive_value::<u64>().expect("a number"), number);
    }

    fn end(self) -> Report {
        drop(self.numbers);
        self.running.wait()
    }
}

/// The outcomes for which a network's processes were restarted.
fn reasons(report: &Report) -> Vec<&Outcome> {
    let restarted = report.restarted.iter();
    restarted.map(|restart| &restart.outcome).collect()
}

fn is_panic(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Trapped(trap) if trap.reason.contains("a bad number"))
}

#[test]
fn without_a_policy_a_failure_is_final() {
    for restart in [Restart::never(), Restart::default()] {
        let crashing = Crashing::start(restart);
        crashing.send(PANIC);
        let poison = match crashing.out.receive() {
            Err(ChannelError::Poisoned(poison)) => poison,
            other => panic!("expected poison, found {other:?}"),
        };
        assert_eq!(poison.kind, PoisonKind::PeerTrapped);
        let report = crashing.end();
        assert_eq!((report.failed, report.restarts), (1, 0));
    }
}

#[test]
fn on_failure_a_process_is_restarted_and_its_channels_stay() {
    let crashing = Crashing::start(at_once());
    crashing.passes(1);
    crashing.send(PANIC);
    crashing.passes(2);
    crashing.send(FAIL);
    crashing.passes(3);
    let status = crashing.running.status();
    assert_eq!(status[0].name, "worker");
    assert_eq!(status[0].incarnation, 3);
    let report = crashing.end();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    assert_eq!((report.processes, report.restarts), (1, 2));
    assert!(is_panic(reasons(&report)[0]), "{report:?}");
    let failed = Outcome::Failed("no such number".to_owned());
    assert_eq!(reasons(&report)[1], &failed);
}

#[test]
fn on_failure_a_clean_return_is_final() {
    let crashing = Crashing::start(at_once());
    crashing.send(RETURN);
    assert_eq!(crashing.out.receive(), Err(ChannelError::Closed));
    let report = crashing.end();
    assert_eq!((report.verdict(), report.restarts), (Verdict::Succeeded, 0));
}

#[test]
fn always_restarts_after_a_clean_return_until_the_input_ends() {
    let restart = Restart {
        policy: transputer::RestartPolicy::Always,
        ..at_once()
    };
    let crashing = Crashing::start(restart);
    for number in 0..5 {
        crashing.passes(number);
        crashing.send(RETURN);
    }
    crashing.send(PANIC);
    crashing.passes(6);
    let report = crashing.end();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    let finished = reasons(&report)
        .into_iter()
        .filter(|outcome| outcome.is_finished());
    assert_eq!((finished.count(), report.restarts), (5, 6));
}

#[test]
fn the_events_tell_of_each_restart_with_its_incarnation() {
    let crashing = Crashing::start(at_once());
    crashing.send(PANIC);
    crashing.passes(1);
    let events = crashing.events.clone();
    let report = crashing.end();
    let told: Vec<String> = events
        .list()
        .iter()
        .filter_map(|event| match event {
            Event::Restarting(restart) => Some(format!(
                "{} {} ends {}",
                restart.name,
                restart.incarnation,
                is_panic(&restart.outcome)
            )),
            Event::Restarted {
                process,
                incarnation,
                id,
            } => Some(format!("{process} {incarnation} starts as {}", id.0)),
            Event::Ended(ended) => Some(format!("{} after {}", ended.name, ended.restarts)),
            _ => None,
        })
        .collect();
    let expected = [
        "worker 1 ends true",
        "worker 2 starts as 2",
        "worker after 1",
    ];
    assert_eq!(told, expected);
    assert_eq!(report.restarts, 1);
    let json = serde_json::to_value(&report).expect("a report is an object");
    assert_eq!(json["restarts"], 1);
    assert_eq!(json["restarted"][0]["name"], "worker");
}

#[test]
fn more_restarts_than_the_intensity_end_it_with_its_last_outcome() {
    let crashing = Crashing::start(at_once().intensity(2, MINUTE));
    crashing.send(PANIC);
    crashing.send(FAIL);
    crashing.passes(1);
    crashing.send(PANIC);
    match crashing.out.receive() {
        Err(ChannelError::Poisoned(poison)) => assert_eq!(poison.kind, PoisonKind::PeerTrapped),
        other => panic!("expected poison, found {other:?}"),
    }
    let report = crashing.end();
    assert_eq!((report.failed, report.restarts), (1, 2));
    let failure = &report.failures[0];
    assert!(is_panic(&failure.outcome), "{failure:?}");
    assert_eq!(failure.restarts, 2);
    let why = failure.gave_up.as_deref().expect("a reason");
    assert_eq!(
        why,
        "restarted 2 times within 60s, as often as its `intensity` allows"
    );
}

/// A host in virtual time, and a process on it that crashes whenever it starts.
fn crashes_at_once(seed: u64, restart: Restart) -> (Host, Network) {
    let host = new_host(HostOptions {
        seed: Some(seed),
        ..HostOptions::default()
    });
    let mut network = host.network("crashes at once");
    network
        .process("worker", &guest_of(&host, "returns_err"))
        .argument("text", "again")
        .restart(restart);
    (host, network)
}

/// The waits before its restarts, until the supervisor gives up.
fn waits(restart: Restart) -> Vec<u128> {
    let (_host, mut network) = crashes_at_once(7, restart);
    let out = output(&mut network, "worker.out");
    let report = network.start().expect("it starts").wait();
    drop(out);
    assert_eq!(report.failed, 1, "{report:?}");
    let restarted = report.restarted.iter();
    restarted.map(|restart| restart.wait.as_millis()).collect()
}

#[test]
fn the_backoff_grows_in_virtual_time() {
    let began = std::time::Instant::now();
    let restart = Restart::on_failure()
        .intensity(6, 60 * MINUTE)
        .backoff(Backoff {
            initial: 10 * MINUTE / 60,
            factor: 3,
            maximum: 5 * MINUTE,
        });
    let waited = waits(restart);
    assert_eq!(waited, [10_000, 30_000, 90_000, 270_000, 300_000, 300_000]);
    assert!(began.elapsed() < 10 * MINUTE, "the waits were real");
}

#[test]
fn restarts_outside_the_period_do_not_count() {
    // Each wait is longer than the period, so two restarts never fall into one; the row of
    // waits grows to the maximum, and only a stop ends it.
    let restart = Restart::on_failure()
        .intensity(1, Duration::from_secs(1))
        .backoff(Backoff {
            initial: Duration::from_secs(2),
            factor: 1,
            maximum: Duration::from_secs(2),
        });
    let (_host, mut network) = crashes_at_once(3, restart);
    let out = output(&mut network, "worker.out");
    let (enough, told) = std::sync::mpsc::channel();
    network.on_event(move |event| {
        if let Event::Restarted {
            incarnation: 20, ..
        } = event
        {
            // The network may have been stopped already.
            let _ = enough.send(());
        }
    });
    let running = network.start().expect("it starts");
    told.recv().expect("twenty incarnations");
    running.stop("enough");
    let report = running.wait();
    drop(out);
    assert!(report.restarts >= 19, "{report:?}");
    assert_eq!(report.verdict(), Verdict::Stopped);
}

#[test]
fn a_peer_that_waits_across_a_restart_gets_its_message() {
    let crashing = Crashing::start(at_once());
    let out = crashing.out;
    let reader = std::thread::spawn(move || out.receive_value::<u64>());
    crashing.numbers.send_value(&PANIC).expect("it is received");
    crashing.numbers.send_value(&5_u64).expect("it is received");
    let read = reader.join().expect("no panic");
    assert_eq!(read.expect("a number"), 5);
    drop(crashing.numbers);
    assert_eq!(crashing.running.wait().restarts, 1);
}

#[test]
fn an_end_that_the_process_closed_stays_closed() {
    let mut network = host().network("closing");
    network
        .process("worker", &guest("closes_then_crashes"))
        .restart(at_once());
    let numbers = input(&mut network, "worker.numbers");
    let out = output(&mut network, "worker.out");
    let told = output(&mut network, "worker.told");
    let running = network.start().expect("it starts");
    let heard = |number: u64| {
        numbers.send_value(&number).expect("it is received");
    };
    heard(2);
    assert_eq!(out.receive_value::<u64>().expect("a number"), 2);
    assert_eq!(told.receive_value::<String>().expect("a text"), "sent");
    heard(1);
    assert_eq!(out.receive(), Err(ChannelError::Closed));
    heard(2);
    let text: String = told.receive_value().expect("a text");
    assert!(text.contains("closed"), "{text}");
    drop(numbers);
    assert_eq!(running.wait().restarts, 1);
}

#[test]
fn always_keeps_ends_over_a_clean_return_but_not_those_closed_aloud() {
    let mut network = host().network("returning");
    let restart = Restart {
        policy: transputer::RestartPolicy::Always,
        ..at_once()
    };
    network
        .process("worker", &guest("closes_and_returns"))
        .restart(restart);
    let numbers = input(&mut network, "worker.numbers");
    let out = output(&mut network, "worker.out");
    let last = output(&mut network, "worker.last");
    let running = network.start().expect("it starts");
    for number in [5_u64, 6, 1, 7] {
        numbers.send_value(&number).expect("it is received");
        assert_eq!(out.receive_value::<u64>().expect("a number"), number);
        let closed = last.try_receive() == Err(ChannelError::Closed);
        if number != 1 {
            assert_eq!(closed, number == 7, "after {number}");
        }
    }
    drop(numbers);
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
}

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
        assert_eq!(letters.receive(), Err(ChannelError::Closed));
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

/// Three processes in a group, and what the supervisor did, in order.
struct Grouped {
    numbers: Vec<HostSender>,
    outs: Vec<HostReceiver>,
    events: Events,
    running: Running,
}

const NAMES: [&str; 3] = ["a", "b", "c"];

impl Grouped {
    fn start(strategy: Strategy, intensity: Intensity) -> Self {
        let mut network = host().network("grouped");
        for name in NAMES {
            network.process(name, &guest("crashes")).restart(at_once());
        }
        network.group(Group {
            name: "abc".to_owned(),
            strategy,
            members: NAMES.map(str::to_owned).into(),
            intensity,
        });
        let numbers = NAMES.map(|name| input(&mut network, &format!("{name}.numbers")));
        let outs = NAMES.map(|name| output(&mut network, &format!("{name}.out")));
        let events = Events::of(&mut network);
        Self {
            numbers: numbers.into(),
            outs: outs.into(),
            events,
            running: network.start().expect("it starts"),
        }
    }

    fn passes(&self, member: usize) {
        self.numbers[member]
            .send_value(&1_u64)
            .expect("it is received");
        let number: u64 = self.outs[member].receive_value().expect("a number");
        assert_eq!(number, 1);
    }

    /// Has `b` crash, and tells the order of ends and starts that comes of it.
    fn crash_the_middle_one(self) -> Vec<String> {
        (0..3).for_each(|member| self.passes(member));
        self.numbers[1].send_value(&PANIC).expect("it is received");
        self.passes(1);
        (0..3).for_each(|member| self.passes(member));
        drop(self.numbers);
        let report = self.running.wait();
        assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
        let events = self.events.list();
        let told = events.iter().filter_map(|event| match event {
            Event::Restarting(restart) => {
                assert_eq!(restart.group.as_deref(), Some("abc"));
                Some(format!("{} ends", restart.name))
            }
            Event::Restarted { process, .. } => Some(format!("{process} starts")),
            _ => None,
        });
        told.collect()
    }
}

#[test]
fn one_for_one_restarts_the_one() {
    let told = Grouped::start(Strategy::OneForOne, Intensity::default()).crash_the_middle_one();
    assert_eq!(told, ["b ends", "b starts"]);
}

#[test]
fn one_for_all_ends_the_others_backwards_and_starts_all_in_order() {
    let told = Grouped::start(Strategy::OneForAll, Intensity::default()).crash_the_middle_one();
    let expected = [
        "b ends", "c ends", "a ends", "a starts", "b starts", "c starts",
    ];
    assert_eq!(told, expected);
}

#[test]
fn rest_for_one_restarts_it_and_those_behind_it() {
    let told = Grouped::start(Strategy::RestForOne, Intensity::default()).crash_the_middle_one();
    assert_eq!(told, ["b ends", "c ends", "b starts", "c starts"]);
}

#[test]
fn a_group_that_gives_up_ends_all_its_members_backwards() {
    let intensity = Intensity {
        restarts: 0,
        period: MINUTE,
    };
    let grouped = Grouped::start(Strategy::OneForOne, intensity);
    (0..3).for_each(|member| grouped.passes(member));
    grouped.numbers[1]
        .send_value(&PANIC)
        .expect("it is received");
    let report = grouped.running.wait();
    let ended: Vec<_> = report
        .failures
        .iter()
        .map(|failure| &*failure.name)
        .collect();
    assert_eq!(ended, ["b", "c", "a"]);
    for failure in &report.failures {
        let why = failure.gave_up.as_deref().expect("a reason");
        assert!(why.starts_with("group `abc` gave up: "), "{why}");
    }
    assert!(matches!(report.failures[1].outcome, Outcome::Stopped(_)));
}

/// Two processes that are linked: one crashes when it is told to, the other waits.
fn linked(crashing: Restart, waiting: Restart) -> (HostSender, HostReceiver, Events, Running) {
    let mut network = host().network("linked");
    network
        .process("crashes", &guest("crashes"))
        .restart(crashing);
    network.process("waits", &guest("crashes")).restart(waiting);
    network.link("crashes", "waits").expect("both are there");
    let numbers = input(&mut network, "crashes.numbers");
    let _unread = output(&mut network, "crashes.out");
    let never = input(&mut network, "waits.numbers");
    let out = output(&mut network, "waits.out");
    let events = Events::of(&mut network);
    let running = network.start().expect("it starts");
    // Held by the thread until the network has ended, so that `waits` waits.
    let ending = running.clone();
    std::thread::spawn(move || {
        ending.wait();
        drop(never);
    });
    (numbers, out, events, running)
}

#[test]
fn a_failure_ends_who_is_linked() {
    let (numbers, out, _, running) = linked(Restart::never(), Restart::never());
    numbers.send_value(&FAIL).expect("it is received");
    assert!(matches!(out.receive(), Err(ChannelError::Poisoned(_))));
    let report = running.wait();
    assert_eq!(report.failed, 2);
    let told = "linked process `crashes` failed: no such number".to_owned();
    let mut outcomes = report.failures.iter().map(|failure| &failure.outcome);
    assert!(
        outcomes.any(|outcome| *outcome == Outcome::Stopped(told.clone())),
        "{report:?}"
    );
}

#[test]
fn a_failure_that_is_restarted_ends_nobody() {
    let (numbers, _out, _, running) = linked(at_once(), Restart::never());
    numbers.send_value(&FAIL).expect("it is received");
    numbers
        .send_value(&RETURN)
        .expect("it is received by the next incarnation");
    running.stop("both lived on");
    let report = running.wait();
    let stopped: Vec<_> = report
        .failures
        .iter()
        .map(|failure| &*failure.name)
        .collect();
    assert!(stopped.contains(&"waits"), "{report:?}");
    assert_eq!(report.restarts, 1);
    for failure in &report.failures {
        assert_eq!(
            failure.outcome,
            Outcome::Stopped("both lived on".to_owned())
        );
    }
}

#[test]
fn who_can_be_restarted_is_restarted_after_a_link_has_ended_him() {
    let (numbers, _out, events, running) = linked(Restart::never(), at_once());
    let (restarted, told) = std::sync::mpsc::channel();
    numbers.send_value(&PANIC).expect("it is received");
    std::thread::spawn(move || {
        // The restart is told soon; the test waits as long as it takes.
        while !events
            .list()
            .iter()
            .any(|event| matches!(event, Event::Restarted { process, .. } if process == "waits"))
        {
            std::thread::yield_now();
        }
        restarted.send(()).expect("the test waits");
    });
    told.recv().expect("a restart");
    running.stop("seen");
    assert_eq!(running.wait().restarts, 1);
}

/// A process with a linked child.
fn parent(fails: bool) -> (HostSender, Running) {
    let mut network = host().network("family");
    network
        .process("parent", &guest("links_child"))
        .argument("component", "child")
        .argument("fails", fails)
        .may_spawn("child", &guest("crashes"));
    let numbers = input(&mut network, "parent.numbers");
    let started = output(&mut network, "parent.started");
    let running = network.start().expect("it starts");
    started.receive().expect("the child runs");
    (numbers, running)
}

#[test]
fn a_child_that_fails_ends_its_linked_parent() {
    let (numbers, running) = parent(false);
    numbers.send_value(&PANIC).expect("it is received");
    let report = running.wait();
    assert_eq!(report.failed, 2, "{report:?}");
    let parent = report
        .failures
        .iter()
        .find(|failure| failure.name == "parent");
    match &parent.expect("it failed").outcome {
        Outcome::Stopped(reason) => {
            assert!(
                reason.starts_with("linked process `child` trapped"),
                "{reason}"
            );
        }
        other => panic!("expected a stop, found {other:?}"),
    }
}

#[test]
fn a_parent_that_fails_ends_its_linked_child() {
    let (numbers, running) = parent(true);
    numbers.send_value(&1_u64).expect("it is received");
    let report = running.wait();
    assert_eq!(report.failed, 2, "{report:?}");
    let child = report
        .failures
        .iter()
        .find(|failure| failure.name == "child");
    let expected = "linked process `parent` failed: tired".to_owned();
    assert_eq!(
        child.expect("it failed").outcome,
        Outcome::Stopped(expected)
    );
}

#[test]
fn mistakes_in_the_wiring_are_named() {
    let mut network = host().network("mistaken");
    network.process("worker", &guest("crashes")).restart(
        Restart::on_failure()
            .unfinished(Unfinished::DeadLetter)
            .attempts(0),
    );
    let _numbers = input(&mut network, "worker.numbers");
    let _out = output(&mut network, "worker.out");
    let members = vec![
        "worker".to_owned(),
        "wroker".to_owned(),
        "worker".to_owned(),
    ];
    network.group(Group {
        name: "g".to_owned(),
        strategy: Strategy::OneForAll,
        members,
        intensity: Intensity::default(),
    });
    let error = network.start().expect_err("it cannot start").to_string();
    for part in [
        "there is no process `wroker`",
        "in two groups, or twice in one",
        "no dead letters",
        "`attempts` cannot be 0",
    ] {
        assert!(error.contains(part), "{error}");
    }
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
    let error = letters(&mut network, "texts", "worker.numbers").expect_err("bytes are no u64");
    assert!(
        error
            .to_string()
            .contains("`texts.lines` receives `list<u8>`"),
        "{error}"
    );
    letters(&mut network, "worker", "texts.lines").expect("bytes take everything");
}
