//! Networks over several hosts, as users run them: one command a host, and a NATS server where they meet.
//!
//! Without a server these are NOT CHECKED, which they say; `tools/setup` or `tools/nats` installs one.

#[path = "../../host/reach/tests/support/server.rs"]
#[allow(dead_code)]
mod server;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use server::Server;
use transputer_tests::repository;

/// Longer than anything takes, unless it never ends.
const EVER: Duration = Duration::from_secs(120);

/// The command, which `tools/test` has built.
fn transputer() -> Command {
    let tests = std::env::current_exe().expect("a test has a file");
    let folder = tests.ancestors().nth(2).expect("tests lie in `deps`");
    let path = folder.join("transputer");
    assert!(path.is_file(), "the command is not built: run `tools/test`");
    let mut command = Command::new(path);
    command
        .current_dir(repository())
        .env_remove("TRANSPUTER_NATS");
    command
}

fn example(name: &str) -> String {
    let path = repository().join("examples").join(name);
    fs::read_to_string(path).expect("an example")
}

/// The network of the example, with other settings, in a folder of its own beside the example's.
struct Network {
    folder: PathBuf,
}

impl Network {
    fn with(change: impl FnOnce(String) -> String) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cluster-{}-{count}", std::process::id());
        let folder = repository().join("target/tests").join(name);
        fs::create_dir_all(&folder).expect("there is room");
        let pipeline = repository().join("examples/pipeline").display().to_string();
        let text = example("cluster/network.toml").replace("../pipeline", &pipeline);
        fs::write(folder.join("network.toml"), change(text)).expect("there is room");
        Self { folder }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A host: a command that runs.
struct Host {
    child: Child,
    stdin: Option<ChildStdin>,
    stderr: tempfile::NamedTempFile,
}

impl Host {
    fn start(network: &Path, server: &Server, on: &str, name: &str) -> Self {
        let stderr = tempfile::NamedTempFile::new().expect("a file");
        let mut command = transputer();
        command.arg("run").arg(network);
        command.args(["--on", on, "--host", name, "--nats", &server.url()]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr.reopen().expect("a file"))
            .spawn()
            .expect("it starts");
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            stderr,
        }
    }

    fn said(&self) -> String {
        fs::read_to_string(self.stderr.path()).unwrap_or_default()
    }

    /// Waits until it says this.
    fn until_it_says(&self, what: &str) {
        wait_until(
            || self.said().contains(what),
            || format!("{what:?} in {}", self.said()),
        );
    }

    fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("it reads");
        stdin.write_all(text.as_bytes()).expect("it reads");
        stdin.flush().expect("it reads");
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status();
        assert!(status.expect("there is `kill`").success());
    }

    /// Its end: its exit code, and what it printed.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.stdin.take());
        let mut stdout = self.child.stdout.take().expect("it was piped");
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = stdout.read_to_string(&mut text);
            text
        });
        let stderr = self.stderr.path().to_owned();
        let said = || fs::read_to_string(&stderr).unwrap_or_default();
        wait_until(
            || matches!(self.child.try_wait(), Ok(Some(_))),
            || format!("its end: {}", said()),
        );
        let status = self.child.wait().expect("it has ended");
        (status.code(), reading.join().expect("it reads"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}

fn wait_until(mut done: impl FnMut() -> bool, what: impl Fn() -> String) {
    let until = Instant::now() + EVER;
    while !done() {
        assert!(Instant::now() < until, "waited in vain for {}", what());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn status(network: &Path, server: &Server) -> Value {
    let output = transputer()
        .args(["cluster", "status", "--json", "--nats", &server.url()])
        .arg(network)
        .output()
        .expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

/// Which host runs a part.
fn holder(network: &Path, server: &Server, part: &str) -> Option<String> {
    let status = status(network, server);
    let leases = status["leases"].as_array()?;
    let lease = leases.iter().find(|lease| lease["part"] == part)?;
    Some(lease["host"].as_str()?.to_owned())
}

/// How many messages are in all channels, and how many were sent into the first one.
fn traffic(network: &Path, server: &Server) -> (u64, u64) {
    let status = status(network, server);
    let channels = status["channels"].as_array().expect("channels");
    let number = |channel: &Value, key: &str| channel[key].as_u64().unwrap_or(0);
    let inside = channels.iter().map(|it| number(it, "messages")).sum();
    (inside, channels.first().map_or(0, |it| number(it, "sent")))
}

#[test]
fn without_on_all_of_it_runs_on_one_host_without_a_server() {
    let log = fs::File::open(repository().join("examples/pipeline/access.log"));
    let output = transputer()
        .args(["run", "examples/cluster"])
        .stdin(log.expect("a log"))
        .output()
        .expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        example("cluster/expected.txt"),
        "{errors}"
    );
}

#[test]
fn three_hosts_make_the_same_totals() {
    let Some(server) = Server::start("three hosts") else {
        return;
    };
    let network = repository().join("examples/cluster");
    // Whichever comes first.
    let counting = Host::start(&network, &server, "counting", "c");
    let filtering = Host::start(&network, &server, "filtering", "f");
    let mut edge = Host::start(&network, &server, "edge", "e");
    edge.write(&example("pipeline/access.log"));
    assert_eq!(edge.end().0, Some(0));
    assert_eq!(filtering.end().0, Some(0));
    assert_eq!(counting.end(), (Some(0), example("cluster/expected.txt")));
}

#[test]
fn a_host_killed_in_the_middle_changes_no_total() {
    let Some(server) = Server::start("a host killed") else {
        return;
    };
    let network = repository().join("examples/cluster");
    let log = example("pipeline/access.log");
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    let (first, second) = lines.split_at(lines.len() / 2);
    let counting = Host::start(&network, &server, "counting", "c");
    let mut one = Host::start(&network, &server, "filtering", "one");
    one.until_it_says("part `drop-bots` runs here");
    let two = Host::start(&network, &server, "filtering", "two");
    let mut edge = Host::start(&network, &server, "edge", "e");
    edge.write(&first.concat());
    // All of the first half has arrived: what a host has in hand when it dies would come twice.
    wait_until(
        || matches!(traffic(&network, &server), (0, sent) if sent > 1000),
        || {
            format!(
                "the first half: {:?} {}",
                traffic(&network, &server),
                one.said()
            )
        },
    );
    assert_eq!(
        holder(&network, &server, "drop-bots").as_deref(),
        Some("one")
    );
    one.kill();
    let killed = Instant::now();
    edge.write(&second.concat());
    two.until_it_says("part `drop-bots` runs here");
    eprintln!(
        "the other host went on {:?} after the kill, with a lease of 2 s",
        killed.elapsed()
    );
    assert_eq!(edge.end().0, Some(0));
    assert_eq!(two.end().0, Some(0));
    assert_eq!(counting.end(), (Some(0), example("cluster/expected.txt")));
}

#[test]
#[cfg(unix)]
fn a_host_that_is_asked_to_terminate_hands_over_without_waiting_for_its_lease() {
    let Some(server) = Server::start("a host hands over") else {
        return;
    };
    // Longer than the test waits for anything.
    let network = Network::with(|text| text.replace("lease = \"2 s\"", "lease = \"10 min\""));
    let network = &network.folder;
    let log = example("pipeline/access.log");
    let counting = Host::start(network, &server, "counting", "c");
    let one = Host::start(network, &server, "filtering", "one");
    one.until_it_says("part `drop-bots` runs here");
    let two = Host::start(network, &server, "filtering", "two");
    let mut edge = Host::start(network, &server, "edge", "e");
    edge.write(&log[..log.len() / 3]);
    wait_until(|| traffic(network, &server).1 > 0, || one.said());
    one.signal("TERM");
    let handed = one.end();
    assert_eq!(handed.0, Some(143));
    two.until_it_says("part `drop-bots` runs here");
    edge.write(&log[log.len() / 3..]);
    assert_eq!(edge.end().0, Some(0));
    assert_eq!(two.end().0, Some(0));
    let (code, totals) = counting.end();
    assert_eq!(code, Some(0));
    // What was in hand may have been counted twice, and nothing less than once.
    let total = |text: &str| -> u64 {
        let numbers = text.split(|c: char| !c.is_ascii_digit());
        numbers.filter_map(|it| it.parse::<u64>().ok()).sum()
    };
    assert!(
        total(&totals) >= total(&example("cluster/expected.txt")),
        "{totals}"
    );
}

#[test]
fn a_run_is_over_until_it_is_deleted() {
    let Some(server) = Server::start("a run is over") else {
        return;
    };
    let network = repository().join("examples/cluster");
    let run = |expected: &str| {
        let mut command = transputer();
        command.args(["run", "examples/cluster", "--nats", &server.url()]);
        command.args(["--on", "edge", "--on", "filtering", "--on", "counting"]);
        let log = fs::File::open(repository().join("examples/pipeline/access.log"));
        let output = command
            .stdin(log.expect("a log"))
            .output()
            .expect("it runs");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            expected,
            "{errors}"
        );
        assert_eq!(output.status.code(), Some(0), "{errors}");
        errors
    };
    run(&example("cluster/expected.txt"));
    let errors = run("");
    assert!(
        errors.contains("part `aggregate` has ended in this run"),
        "{errors}"
    );
    assert_eq!(
        status(&network, &server)["leases"].as_array().map(Vec::len),
        Some(0)
    );
    let deleted = transputer()
        .args([
            "cluster",
            "delete",
            "examples/cluster",
            "--nats",
            &server.url(),
        ])
        .output()
        .expect("it runs");
    let errors = String::from_utf8_lossy(&deleted.stderr);
    assert!(
        deleted.status.success() && errors.contains("deleted 4 streams"),
        "{errors}"
    );
    run(&example("cluster/expected.txt"));
}

#[test]
fn another_version_of_the_network_is_refused() {
    let Some(server) = Server::start("another version") else {
        return;
    };
    let host = Host::start(
        &repository().join("examples/cluster"),
        &server,
        "counting",
        "c",
    );
    host.until_it_says("part `aggregate` runs here");
    let other = Network::with(|text| text.replacen("capacity = 16", "capacity = 17", 1));
    let refused = Host::start(&other.folder, &server, "filtering", "f");
    refused.until_it_says("another version of this one");
    assert_eq!(refused.end().0, Some(2));
}

#[test]
fn no_server_is_waited_for_and_said() {
    let output = transputer()
        .args([
            "run",
            "examples/cluster",
            "--on",
            "edge",
            "--nats",
            "nats://127.0.0.1:1",
        ])
        .args(["--nats-wait", "1s"])
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{errors}");
    assert!(
        errors.contains("waiting for a NATS server at nats://127.0.0.1:1"),
        "{errors}"
    );
    assert!(
        errors.contains("no NATS server at nats://127.0.0.1:1 after"),
        "{errors}"
    );
}

/// What is refused before anything runs, with the exit code 2.
#[test]
fn what_makes_no_sense_on_several_hosts_is_refused() {
    let cases: &[(&[&str], &str)] = &[
        (
            &["run", "examples/cluster", "--on", "edg"],
            "no process has the place `edg`",
        ),
        (
            &["check", "examples/cluster", "--on", "edg"],
            "did you mean `edge`?",
        ),
        (
            &["run", "examples/pipeline", "--on", "edge"],
            "process `parse` has no `place`",
        ),
        (
            &["run", "examples/cluster", "--on", "edge", "--seed", "1"],
            "cannot be used with",
        ),
        (
            &["explore", "examples/cluster", "--on", "edge"],
            "leave `--on` out",
        ),
        (
            &["run", "examples/cluster", "--nats", "nats://x"],
            "--nats is for a network that runs on several hosts",
        ),
        (
            &["run", "examples/cluster", "--on", "edge"],
            "where do the hosts meet?",
        ),
    ];
    for (arguments, expected) in cases {
        let output = transputer()
            .args(*arguments)
            .stdin(Stdio::null())
            .output()
            .expect("it runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(expected), "{arguments:?}: {errors}");
    }
}

#[test]
#[cfg(unix)]
fn credentials_that_others_can_read_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let file = tempfile::NamedTempFile::new().expect("a file");
    let mode = fs::Permissions::from_mode(0o644);
    fs::set_permissions(file.path(), mode).expect("it is ours");
    let output = transputer()
        .args([
            "run",
            "examples/cluster",
            "--on",
            "edge",
            "--nats",
            "nats://127.0.0.1:1",
            "--credentials",
        ])
        .arg(file.path())
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("whose mode is 644: `chmod 600"), "{errors}");
}
