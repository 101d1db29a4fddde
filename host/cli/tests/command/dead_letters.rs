//! `--dead-letter FILE`: whatever happens, every message of stdin is answered or in the file.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use tempfile::TempDir;

use super::{network, transputer};

pub(super) const ANSWERS: &str = r#"
[network]
name = "answers"

[process.answers]
component = "{guest:answers}"

[stdin]
to = "answers.lines"
format = "lines"
capacity = 4

[stdout]
from = "answers.out"
format = "lines"
"#;

pub(super) fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("left.jsonl")
}

pub(super) fn run(folder: &TempDir, more: &[&str]) -> assert_cmd::Command {
    let mut command = transputer();
    command.arg("run").arg(folder.path());
    command.arg("--dead-letter").arg(file(folder)).args(more);
    command
}

/// The lines of a dead-letter file that are whole.
pub(super) fn records(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).expect("the file is there");
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let line = |line: &str| serde_json::from_str(line).expect("a JSON object");
    whole.lines().map(line).collect()
}

/// The texts of the messages in this state.
fn texts<'a>(records: &'a [Value], state: &str) -> Vec<&'a str> {
    let of_state = records.iter().filter(|record| record["state"] == state);
    of_state
        .filter_map(|record| record["text"].as_str())
        .collect()
}

#[test]
fn a_network_that_succeeds_leaves_no_file() {
    let folder = network(ANSWERS);
    for more in [&[][..], &["--one-to-one"], &["--seed", "7"]] {
        run(&folder, more)
            .write_stdin("one\ntwo\nthree")
            .assert()
            .code(0)
            .stdout("one\ntwo\nthree\n")
            .stderr("");
        assert!(!file(&folder).exists());
    }
}

#[test]
fn what_a_trap_leaves_is_in_the_file_with_its_state() {
    let folder = network(ANSWERS);
    run(&folder, &["--one-to-one"])
        .write_stdin("one\ntwo\ntrap\nthree\n\u{e9}\nfour\n")
        .assert()
        .code(1)
        .stderr(contains("messages left in").and(contains("in flight")));
    let records = records(&file(&folder));
    assert_eq!(records[0]["network"], "answers");
    assert_eq!(records[0]["ended"], "failed");
    let in_flight = texts(&records, "in-flight");
    assert!(in_flight.contains(&"trap"), "{records:?}");
    // How many of the others were accepted before the trap is chance; none of them is lost.
    let accepted = ["three", "\u{e9}", "four"];
    let undelivered: Vec<_> = records
        .iter()
        .filter(|record| record["state"] == "undelivered" && record["message"].is_u64())
        .filter_map(|record| record["text"].as_str())
        .collect();
    assert_eq!(undelivered, accepted[..undelivered.len()], "{records:?}");
}

#[test]
fn what_a_process_leaves_that_finishes_early_is_in_the_file() {
    let folder = network(ANSWERS);
    run(&folder, &["--seed", "1"])
        .write_stdin("one\nfinish\ntwo\n")
        .assert()
        .code(0)
        .stdout("one\n")
        .stderr(contains("0 in flight, 1 not delivered"));
    let records = records(&file(&folder));
    assert_eq!(texts(&records, "undelivered"), ["two"]);
    assert_eq!(records.len(), 2, "{records:?}");
}

#[test]
fn what_an_earlier_run_left_is_reported_and_sent_again_on_request() {
    let folder = network(ANSWERS);
    let stdin = "one\ntwo\nfail\nthree\n";
    run(&folder, &["--seed", "1", "--one-to-one"])
        .write_stdin(stdin)
        .assert()
        .code(1);
    let left = records(&file(&folder));
    run(&folder, &[])
        .write_stdin("new\n")
        .assert()
        .code(2)
        .stdout("")
        .stderr(contains("in flight").and(contains("--replay")));
    assert_eq!(records(&file(&folder)), left, "it was left as it was");

    // The message at which it failed makes it fail again, and stays.
    run(&folder, &["--replay", "--seed", "1", "--one-to-one"])
        .write_stdin("new\n")
        .assert()
        .code(1);
    assert!(texts(&records(&file(&folder)), "in-flight").contains(&"fail"));
    let text = std::fs::read_to_string(file(&folder)).unwrap();
    std::fs::write(file(&folder), text.replace("\"fail\"", "\"mended\"")).unwrap();
    run(&folder, &["--replay"])
        .write_stdin("new\n")
        .assert()
        .code(0)
        .stdout(contains("mended\n").and(contains("new\n")));
    only_others_are_left(&folder);
}

