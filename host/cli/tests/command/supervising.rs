//! Restarts as they are shown, and `run --watch`.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};

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
pub(super) const NUMBERS: &[u8] = b"\x01\x19\x02\x9a\x02";

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

/// `run --watch`, fed with numbers.
struct Watched {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Watched {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_transputer"))
            .args(["run", "--watch"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut watched = Self {
            stdin: child.stdin.take().unwrap(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            stderr: BufReader::new(child.stderr.take().unwrap()),
            child,
        };
        watched.says("watching");
        watched
    }

    /// Waits until it has said so.
    fn says(&mut self, part: &str) {
        until(&mut self.stderr, part);
    }

    /// The relay passes a number on as another one.
    fn passes(&mut self, number: u8, expected: &str) {
        self.stdin.write_all(&[number]).unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), expected);
    }

    fn end(mut self) {
        drop(self.stdin);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn a_component_that_is_built_anew_replaces_the_one_that_runs() {
    let folder = network(RELAY);
    let built = |name: &str| std::fs::read(guest(name)).unwrap();
    renew(folder.path(), &built("relays"));
    let mut watched = Watched::start(folder.path());
    watched.passes(1, "1");
    renew(folder.path(), &built("relays_marked"));
    watched.says("`relay` runs");
    watched.passes(2, "9223372036854775810");
    renew(folder.path(), b"no component at all");
    watched.says("not a WebAssembly file");
    renew(folder.path(), &built("echo"));
    watched.says("cannot take the place of");
    watched.passes(3, "9223372036854775811");
    watched.end();
}

#[test]
fn a_change_of_the_networks_file_is_told_and_changes_nothing() {
    let folder = network(RELAY);
    renew(folder.path(), &std::fs::read(guest("relays")).unwrap());
    let mut watched = Watched::start(folder.path());
    watched.passes(1, "1");
    let file = folder.path().join("network.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text + "\n[process.another]\ncomponent = \"nowhere.wasm\"\n",
    )
    .unwrap();
    watched.says("the network's file: it has changed, but is read at the start only");
    watched.passes(2, "2");
    // Components are still followed.
    renew(
        folder.path(),
        &std::fs::read(guest("relays_marked")).unwrap(),
    );
    watched.says("`relay` runs");
    watched.end();
}

/// A guest that adds what an expression says to each number.
fn adds(modules: &str, amount: &str) -> String {
    format!(
        "{modules}
        use transputer_guest::{{Error, Receiver, Sender, process}};

        #[process]
        fn relay(numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {{
            for number in numbers {{
                out.send(&(number + {amount}))?;
            }}
            Ok(())
        }}"
    )
}

#[test]
fn a_guest_whose_source_changes_is_built_and_replaces_the_one_that_runs() {
    let folder = network(&RELAY.replace("relay.wasm", "relay"));
    let write = |name: &str, text: &str| write(&folder.path().join("relay"), name, text);
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk/rust");
    write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"relay\"\nedition = \"2024\"\n\n\
             [lib]\ncrate-type = [\"cdylib\"]\n\n\
             [dependencies]\ntransputer-guest = {{ path = {sdk:?} }}\n\n[workspace]\n"
        ),
    );
    write("src/lib.rs", &adds("", "0"));
    let mut watched = Watched::start(folder.path());
    watched.passes(1, "1");
    write("src/lib.rs", &adds("", "10"));
    watched.says("`relay` runs");
    watched.passes(2, "12");
    // One that comes up in a new folder, with a mistake that is mended there.
    write("src/new/amount.rs", "pub const AMOUNT: u64 = true;");
    write(
        "src/lib.rs",
        &adds("mod new { pub mod amount; }", "new::amount::AMOUNT"),
    );
    watched.says("could not build relay");
    watched.passes(3, "13");
    write("src/new/amount.rs", "pub const AMOUNT: u64 = 20;");
    watched.says("`relay` runs");
    watched.passes(4, "24");
    write("src/new/amount.rs", "pub const AMOUNT: u64 = 30;");
    watched.says("`relay` runs");
    watched.passes(5, "35");
    watched.end();
}
