//! Log lines with their time and network, JSON without exception, and traces on a time line.

use std::collections::BTreeMap;

use predicates::prelude::*;
use serde_json::Value;

use super::{guest, network, transputer};

const LOGS: &str = r#"
[network]
name = "talk"

[process.p]
component = "{guest:logs}"

[stdout]
from = "p.identity"
"#;

/// Whether it begins with a time by RFC 3339, in UTC.
fn begins_with_time(text: &str) -> bool {
    let form = "dddd-dd-ddTdd:dd:dd.dddZ";
    text.len() >= form.len()
        && form
            .bytes()
            .zip(text.bytes())
            .all(|(form, byte)| match form {
                b'd' => byte.is_ascii_digit(),
                other => other == byte,
            })
}

#[test]
fn lines_have_their_time_and_network_where_asked() {
    let folder = network(LOGS);
    let output = transputer()
        .arg("run")
        .arg(folder.path())
        .args(["--log", "trace", "--timestamps"])
        .output()
        .expect("it runs");
    let text = String::from_utf8(output.stderr).expect("text");
    let lines: Vec<&str> = text.lines().filter(|line| line.contains(" p: ")).collect();
    assert!(!lines.is_empty(), "{text}");
    for line in lines {
        assert!(
            begins_with_time(line) && line[24..].starts_with(" talk "),
            "{line}"
        );
    }
}

#[test]
fn every_line_of_json_has_its_time_and_those_of_processes_their_network() {
    let folder = network(LOGS);
    let output = transputer()
        .arg("run")
        .arg(folder.path())
        .args(["--log", "trace", "--format", "json"])
        .env("RUST_LOG", "debug")
        .output()
        .expect("it runs");
    let text = String::from_utf8(output.stderr).expect("text");
    let mut logs = 0;
    for line in text.lines() {
        let object: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(
            object["time"].as_str().is_some_and(begins_with_time),
            "{line}"
        );
        if object.get("log").is_some() {
            assert_eq!(object["network"], "talk");
            logs += 1;
        }
    }
    assert!(logs > 0, "{text}");
}

#[test]
fn arguments_that_are_not_understood_are_json_as_well() {
    for arguments in [
        &["run", "--format", "json", "--wrong"][..],
        &["run", "--nonsense", "--format=json"],
    ] {
        let output = transputer().args(arguments).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8(output.stderr).expect("text");
        let object: Value =
            serde_json::from_str(text.trim_end()).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(
            object["error"]
                .as_str()
                .is_some_and(|error| error.contains("unexpected argument")),
            "{text}"
        );
    }
    transputer()
        .args(["run", "nowhere", "--format", "json"])
        .assert()
        .code(2)
        .stderr(predicate::str::starts_with("{"));
}

#[test]
fn what_is_wrong_with_the_surroundings_is_json_as_well() {
    let folder = network(LOGS);
    let output = transputer()
        .arg("run")
        .arg(folder.path())
        .args(["--format", "json", "--no-socket"])
        .env("RUST_LOG", "a=b=c")
        // Relative, which a home folder cannot be; so there is none for the cache.
        .env("HOME", "")
        .env_remove("XDG_CACHE_HOME")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stderr).expect("text");
    let warnings: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .filter_map(|object: Value| Some(object["warning"].as_str()?.to_owned()))
        .collect();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("RUST_LOG is not understood")),
        "{text}"
    );
}

