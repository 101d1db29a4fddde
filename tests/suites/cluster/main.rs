//! Networks over several hosts, as users run them: one command a host, and a NATS server where they meet.
//!
//! Without a server these are NOT CHECKED, which they say; `tools/setup` or `tools/nats` installs one.

#[path = "../../../host/reach/tests/support/server.rs"]
#[allow(dead_code)]
mod server;

mod deadlock;
mod hosts;
mod promises;

use std::fs;
use std::process::Stdio;
use std::time::Instant;

use hosts::{Host, Network, example, holder, status, traffic, transputer, wait_until};
use server::Server;
use transputer_tests::repository;

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

#[test]
fn what_would_run_on_a_host_is_told_without_a_server() {
    let output = transputer()
        .args(["check", "examples/cluster", "--on", "filtering"])
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    let words: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let has = |row: &[&str]| words.iter().any(|words| words.starts_with(row));
    assert!(
        has(&["drop-bots", "drop-bots", "filtering", "one", "host,"]),
        "{text}"
    );
    let streams: Vec<_> = words
        .iter()
        .filter(|words| {
            words
                .first()
                .is_some_and(|word| word.starts_with("T_visits_"))
        })
        .collect();
    assert_eq!(streams.len(), 2, "{text}");
    assert!(streams[0].ends_with(&["drop-bots.visits", "16"]), "{text}");
    assert!(streams[1].ends_with(&["drop-bots.people", "16"]), "{text}");
    // Nothing of the other places.
    assert!(!has(&["aggregate", "aggregate", "counting"]), "{text}");
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
