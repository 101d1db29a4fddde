//! Restarts as they are shown, and `run --watch`.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use predicates::str::contains;

use super::{guest, network, transputer, write};

const CRASHING: &str = r#"
[process.worker]
component = "{guest:crashes}"

[process.worker.restart]
policy = "on-failure"
backoff = "none"
attempts = 2

[stdin]
to = "worker.numbers"
format = "cbor"

[stdout]
from = "worker.out"
"#;

/// 1, 666 (over which it panics), 2.
const NUMBERS: &[u8] = b"\x01\x19\x02\x9a\x02";

#[test]
fn restarts_are_told_with_their_reasons_and_counted() {
    let folder = network(CRASHING);
    transputer()
        .arg("run")
        .arg(folder.path())
        .write_stdin(NUMBERS)
        .assert()
        .code(0)
        .stdout("1\n2\n")
        .stderr(contains("supervisor: `worker` trapped: panicked at"))
        .stderr(contains("it is restarted"))
        .stderr(contains(
            "2 restarts, 1 unfinished message redelivered, 1 unfinished message dropped",
        ));
}

#[test]
fn restarts_are_in_the_report_for_programs() {
    let folder = network(CRASHING);
    let output = transputer()
        .args(["run", "--format", "json"])
        .arg(folder.path())
        .write_stdin(NUMBERS)
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stderr).unwrap();
    let objects = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect(line));
    let objects: Vec<serde_json::Value> = objects.collect();
    let report = &objects.last().expect("a report")["report"];
    assert_eq!(report["restarts"], 2, "{report}");
    let reason = report["restarted"][0]["outcome"]["trapped"]["reason"].as_str();
    assert!(
        reason.is_some_and(|reason| reason.contains("a bad number")),
        "{report}"
    );
    assert_eq!(report["unfinished"]["redelivered"], 1);
    let restarting = objects
        .iter()
        .filter(|object| object.get("restarting").is_some());
    assert_eq!(restarting.count(), 2);
}

#[test]
fn a_trace_names_the_incarnation() {
    let folder = network(CRASHING);
    let trace = folder.path().join("steps.txt");
    transputer()
        .args(["run", "--trace"])
        .arg(&trace)
        .arg(folder.path())
        .write_stdin(NUMBERS)
        .assert()
        .code(0);
    let steps = std::fs::read_to_string(&trace).unwrap();
    for part in [
        "down worker trapped",
        "restart worker#2",
        " worker#3 sends 1 bytes",
    ] {
        assert!(steps.contains(part), "{steps}");
    }
}

#[test]
fn check_prints_how_processes_are_supervised() {
    let text = format!(
        "{CRASHING}\n[[group]]\nname = \"all\"\nmembers = [\"worker\"]\nperiod = \"1 min\"\n"
    );
    let folder = network(&text);
    transputer()
        .arg("check")
        .arg(folder.path())
        .assert()
        .code(0)
        .stdout(contains("on-failure"))
        .stdout(contains("redeliver, 2 attempts"))
        .stdout(contains("of group all"))
        .stdout(contains("one-for-one"))
        .stdout(contains("3 in 60s"));
}

const RELAY: &str = r#"
[process.relay]
component = "relay.wasm"

[stdin]
to = "relay.numbers"
format = "cbor"

[stdout]
from = "relay.out"
"#;

/// Puts a file in the place of another one, as builds do: whole at every moment.
fn renew(folder: &Path, contents: &[u8]) {
    write(folder, "relay.new", contents);
    std::fs::rename(folder.join("relay.new"), folder.join("relay.wasm")).unwrap();
}

/// Reads lines until one has this in it.
fn until(lines: &mut BufReader<impl Read>, part: &str) {
    let mut all = String::new();
    loop {
        let mut line = String::new();
        let read = lines.read_line(&mut line).unwrap();
        all.push_str(&line);
        assert!(read > 0, "`{part}` never came:\n{all}");
        if line.contains(part) {
            return;
        }
    }
}

#[test]
fn a_component_that_is_built_anew_replaces_the_one_that_runs() {
    let folder = network(RELAY);
    let built = |name: &str| std::fs::read(guest(name)).unwrap();
    renew(folder.path(), &built("relays"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_transputer"))
        .args(["run", "--watch"])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut passes = |number: u8, expected: &str| {
        stdin.write_all(&[number]).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), expected);
    };
    until(&mut stderr, "watching");
    passes(1, "1");
    renew(folder.path(), &built("relays_marked"));
    until(&mut stderr, "`relay` runs");
    passes(2, "9223372036854775810");
    renew(folder.path(), b"no component at all");
    until(&mut stderr, "not a WebAssembly file");
    renew(folder.path(), &built("echo"));
    until(&mut stderr, "cannot take the place of");
    passes(3, "9223372036854775811");
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
