//! Seeds, schedules, and what programs read.

use std::collections::BTreeSet;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

use super::{network, transputer};

/// Two streams that are merged as they come.
const MERGE: &str = r#"
[arguments]
limit = 5

[process.first]
component = "{guest:count}"

[process.second]
component = "{guest:count}"

[process.merge]
component = "{guest:selects}"

[[channel]]
from = "first.numbers"
to = "merge.a"

[[channel]]
from = "second.numbers"
to = "merge.b"

[stdout]
from = "merge.merged"
format = "lines"
"#;

/// Two processes that each wait for the other's first message.
pub(crate) const STUCK: &str = r#"
[process.first]
component = "{guest:double}"

[process.second]
component = "{guest:double}"

[[channel]]
from = "first.doubled"
to = "second.numbers"

[[channel]]
from = "second.doubled"
to = "first.numbers"
"#;

/// What a network writes under a seed.
fn output(folder: &std::path::Path, seed: u64) -> String {
    let mut command = transputer();
    let command = command.arg("run").arg(folder);
    let assert = command.args(["--seed", &seed.to_string()]).assert().code(0);
    String::from_utf8(assert.get_output().stdout.clone()).expect("text")
}

#[test]
fn a_seed_decides_the_schedule() {
    let folder = network(MERGE);
    let outputs: Vec<String> = (0..8).map(|seed| output(folder.path(), seed)).collect();
    let different: BTreeSet<&String> = outputs.iter().collect();
    assert!(different.len() > 1, "every seed gives {outputs:?}");
    for (seed, first) in (0..).zip(&outputs) {
        assert_eq!(&output(folder.path(), seed), first, "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace_byte_for_byte() {
    let folder = network(MERGE);
    let trace = |seed: &str, name: &str| {
        let file = folder.path().join(name);
        let mut command = transputer();
        command.arg("run").arg(folder.path()).args(["--seed", seed]);
        command.arg("--trace").arg(&file).assert().code(0);
        std::fs::read_to_string(file).expect("a trace")
    };
    let first = trace("3", "first");
    assert!(
        first.contains(" first sends 1 bytes on `first.numbers -> merge.a`"),
        "{first}"
    );
    assert!(
        first.contains(" merge is given 1 bytes by an alternation"),
        "{first}"
    );
    assert!(first.contains("end merge finished"), "{first}");
    assert_eq!(first, trace("3", "again"));
    assert_ne!(first, trace("4", "other"));
}

#[test]
fn exploring_tells_whether_the_output_depends_on_the_schedule() {
    let folder = network(MERGE);
    transputer()
        .arg("explore")
        .arg(folder.path())
        .args(["--schedules", "20"])
        .assert()
        .code(0)
        .stdout(contains("20 schedules succeeded, with "));
    transputer()
        .arg("explore")
        .arg(folder.path())
        .args(["--schedules", "20", "--arg", "second.limit=0"])
        .assert()
        .code(0)
        .stdout("20 schedules succeeded, all with the same output\n");
}

#[test]
fn exploring_stops_at_a_deadlock_and_names_the_seed() {
    let folder = network(STUCK);
    transputer()
        .arg("explore")
        .arg(folder.path())
        .args(["--seed", "40"])
        .assert()
        .code(3)
        .stdout("")
        .stderr(contains("cycle: first -> second -> first"))
        .stderr(contains("`transputer run --seed 40`"));
}

#[test]
fn events_and_the_report_can_be_json() {
    let folder = network(STUCK);
    let assert = transputer()
        .arg("run")
        .arg(folder.path())
        .args(["--format", "json"])
        .assert()
        .code(3);
    let errors = String::from_utf8(assert.get_output().stderr.clone()).expect("text");
    let lines: Vec<Value> = errors
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let stuck = &lines[0]["deadlock"]["stuck"];
    assert_eq!(stuck[0]["process"], "first");
    assert_eq!(stuck[0]["waits"][0]["operation"], "receive");
    assert_eq!(stuck[0]["waits"][0]["port"], "numbers");
    assert_eq!(stuck[0]["waits"][0]["with"][0], "second");
    let report = &lines.last().expect("a report")["report"];
    assert_eq!(report["failed"], 2);
    assert_eq!(report["deadlocks"][0]["cycle"][1], "second");
}

#[test]
fn check_warns_of_a_circle_that_nothing_can_start() {
    transputer()
        .arg("check")
        .arg(network(STUCK).path())
        .assert()
        .code(0)
        .stderr(contains(
            "`first`, `second` meet in a circle of rendezvous channels",
        ))
        .stderr(contains("they will deadlock"));
    let buffered = STUCK.replacen(
        "to = \"second.numbers\"",
        "to = \"second.numbers\"\ncapacity = 1",
        1,
    );
    transputer()
        .arg("check")
        .arg(network(&buffered).path())
        .assert()
        .code(0)
        .stderr(contains("circle").not());
}