/// What cargo says of a guest that does not compile, and what a guest says that panics.
#[test]
fn builds_and_panics_are_json_as_well() {
    let folder = network("[process.p]\ncomponent = \"lib.rs\"\n");
    super::write(
        folder.path(),
        "lib.rs",
        "#[transputer_guest::process]\nfn p() -> u8 { nothing }\n",
    );
    let panics = network(
        "[process.p]\ncomponent = \"{guest:panics}\"\n\
         [stdin]\nto = \"p.indices\"\nformat = \"json\"\n[stdout]\nfrom = \"p.letters\"\nformat = \"json\"\n",
    );
    for (folder, code, part) in [(&folder, 2, "nothing"), (&panics, 1, "trapped")] {
        let output = transputer()
            .arg("run")
            .arg(folder.path())
            .args(["--format", "json"])
            .write_stdin("99\n")
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(code));
        let text = String::from_utf8(output.stderr).expect("text");
        for line in text.lines() {
            let object: Result<Value, _> = serde_json::from_str(line);
            assert!(object.is_ok_and(|object| object.is_object()), "{line}");
        }
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn what_the_host_logs_is_printed_for_who_asks() {
    // It imports more than a core module may, which is worth a line to whoever debugs.
    let run = |filter: &str| {
        let mut command = transputer();
        command.arg("run").arg(guest("asks_wasi")).arg("--no-cache");
        let output = command.env("RUST_LOG", filter).output().expect("it runs");
        String::from_utf8(output.stderr).expect("text")
    };
    assert!(run("a=b=c").contains("RUST_LOG is not understood"));
    let line = "debug transputer_abi::core_module: a component is instantiated as a whole";
    assert!(run("transputer_abi=debug").contains(line));
    assert!(!run("transputer_abi=info").contains(line));
    assert!(!run("").contains(line));
}

/// A chain in which the reader waits for the sender, which sleeps.
const WAITS: &str = r#"
[process.sleeps]
component = "{guest:sleeper}"
arguments = { milliseconds = 20 }

[process.parks]
component = "{guest:parks}"

[[channel]]
from = "sleeps.slept"
to = "parks.input"
"#;

/// What a run of [`WAITS`] writes to a file of this name.
fn trace_of_waits(name: &str) -> String {
    let folder = network(WAITS);
    let file = folder.path().join(name);
    transputer()
        .arg("run")
        .arg(folder.path())
        .args(["--seed", "1", "--trace"])
        .arg(&file)
        .assert()
        .code(0);
    std::fs::read_to_string(&file).expect("a trace")
}

#[test]
fn a_trace_for_perfetto_has_lives_and_waits_as_spans() {
    let text = trace_of_waits("steps.json");
    let events: Vec<Value> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let mut names = BTreeMap::new();
    let mut lives: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for event in &events {
        let (track, time) = (
            event["tid"].as_u64().expect("a track"),
            event["ts"].as_f64().expect("a time"),
        );
        match event["ph"].as_str().expect("a kind") {
            "M" if event["name"] == "thread_name" => {
                names.insert(event["args"]["name"].as_str().expect("a name"), track);
            }
            "B" => {
                lives.insert(track, (time, f64::INFINITY));
            }
            "E" => lives.get_mut(&track).expect("a life").1 = time,
            _ => {}
        }
    }
    assert_eq!(
        names.keys().copied().collect::<Vec<_>>(),
        ["parks", "sleeps"]
    );
    let waits: Vec<&Value> = events
        .iter()
        .filter(|event| event["cat"] == "wait")
        .collect();
    for wait in &waits {
        let (began, ended) = lives[&wait["tid"].as_u64().expect("a track")];
        let (at, lasted) = (
            wait["ts"].as_f64().expect("a time"),
            wait["dur"].as_f64().expect("a length"),
        );
        assert!(
            began <= at && at + lasted <= ended && ended.is_finite(),
            "{wait}"
        );
    }
    // In virtual time both wait exactly as long as the sleeper sleeps.
    let of = |name: &str| {
        let own = waits.iter().filter(|wait| wait["tid"] == names[name]);
        own.map(|wait| wait["dur"].as_f64().expect("a length"))
            .fold(0.0, f64::max)
    };
    assert!(of("sleeps") >= 20_000.0, "{text}");
    assert!(of("parks") >= 20_000.0, "{text}");
}

#[test]
fn every_line_of_a_trace_has_its_time() {
    let text = trace_of_waits("steps.txt");
    let mut last = 0.0;
    for line in text.lines() {
        let (time, _) = line.split_once(' ').expect("a time");
        let time: f64 = time
            .parse()
            .unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(time >= last, "{text}");
        last = time;
    }
    assert!(
        text.contains("receives 1 bytes on `sleeps.slept -> parks.input` (waited 0.02"),
        "{text}"
    );
    assert!(text.contains(" end parks finished"), "{text}");
}
