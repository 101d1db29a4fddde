//! Networks from start to end: their output and exit codes.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use predicates::prelude::*;
use predicates::str::contains;

use super::{guest, network, transputer};

const FILTER: &str = r#"
[process.echo]
component = "{guest:echo}"

[stdin]
to = "echo.lines"
format = "lines"

[stdout]
from = "echo.out"
format = "lines"
"#;

const COUNT: &str = r#"
[arguments]
limit = 3

[process.count]
component = "{guest:count}"

[stdout]
from = "count.numbers"
format = "lines"
"#;

#[test]
fn a_network_is_a_unix_filter() {
    let folder = network(FILTER);
    transputer()
        .arg("run")
        .arg(folder.path())
        .write_stdin("one\ntwo\nthree without newline")
        .assert()
        .code(0)
        .stdout("one\ntwo\nthree without newline\n")
        .stderr("");
}

#[test]
fn arguments_on_the_command_line_go_before_those_in_the_file() {
    let folder = network(COUNT);
    for (argument, expected) in [
        (None, "0\n1\n2\n"),
        (Some("limit=1"), "0\n"),
        (Some("count.limit=2"), "0\n1\n"),
    ] {
        let mut command = transputer();
        command.arg("run").arg(folder.path());
        if let Some(argument) = argument {
            command.args(["--arg", argument]);
        }
        command.assert().code(0).stdout(expected).stderr("");
    }
}

#[test]
fn a_seed_gives_the_same_output() {
    let folder = network(COUNT);
    transputer()
        .arg("run")
        .arg(folder.path())
        .args(["--seed", "7"])
        .assert()
        .code(0)
        .stdout("0\n1\n2\n");
}

#[test]
fn a_process_that_returns_an_error_exits_with_1() {
    let folder = network(
        r#"
[process.printer]
component = "{guest:returns_err}"
arguments = { text = "out of \u001b[31mpaper" }

[stdout]
from = "printer.out"
"#,
    );
    transputer()
        .arg("run")
        .arg(folder.path())
        .args(["--color", "always"])
        .assert()
        .code(1)
        .stdout("")
        .stderr(contains("printer").and(contains("paper")))
        .stderr(contains("\x1b[31mpaper").not())
        .stderr(contains("1 of 1 process did not finish"));
}

#[test]
fn a_trap_is_shown_with_its_backtrace() {
    let folder = network(
        r#"
[process.count]
component = "{guest:count}"
arguments = { limit = 1 }

[process.fragile]
component = "{guest:traps}"

[[channel]]
from = "count.numbers"
to = "fragile.numbers"

[stdout]
from = "fragile.out"
format = "lines"
"#,
    );
    transputer()
        .arg("run")
        .arg(folder.path())
        .assert()
        .code(1)
        .stderr(contains("fragile").and(contains("trapped: ")))
        .stderr(contains("\n   0: "));
}

#[test]
fn a_deadlock_exits_with_3_and_names_the_cycle() {
    let folder = network(
        r#"
[process.left]
component = "{guest:echo}"

[process.right]
component = "{guest:echo}"

[[channel]]
from = "left.out"
to = "right.lines"

[[channel]]
from = "right.out"
to = "left.lines"
"#,
    );
    transputer()
        .arg("run")
        .arg(folder.path())
        .assert()
        .code(3)
        .stderr(
            contains("deadlock")
                .and(contains("left"))
                .and(contains("right")),
        )
        .stderr(contains("waits to receive"));
}

#[test]
fn log_lines_are_printed_from_the_level_asked_for() {
    let folder = network(
        r#"
[process.chatty]
component = "{guest:logs}"

[stdout]
from = "chatty.identity"
format = "lines"
"#,
    );
    let levels = ["trace", "debug", "info", "warn", "error"];
    for (rank, least) in levels.iter().enumerate() {
        let output = transputer()
            .arg("run")
            .arg(folder.path())
            .args(["--log", least])
            .output()
            .unwrap();
        assert!(output.status.success());
        let log = String::from_utf8(output.stderr).unwrap();
        for (other, level) in levels.iter().enumerate() {
            let printed = log.contains(&format!("chatty: at level {level}\n"));
            assert_eq!(
                printed,
                other >= rank,
                "--log {least}, a line at {level}:\n{log}"
            );
        }
    }
    transputer()
        .arg("run")
        .arg(folder.path())
        .arg("--quiet")
        .assert()
        .success()
        .stderr(contains("at level error").and(contains("at level warn").not()));
}

#[test]
fn a_reader_that_goes_away_ends_the_network_quietly() {
    let folder = network(COUNT);
    let mut child = Command::new(env!("CARGO_BIN_EXE_transputer"))
        .arg("run")
        .arg(folder.path())
        .args(["--arg", "limit=1000000000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert_eq!(first, "0\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn check_shows_the_network_without_running_it() {
    let folder = network(COUNT);
    transputer()
        .arg("check")
        .arg(folder.path())
        .args(["--arg", "limit=17"])
        .assert()
        .code(0)
        .stdout(contains("limit = 17").and(contains("count.numbers")))
        .stdout(contains("u64").and(contains("stdout (lines)")));
}

#[test]
fn inspect_prints_the_signature_for_people_and_programs() {
    transputer()
        .arg("inspect")
        .arg(guest("count"))
        .assert()
        .success()
        .stdout(contains("limit: u64").and(contains("numbers: u64")))
        .stdout(contains("transputer:csp/channel@0.1.0"));
    let output = transputer()
        .arg("inspect")
        .arg(guest("count"))
        .args(["--format", "json"])
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["process"], "count");
    assert_eq!(json["arguments"][0]["name"], "limit");
    assert_eq!(json["ports"][0]["direction"], "output");
    assert_eq!(json["ports"][0]["type"], "u64");
    let size = std::fs::metadata(guest("count")).unwrap().len();
    assert_eq!(json["size"], size);
}
