//! Stackless guests: subtasks, sets and results that a task must not use so, by the order of the table in
//! `tests/hostile/stackless/forges.wat`.
//!
//! They run in one way only: a host instantiates their components by their core modules, or not at all.

use std::time::Duration;

use transputer::{Host, HostOptions, LimitKind, Limits, Report, Verdict};
use transputer_tests::{assert_comes_back, input, output, raw_stackless_guest};

use crate::{Attack, assert_killed, hostile_stackless, only_failure, only_trap};

/// What ends it.
const TRAPS: [(&str, &str); 36] = [
    ("a subtask that it was never given", "unknown handle"),
    ("a set as a subtask", "handle"),
    ("a receiver as a subtask", "handle"),
    ("a set that it was never given", "unknown handle"),
    ("a subtask as a set", "handle"),
    ("waiting for an unknown set", "unknown handle"),
    ("waiting for a subtask", "handle"),
    ("waiting for an empty set", "nothing waits"),
    ("an unknown set dropped", "unknown handle"),
    ("a set dropped twice", "unknown handle"),
    ("a set dropped with a member", "there are waitables in it"),
    ("a subtask dropped that waits", "before its end was told"),
    ("a subtask dropped twice", "unknown handle"),
    ("an unknown subtask cancelled", "unknown handle"),
    ("a subtask cancelled twice", "after its end was told"),
    ("an end dropped in use", "while a call"),
    ("an end closed in use", "while a call"),
    ("an end given away in use", "while a call"),
    ("returning twice", "returned twice"),
    ("exiting without a result", "without a result"),
    ("an unknown code", "means nothing"),
    ("exiting with a set", "means nothing"),
    ("an unknown set polled", "unknown handle"),
    ("an event past the end of its memory", "out of bounds"),
    ("an event at an odd address", "not aligned"),
    ("an answer past the end of its memory", "out of bounds"),
    ("an answer at an odd address", "not aligned"),
    ("parameters past the end of its memory", "out of bounds"),
    ("parameters at an odd address", "not aligned"),
    ("a result that does not exist", "has no case"),
    ("a text past the end of its memory", "out of bounds"),
    ("its own set dropped", "is the process's own"),
    ("waiting for its own set, which is empty", "nothing waits"),
    (
        "a subtask of its own set dropped after it was told",
        "unknown handle",
    ),
    ("a subtask of its own set cancelled twice", "unknown handle"),
    ("itself cancelled", "not asked to"),
];

/// What is charged, and so ends it.
const OVERRUNS: [&str; 2] = ["calls without end", "sets without end"];

/// What it may do.
const RIGHTS: [&str; 7] = [
    "a subtask from one set to another",
    "calls that wait at its end",
    "polling",
    "cancelling",
    "letting others run",
    "calls in its own set",
    "a call that is done while others run",
];

/// Core modules are the only way in which these guests run.
fn is_possible() -> bool {
    std::env::var_os("TRANSPUTER_CORE_MODULES").is_none_or(|it| it != "0")
}

fn forge(number: usize) -> Report {
    let (attack, (messages, out)) = Attack::start(|host, network| {
        network.process("forges", &hostile_stackless(host, "forges"));
        (input(network, "forges.in"), output(network, "forges.out"))
    });
    let number = u8::try_from(number).expect("the table is short");
    messages.send([number]).expect("it receives");
    // Nobody closes the channel while it waits there.
    while out.receive().is_ok() {}
    drop(messages);
    drop(out);
    attack.end()
}

#[test]
fn what_a_task_must_not_do_traps() {
    if !is_possible() {
        return;
    }
    for (number, (forgery, text)) in TRAPS.into_iter().enumerate() {
        let report = forge(number);
        let reason = only_trap(&report);
        assert!(!reason.contains("unreachable"), "{forgery}: {reason}");
        assert!(reason.contains(text), "{forgery}: {reason}");
    }
}

#[test]
fn what_waits_is_charged() {
    if !is_possible() {
        return;
    }
    for number in 0..OVERRUNS.len() {
        let report = forge(TRAPS.len() + number);
        assert_killed(only_failure(&report), LimitKind::Memory);
    }
}

#[test]
fn what_a_task_may_do_does_not() {
    if !is_possible() {
        return;
    }
    for (number, right) in RIGHTS.into_iter().enumerate() {
        let report = forge(TRAPS.len() + OVERRUNS.len() + number);
        assert_eq!(report.verdict(), Verdict::Succeeded, "{right}: {report:?}");
    }
}

#[test]
fn messages_of_all_sizes_pass_through_a_task() {
    if !is_possible() {
        return;
    }
    let (attack, (messages, out)) = Attack::start(|host, network| {
        network.process("relay", &hostile_stackless(host, "relay"));
        (input(network, "relay.in"), output(network, "relay.out"))
    });
    let sent: Vec<Vec<u8>> = (0..64_usize).map(|n| vec![n as u8; n * n]).collect();
    let all = sent.clone();
    let feeder = std::thread::spawn(move || {
        for message in all {
            messages.send(message).expect("it receives");
        }
    });
    let received: Vec<Vec<u8>> = (0..sent.len())
        .map(|_| out.receive().expect("it passes them on").to_vec())
        .collect();
    feeder.join().expect("it was all taken");
    assert_eq!(received, sent);
    assert!(out.receive().is_err());
    drop(out);
    assert_eq!(attack.end().verdict(), Verdict::Succeeded);
}

#[test]
fn a_callback_that_never_returns_is_over_its_limit() {
    if !is_possible() {
        return;
    }
    let (attack, messages) = Attack::start(|host, network| {
        network
            .process("waits", &hostile_stackless(host, "waits"))
            .limits(Limits::default().cpu(Duration::from_millis(50)));
        input(network, "waits.in")
    });
    messages.send([1]).expect("it receives");
    drop(messages);
    let report = attack.end();
    assert_killed(only_failure(&report), LimitKind::Cpu);
}

#[test]
fn a_callback_that_never_returns_can_be_stopped_and_hinders_nobody() {
    if !is_possible() {
        return;
    }
    let (attack, messages) = Attack::start(|host, network| {
        for name in ["a", "b", "c"] {
            network.process(name, &hostile_stackless(host, "waits"));
        }
        ["a.in", "b.in", "c.in"].map(|port| input(network, port))
    });
    for messages in messages {
        messages.send([1]).expect("it receives");
    }
    let report = attack.stop();
    assert_eq!(report.failed, 3, "{report:?}");
}

#[test]
fn a_host_without_core_modules_says_why_it_has_no_use_for_it() {
    let host = Host::new(HostOptions::default().core_modules(false)).expect("a host");
    let refused = host.component_from_bytes("relay", &raw_stackless_guest("relay"));
    let error = refused.expect_err("it has no way to run it").to_string();
    assert!(error.contains("core modules are turned off"), "{error}");
    assert_comes_back(&host, host.usage());
}
