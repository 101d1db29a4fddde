//! Ctrl-C, and requests to terminate.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use super::network;

const ECHO: &str = r#"
[process.echo]
component = "{guest:echo}"

[stdin]
to = "echo.lines"

[stdout]
from = "echo.out"
"#;

/// It never ends by itself.
const PARKS: &str = r#"
[process.echo]
component = "{guest:echo}"

[process.sleeps]
component = "{guest:sleeper}"
arguments = { milliseconds = 1000000000 }

[process.sink]
component = "{guest:parks}"

[[channel]]
from = "sleeps.slept"
to = "sink.input"

[stdin]
to = "echo.lines"

[stdout]
from = "echo.out"
"#;

/// A network that has answered a line, and so runs and waits for the next.
struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(mut command: Command) -> Running {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut running = Running {
            stdin: child.stdin.take().unwrap(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        running.exchange("hello\n");
        running
    }

    /// A line and its answer.
    fn exchange(&mut self, line: &str) {
        self.stdin.write_all(line.as_bytes()).unwrap();
        assert_eq!(self.answer(), line);
    }

    fn answer(&mut self) -> String {
        let mut answer = String::new();
        self.stdout.read_line(&mut answer).unwrap();
        answer
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status();
        assert!(status.unwrap().success());
    }

    /// What it still writes, what it says, and its exit code. Its standard input stays open.
    fn end(mut self) -> (String, String, Option<i32>) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        let output = self.child.wait_with_output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        (rest, errors, output.status.code())
    }
}

fn run(folder: &TempDir, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transputer"));
    command.arg("run").arg(folder.path()).args(more);
    command
}

/// The command, as a shell runs it after this.
fn after(script: &str, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{script} \"$@\""), "sh"])
        .arg(env!("CARGO_BIN_EXE_transputer"))
        .arg("run")
        .arg(folder);
    command
}

#[test]
fn an_interrupted_network_says_what_was_in_flight() {
    let folder = network(ECHO);
    let running = Running::start(run(&folder, &[]));
    running.signal("INT");
    let (_, errors, code) = running.end();
    assert_eq!(code, Some(130), "{errors}");
    assert!(errors.contains("interrupted"), "{errors}");
    assert!(errors.contains("  echo "), "{errors}");
}

#[test]
fn a_request_to_terminate_ends_stdin_and_lets_processes_finish() {
    let folder = network(ECHO);
    for (signal, number) in [("TERM", 15), ("HUP", 1)] {
        let mut running = Running::start(run(&folder, &[]));
        // A line that has begun belongs to what is finished.
        running.stdin.write_all(b"and ").unwrap();
        running.signal(signal);
        let mut errors = BufReader::new(running.child.stderr.take().unwrap());
        let mut said = String::new();
        errors.read_line(&mut said).unwrap();
        assert!(
            said.contains(&format!("SIG{signal}: standard input ends")),
            "{said}"
        );
        // Nobody may be there to read it.
        let _ = running.stdin.write_all(b"bye\nnever taken in\n");
        let (rest, _, code) = running.end();
        // Whether the beginning was seen before the signal is chance.
        assert!(["", "and bye\n"].contains(&rest.as_str()), "{rest}");
        assert_eq!(code, Some(128 + number));
    }
}

#[test]
fn a_network_that_does_not_finish_in_time_is_stopped() {
    let folder = network(PARKS);
    let running = Running::start(run(&folder, &["--grace", "10ms"]));
    running.signal("TERM");
    let (_, errors, code) = running.end();
    assert_eq!(code, Some(143), "{errors}");
    assert!(
        errors.contains("SIGTERM: not done in time, stopping"),
        "{errors}"
    );
    assert!(errors.contains("  sleeps "), "{errors}");
}

#[test]
fn with_json_everything_said_is_json() {
    let folder = network(PARKS);
    let options = ["--grace", "10ms", "--format", "json"];
    let running = Running::start(run(&folder, &options));
    running.signal("TERM");
    let (_, errors, code) = running.end();
    assert_eq!(code, Some(143), "{errors}");
    let said: Vec<serde_json::Value> = errors
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let find = |key: &str| said.iter().find(|object| object[key].is_object());
    assert_eq!(find("drains").unwrap()["drains"]["grace_milliseconds"], 10);
    assert_eq!(find("stops").unwrap()["stops"]["signal"], "SIGTERM");
    assert!(find("report").is_some(), "{errors}");
}

#[test]
fn a_second_signal_ends_the_command_at_once() {
    let folder = network(PARKS);
    let mut running = Running::start(run(&folder, &["--grace", "1h"]));
    running.signal("TERM");
    let mut errors = BufReader::new(running.child.stderr.take().unwrap());
    let mut said = String::new();
    errors.read_line(&mut said).unwrap();
    assert!(said.contains("1h to finish"), "{said}");
    running.signal("INT");
    let (_, _, code) = running.end();
    assert_eq!(code, Some(130));
}

#[test]
fn signals_that_the_parent_ignores_stay_ignored() {
    let folder = network(ECHO);
    for (script, signal) in [
        ("trap '' INT; exec", "INT"),
        ("trap '' TERM; exec", "TERM"),
        ("trap '' QUIT; exec", "QUIT"),
        ("exec nohup", "HUP"),
    ] {
        let mut running = Running::start(after(script, folder.path()));
        running.signal(signal);
        running.exchange("still here\n");
        // The others have their effect.
        running.signal(if signal == "INT" { "TERM" } else { "INT" });
        let (_, errors, code) = running.end();
        let expected = if signal == "INT" { 143 } else { 130 };
        assert_eq!(code, Some(expected), "{script}: {errors}");
    }
}

/// A shell without job control has commands in the background ignore what the keyboard sends.
#[test]
fn a_command_in_the_background_of_a_script_outlives_an_interrupt() {
    let folder = network(ECHO);
    let script =
        "exec 3<&0; run() { exec \"$@\" <&3; }; run \"$@\" & echo $! >&2; wait $!; exit $?; :";
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh"])
        .arg(env!("CARGO_BIN_EXE_transputer"))
        .arg("run")
        .arg(folder.path());
    let mut running = Running::start(command);
    let mut errors = BufReader::new(running.child.stderr.take().unwrap());
    let mut id = String::new();
    errors.read_line(&mut id).unwrap();
    let kill = |signal: &str| {
        let status = Command::new("kill").args([signal, id.trim()]).status();
        assert!(status.unwrap().success());
    };
    kill("-INT");
    running.exchange("still here\n");
    kill("-TERM");
    let (_, _, code) = running.end();
    assert_eq!(code, Some(143));
}
