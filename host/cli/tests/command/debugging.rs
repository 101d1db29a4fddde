//! Core dumps, and profiles.

use std::path::{Path, PathBuf};

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use wasmparser::{KnownCustom, Parser, Payload};

use super::raw::put_guest;
use super::supervising::NUMBERS;
use super::{network, transputer, write};

/// Both ways to instantiate a component.
const WAYS: [&[&str]; 2] = [&[], &["--no-core-modules"]];

/// It panics over a number, and is not restarted.
const CRASHING: &str = r#"
[process.worker]
component = "{guest:crashes}"

[stdin]
to = "worker.numbers"
format = "cbor"

[stdout]
from = "worker.out"
"#;

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{error}"));
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// What a core dump has.
#[derive(Default)]
struct Dump {
    name: String,
    /// Functions on the stack, innermost first.
    stack: Vec<u32>,
    /// Everything in its memories that is not zero.
    memory: Vec<u8>,
}

fn read(dump: &Path) -> Dump {
    let bytes = std::fs::read(dump).unwrap();
    let mut found = Dump::default();
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.expect("a module") {
            Payload::CustomSection(section) => match section.as_known() {
                KnownCustom::CoreDump(dump) => found.name = dump.name.to_owned(),
                KnownCustom::CoreDumpStack(stack) => {
                    found.stack = stack.frames.iter().map(|frame| frame.funcidx).collect();
                }
                _ => {}
            },
            Payload::DataSection(section) => {
                for data in section {
                    found.memory.extend_from_slice(data.unwrap().data);
                }
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_core_dump_has_the_stack_and_the_memory_of_a_process_that_trapped() {
    for way in WAYS {
        let folder = network(CRASHING);
        let mut run = transputer();
        run.current_dir(folder.path()).arg("run").args(way);
        run.args(["--core-dump", "made/dumps"]).write_stdin(NUMBERS);
        let said = run.assert().code(1).get_output().stderr.clone();
        let said = String::from_utf8(said).unwrap();
        let written = files(&folder.path().join("made/dumps"));
        let [written] = written.as_slice() else {
            panic!("{written:?}");
        };
        let name = written.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("worker.") && name.ends_with(".core.wasm"));
        assert!(
            said.contains(&format!("core dump: made/dumps/{name}")),
            "{said}"
        );
        let dump = read(written);
        assert!(dump.name.ends_with("crashes.wasm"), "{}", dump.name);
        assert!(!dump.stack.is_empty());
        // What it panicked with.
        let text = b"a bad number";
        assert!(dump.memory.windows(text.len()).any(|bytes| bytes == text));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(written).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "others could read what is in memory");
        }
    }
}

#[test]
fn programs_learn_where_a_core_dump_is() {
    let folder = network(CRASHING);
    let mut run = transputer();
    run.current_dir(folder.path())
        .args(["run", "--format", "json"]);
    run.args(["--core-dump", "dumps"]).write_stdin(NUMBERS);
    let output = run.output().unwrap();
    let lines = String::from_utf8(output.stderr).unwrap();
    let report: Value = serde_json::from_str(lines.lines().last().expect("a report")).unwrap();
    let trap = &report["report"]["failures"][0]["outcome"]["trapped"];
    let file = trap["core_dump"]["written"].as_str().expect("a file");
    assert!(folder.path().join(file).is_file(), "{file}");
}

#[test]
fn without_the_option_there_is_no_core_dump() {
    let folder = network(CRASHING);
    let mut run = transputer();
    run.current_dir(folder.path())
        .arg("run")
        .write_stdin(NUMBERS);
    run.assert().code(1).stderr(contains("core dump").not());
    assert_eq!(files(folder.path()).len(), 1, "only the network's file");
}

#[test]
fn there_are_so_many_core_dumps_and_no_more() {
    let restarts = "[process.worker.restart]\npolicy = \"on-failure\"\nbackoff = \"none\"\n\
                    attempts = 1\nintensity = 100\n";
    let folder = network(&format!("{CRASHING}\n{restarts}"));
    let mut run = transputer();
    run.current_dir(folder.path());
    run.args(["run", "--core-dump", "dumps"]);
    // Twenty over which it panics.
    run.write_stdin(b"\x19\x02\x9a".repeat(20));
    run.assert()
        .stderr(contains("  core dump: dumps/worker."))
        .stderr(contains(
            "  no core dump: 16 were written, which is the most",
        ));
    assert_eq!(files(&folder.path().join("dumps")).len(), 16);
}

