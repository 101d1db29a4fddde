//! Processes whose ends concern others: groups and links.

use transputer::{
    Event, Group, HostReceiver, HostSender, Intensity, Outcome, ReceiveError, Restart, Running,
    Strategy, Verdict,
};
use transputer_tests::{Events, FAIL, MINUTE, PANIC, RETURN, at_once, guest, host, input, output};

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
        let group = Group::new("abc", strategy, NAMES);
        network.group(group.intensity(intensity.restarts, intensity.period));
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
    let intensity = Intensity::new(0, MINUTE);
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
    assert!(matches!(out.receive(), Err(ReceiveError::Poisoned(_))));
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
fn who_is_never_restarted_ends_for_good_with_his_group() {
    let mut network = host().network("grouped");
    network.process("a", &guest("crashes"));
    network.process("b", &guest("crashes")).restart(at_once());
    network.group(Group::new("ab", Strategy::OneForAll, ["a", "b"]));
    let numbers = ["a", "b"].map(|name| input(&mut network, &format!("{name}.numbers")));
    let outs = ["a", "b"].map(|name| output(&mut network, &format!("{name}.out")));
    let running = network.start().expect("it starts");
    numbers[1].send_value(&PANIC).expect("it is received");
    numbers[1].send_value(&1_u64).expect("it is received");
    assert_eq!(outs[1].receive_value::<u64>().expect("a number"), 1);
    assert!(matches!(outs[0].receive(), Err(ReceiveError::Poisoned(_))));
    drop(numbers);
    let report = running.wait();
    assert_eq!((report.failed, report.restarts), (1, 1), "{report:?}");
    assert_eq!(report.failures[0].name, "a");
}

#[test]
fn a_member_that_has_finished_stays_finished() {
    let mut network = host().network("grouped");
    for name in ["a", "b"] {
        network.process(name, &guest("crashes")).restart(at_once());
    }
    network.group(Group::new("ab", Strategy::OneForAll, ["a", "b"]));
    let numbers = ["a", "b"].map(|name| input(&mut network, &format!("{name}.numbers")));
    let outs = ["a", "b"].map(|name| output(&mut network, &format!("{name}.out")));
    let running = network.start().expect("it starts");
    numbers[0].send_value(&RETURN).expect("it is received");
    assert_eq!(outs[0].receive(), Err(ReceiveError::Closed));
    numbers[1].send_value(&FAIL).expect("it is received");
    numbers[1].send_value(&1_u64).expect("it is received");
    assert_eq!(outs[1].receive_value::<u64>().expect("a number"), 1);
    drop(numbers);
    let report = running.wait();
    assert_eq!((report.verdict(), report.restarts), (Verdict::Succeeded, 1));
}