#[test]
fn another_file_is_not_overwritten() {
    let folder = network(ANSWERS);
    std::fs::write(file(&folder), "my diary\n").unwrap();
    for more in [&[][..], &["--replay"]] {
        run(&folder, more)
            .write_stdin("one\n")
            .assert()
            .code(4)
            .stdout("")
            .stderr(contains("not a dead-letter file"));
    }
    assert_eq!(
        std::fs::read_to_string(file(&folder)).unwrap(),
        "my diary\n"
    );
}

const DROPS: &str = r#"
[process.first]
component = "{guest:answers}"

[process.second]
component = "{guest:answers}"

[[channel]]
name = "between"
from = "first.out"
to = "second.lines"
capacity = 1
overflow = "drop-newest"

[stdin]
to = "first.lines"
format = "lines"
capacity = 4

[stdout]
from = "second.out"
format = "lines"
"#;

#[test]
fn what_overflow_drops_is_in_the_file() {
    let folder = network(DROPS);
    let output = run(&folder, &[])
        .write_stdin("a\nb\nc\nd\ne\nf\ng\nh\n")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let mut all = output.stdout.clone();
    all.retain(|byte| *byte != b'\n');
    if file(&folder).exists() {
        for record in &records(&file(&folder))[1..] {
            assert_eq!(record["channel"], "between");
            assert_eq!(record["state"], "undelivered");
            let bytes = record["bytes"].as_array().unwrap();
            all.extend(
                bytes
                    .iter()
                    .filter_map(|byte| u8::try_from(byte.as_u64()?).ok()),
            );
        }
    }
    all.sort_unstable();
    assert_eq!(all, b"abcdefgh");
}

/// A run that is fed numbered lines without end, and killed when it has written so much.
struct Killed {
    status: ExitStatus,
    /// How many lines came out.
    answered: u64,
}

pub(super) fn line(number: u64) -> String {
    format!("line {number}")
}

fn feed(child: &mut Child) -> std::thread::JoinHandle<()> {
    let mut stdin = child.stdin.take().unwrap();
    std::thread::spawn(move || {
        // Ends when the reader is gone.
        for chunk in 0.. {
            let lines: String = (1..=50).map(|n| line(chunk * 50 + n) + "\n").collect();
            if stdin.write_all(lines.as_bytes()).is_err() {
                break;
            }
        }
    })
}

fn kill_after(folder: &TempDir, signal: &str, bytes: usize, more: &[&str]) -> Killed {
    let mut child = Command::new(env!("CARGO_BIN_EXE_transputer"))
        .arg("run")
        .arg(folder.path())
        .arg("--dead-letter")
        .arg(file(folder))
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let feeding = feed(&mut child);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut seen = vec![0; bytes];
    stdout
        .read_exact(&mut seen)
        .expect("there is no end of lines");
    let kill = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    stdout.read_to_end(&mut seen).unwrap();
    let status = child.wait().unwrap();
    feeding.join().unwrap();
    // A line that is cut short has not been answered.
    let whole = seen
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let answers = seen[..whole].lines().map(Result::unwrap);
    let mut answered = 0;
    for (answer, number) in answers.zip(1..) {
        assert_eq!(answer, line(number));
        answered = number;
    }
    Killed { status, answered }
}

/// Checks that every message that was accepted is in the output or in the file, and gives back
/// the last one, if it is in the file.
fn nothing_is_lost(folder: &TempDir, answered: u64) -> Option<u64> {
    let records = records(&file(folder));
    let struck = records
        .iter()
        .filter_map(|record| record["written"].as_u64());
    let struck = struck.max().unwrap_or(0);
    assert!(
        struck <= answered,
        "{struck} struck out, {answered} answered"
    );
    let messages: BTreeMap<u64, &str> = records
        .iter()
        .filter_map(|record| Some((record["message"].as_u64()?, record["text"].as_str()?)))
        .filter(|(number, _)| *number > struck)
        .collect();
    let accepted = messages.keys().next_back().copied().unwrap_or(struck);
    assert!(
        answered <= accepted,
        "{answered} answered, {accepted} accepted"
    );
    for number in 1..=accepted {
        let in_file = messages
            .get(&number)
            .is_some_and(|text| *text == line(number));
        assert!(in_file || number <= answered, "message {number} is lost");
    }
    Some(accepted).filter(|accepted| *accepted > struck)
}

/// Bytes of output after which to kill, from a few lines to some buffers full.
fn moments() -> impl Iterator<Item = usize> {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    (0..8).map(move |_| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        8 << (random % 17)
    })
}