#[test]
fn a_folder_of_core_dumps_is_out_of_reach_and_has_to_be_had() {
    let folder = network(&format!(
        "{CRASHING}\n[process.worker.grants]\ndirectories = [{{ host = \"data\", guest = \"/data\", write = true }}]\n"
    ));
    write(folder.path(), "data/something", "");
    let mut run = transputer();
    run.current_dir(folder.path());
    run.args(["run", "--core-dump", "data/dumps"])
        .write_stdin(NUMBERS);
    run.assert()
        .code(2)
        .stderr(contains("the folder of core dumps"));
    let folder = network(CRASHING);
    write(folder.path(), "taken", "a file");
    let mut run = transputer();
    run.current_dir(folder.path());
    run.args(["run", "--core-dump", "taken"])
        .write_stdin(NUMBERS);
    run.assert()
        .code(4)
        .stderr(contains("the folder of core dumps: taken"));
}

/// A process that computes some milliseconds over each of many numbers.
fn labour() -> tempfile::TempDir {
    let folder = network(
        r#"
[process.source]
component = "{guest:count}"
arguments = { limit = 50 }

[process.slow]
component = "labours.wasm"

[[channel]]
from = "source.numbers"
to = "slow.numbers"
"#,
    );
    put_guest(folder.path(), "labours");
    folder
}

#[test]
fn a_guest_profile_tells_in_which_functions_a_process_was() {
    for way in WAYS {
        let folder = labour();
        let mut run = transputer();
        run.current_dir(folder.path()).arg("run").args(way);
        run.args(["--profile", "guest=made/profiles"]);
        run.assert()
            .success()
            .stderr(contains("2 profiles in made/profiles"));
        let profiles = files(&folder.path().join("made/profiles"));
        let slow = profiles.iter().find(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("slow.") && name.ends_with(".profile.json")
        });
        let slow = std::fs::read(slow.expect("a profile")).unwrap();
        let profile: Value = serde_json::from_slice(&slow).unwrap();
        // The format of Firefox' profiler.
        assert_eq!(profile["meta"]["product"], "slow");
        assert!(profile["meta"]["preprocessedProfileVersion"].is_u64());
        let thread = &profile["threads"][0];
        let samples = thread["samples"]["length"].as_u64().expect("a number");
        // It computes longer than ten ticks, however fast the machine is.
        assert!(samples > 10, "{samples}");
        let functions = thread["funcTable"]["length"].as_u64().expect("a number");
        assert!(functions > 0, "{thread}");
    }
}

#[test]
fn perf_is_told_what_functions_are_called() {
    for way in WAYS {
        let folder = labour();
        // Compiled now, then from the cache.
        for _ in 0..2 {
            let mut run = transputer();
            run.current_dir(folder.path()).arg("run").args(way);
            run.args(["--profile", "perf", "--cache", "cache"]);
            let said = run.assert().success().get_output().stderr.clone();
            let said = String::from_utf8(said).unwrap();
            let start = said.find("/tmp/perf-").expect(&said);
            let end = start + said[start..].find(".map").expect(&said);
            let map = format!("{}.map", &said[start..end]);
            let text = std::fs::read_to_string(&map).expect(&map);
            std::fs::remove_file(&map).unwrap();
            // Addresses and lengths of code, with the names that the Rust of `count` has.
            let line = text
                .lines()
                .find(|line| line.contains("count"))
                .expect(&text);
            let mut words = line.split(' ');
            let mut number = || {
                let word = words.next().unwrap_or_default().trim_start_matches("0x");
                u64::from_str_radix(word, 16).expect(line)
            };
            assert!(number() > 0 && number() > 0, "{line}");
        }
    }
}

#[test]
fn ways_to_profile_that_there_are_not_are_refused() {
    let folder = labour();
    for (how, why) in [
        (
            &["--profile", "gprof"][..],
            "expected `perf`, `guest`, or `guest=FOLDER`",
        ),
        (
            &["--profile", "guest", "--seed", "1"],
            "cannot be used with",
        ),
    ] {
        let mut run = transputer();
        run.arg("run").arg(folder.path()).args(how);
        run.assert().code(2).stderr(contains(why));
    }
}
