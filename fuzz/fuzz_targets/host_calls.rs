//! Three guests in a ring, and what they spawn, do whatever the bytes say with the host: channels,
//! ends in messages, alternations, barriers, children, and now and then something forged. One
//! worker runs the schedule of a seed, so an input does the same each time.
//!
//! Every network must end: whoever waits for what can never come is told that it is a deadlock.
//! Afterwards the host must hold nothing, no message may have come twice, and none that was
//! refused may have come at all.
#![no_main]

mod ring;

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use transputer::{Outcome, Report, Usage};
use transputer_tests::{Kit, assert_comes_back};

fuzz_target!(|bytes: &[u8]| {
    if let Some((host, report, lines)) = ring::run(Kit::Ordinary, bytes) {
        check_outcomes(&report);
        check_messages(&lines);
        assert_comes_back(&host, Usage::default());
    }
});

/// The interpreter returns, unless it was told to do evil or was ended by another.
fn check_outcomes(report: &Report) {
    for failure in &report.failures {
        match &failure.outcome {
            Outcome::Failed(text) => panic!("the interpreter has no errors: {text}"),
            Outcome::Trapped(trap) if trap.reason.contains("unreachable") => {
                panic!("the host broke its word: {trap:?}")
            }
            Outcome::Killed(overrun) => panic!("it was within its limits: {overrun}"),
            _ => {}
        }
    }
}

/// What became of a message.
#[derive(Default)]
struct Fate {
    offered: u32,
    sent: u32,
    refused: u32,
    received: u32,
}

fn check_messages(lines: &[String]) {
    let mut fates: HashMap<&str, Fate> = HashMap::new();
    for line in lines {
        let (kind, letters) = line.split_at(1);
        let fate = fates.entry(letters).or_default();
        match kind {
            "o" => fate.offered += 1,
            "s" => fate.sent += 1,
            "f" => fate.refused += 1,
            "r" => fate.received += 1,
            _ => panic!("no interpreter logs `{line}`"),
        }
    }
    for (letters, fate) in fates {
        assert_eq!(fate.offered, 1, "{letters} is offered once");
        assert!(
            fate.sent + fate.refused <= 1,
            "{letters} is sent or refused"
        );
        assert!(fate.received <= 1, "{letters} was received twice");
        assert!(
            fate.received + fate.refused <= 1,
            "{letters} was refused and received"
        );
    }
}