/// Runs again on what was left, and checks that it comes out to the last message.
fn replays(folder: &TempDir, accepted: u64) {
    run(folder, &[])
        .write_stdin("")
        .assert()
        .code(2)
        .stderr(contains("messages of an earlier run"));
    let output = run(folder, &["--replay"]).write_stdin("").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let last = output.stdout.lines().last().unwrap().unwrap();
    assert_eq!(last, line(accepted));
    assert!(!file(folder).exists());
}

#[test]
fn a_killed_host_has_lost_nothing() {
    let folder = network(ANSWERS);
    for (more, bytes) in [&["--one-to-one"][..], &[]]
        .into_iter()
        .cycle()
        .zip(moments())
    {
        let killed = kill_after(&folder, "-KILL", bytes, more);
        assert_eq!(killed.status.code(), None);
        match nothing_is_lost(&folder, killed.answered) {
            Some(accepted) => replays(&folder, accepted),
            None => std::fs::remove_file(file(&folder)).unwrap(),
        }
    }
}

#[test]
fn a_stopped_host_has_lost_nothing() {
    let folder = network(ANSWERS);
    for bytes in moments().take(3) {
        let killed = kill_after(&folder, "-INT", bytes, &["--one-to-one"]);
        assert_eq!(killed.status.code(), Some(130));
        if !file(&folder).exists() {
            // It was just waiting for the next line.
            continue;
        }
        let accepted = nothing_is_lost(&folder, killed.answered).expect("lines wait for ever");
        let records = records(&file(&folder));
        assert_eq!(records[0]["ended"], "stopped");
        let states = records[1..]
            .iter()
            .all(|record| record["state"].is_string());
        assert!(states, "{records:?}");
        replays_what_can_be(&folder, accepted);
    }
}

#[test]
fn a_drained_host_has_answered_all_that_it_accepted() {
    let folder = network(ANSWERS);
    for bytes in moments().take(3) {
        let drained = kill_after(&folder, "-TERM", bytes, &["--grace", "5min"]);
        assert_eq!(drained.status.code(), Some(143));
        assert!(drained.answered > 0);
        assert!(!file(&folder).exists(), "nothing is left");
    }
}

#[test]
fn a_file_that_another_run_is_writing_is_left_alone() {
    let folder = network(ANSWERS);
    let mut first = Command::new(env!("CARGO_BIN_EXE_transputer"))
        .arg("run")
        .arg(folder.path())
        .arg("--dead-letter")
        .arg(file(&folder))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = first.stdin.take().unwrap();
    let mut answers = BufReader::new(first.stdout.take().unwrap()).lines();
    stdin.write_all(b"one\n").unwrap();
    assert_eq!(answers.next().unwrap().unwrap(), "one");
    let before = std::fs::read(file(&folder)).unwrap();
    for more in [&[][..], &["--replay"]] {
        run(&folder, more)
            .write_stdin("two\n")
            .assert()
            .code(4)
            .stdout("")
            .stderr(contains(format!("in use by process {}", first.id())));
    }
    assert_eq!(std::fs::read(file(&folder)).unwrap(), before);
    stdin.write_all(b"three\n").unwrap();
    drop(stdin);
    assert_eq!(answers.next().unwrap().unwrap(), "three");
    assert!(first.wait().unwrap().success());
    assert!(!file(&folder).exists());
}

#[test]
fn a_run_that_was_killed_holds_nothing() {
    let folder = network(ANSWERS);
    let killed = kill_after(&folder, "-KILL", 8, &[]);
    assert_eq!(killed.status.code(), None);
    run(&folder, &["--replay"])
        .write_stdin("")
        .assert()
        .code(0)
        .stdout(contains("line 1\n"));
}

#[test]
fn a_planted_link_is_not_followed() {
    let folder = network(ANSWERS);
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, folder.path().join("left.jsonl.new")).unwrap();
    run(&folder, &[])
        .write_stdin("one\nfail\n")
        .assert()
        .code(1);
    assert!(file(&folder).exists());
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
}

/// After a stop in order, answers that were not written may be in the file as well; nobody can send
/// those again.
fn replays_what_can_be(folder: &TempDir, accepted: u64) {
    let output = run(folder, &["--replay"]).write_stdin("").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let last = output.stdout.lines().last().unwrap().unwrap();
    assert_eq!(last, line(accepted));
    only_others_are_left(folder);
}

/// Nothing of stdin is in the file. Answers that never reached stdout may be, for good.
fn only_others_are_left(folder: &TempDir) {
    if file(folder).exists() {
        let records = records(&file(folder));
        let others =
            |record: &Value| record["message"].is_null() && record["state"] == "undelivered";
        assert!(records[1..].iter().all(others), "{records:?}");
        std::fs::remove_file(file(folder)).unwrap();
    }
}
