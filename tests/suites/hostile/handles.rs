//! Forged handles, and addresses and lengths that no memory has: `tests/hostile/forges.wat`, by the
//! order of its table.

use transputer::Verdict;
use transputer_tests::{guest_of, input, output};

use crate::{Attack, hostile, only_trap};

/// What ends it: the order is that of the table in `forges.wat`.
const TRAPS: [(&str, &str); 28] = [
    ("a sender that it was never given", "unknown handle"),
    ("a receiver that it was never given", "unknown handle"),
    ("handle 0", "unknown handle"),
    ("handle -1", "unknown handle"),
    ("a receiver as a sender", "handle"),
    ("a sender as a receiver", "handle"),
    ("a sender as a child", "handle"),
    ("a receiver as a barrier", "handle"),
    ("a closed sender", "unknown handle"),
    ("a receiver dropped twice", "unknown handle"),
    ("a sender closed twice", "unknown handle"),
    ("a sender dropped as a receiver", "handle"),
    (
        "a receiver given away twice in one message",
        "unknown handle",
    ),
    ("a sender that sends itself", ""),
    ("a message of -1 bytes", "out of bounds"),
    ("a message past the end of its memory", "out of bounds"),
    ("a message around the end of all addresses", "out of bounds"),
    ("a result past the end of its memory", ""),
    ("a result at an odd address", "not aligned"),
    ("a line of two gigabytes", "out of bounds"),
    ("a line that is not text", "utf-8"),
    ("a level of the log that does not exist", ""),
    ("an overflow policy that does not exist", ""),
    ("a patience that does not exist", ""),
    ("more ends than memory can hold", ""),
    ("more guards than memory can hold", ""),
    ("more ports than memory can hold", ""),
    ("guards that hold the same bytes without end", ""),
];

/// What it gets an error for, and goes on.
const ERRORS: [&str; 8] = [
    "a message over the limit",
    "a capacity over the limit",
    "a batch whose first length lies",
    "a batch of half a length",
    "more guards than an alternation may have",
    "an alternation without guards",
    "arguments nested deeper than any stack",
    "arguments that are no CBOR",
];

fn forge(number: usize) -> transputer::Report {
    let (attack, (messages, out)) = Attack::start(|host, network| {
        network
            .process("forges", &hostile(host, "forges"))
            .may_spawn("self", &guest_of(host, "no_ports"));
        (input(network, "forges.in"), output(network, "forges.out"))
    });
    let number = u8::try_from(number).expect("the table is short");
    messages.send([number]).expect("it receives");
    drop(messages);
    // One of them sends, and traps when it is told so.
    while out.receive().is_ok() {}
    drop(out);
    attack.end()
}

#[test]
fn what_is_forged_traps() {
    for (number, (forgery, text)) in TRAPS.into_iter().enumerate() {
        let report = forge(number);
        let reason = only_trap(&report);
        assert!(!reason.contains("unreachable"), "{forgery}: {reason}");
        assert!(reason.contains(text), "{forgery}: {reason}");
    }
}

#[test]
fn what_is_too_much_is_an_error() {
    for (number, demand) in ERRORS.into_iter().enumerate() {
        let report = forge(TRAPS.len() + number);
        assert_eq!(report.verdict(), Verdict::Succeeded, "{demand}: {report:?}");
    }
}
