//! Limits and grants on the command line.

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

use crate::{network, transputer};

#[test]
fn check_prints_what_each_process_may_use_and_reach() {
    let folder = network(
        r#"
[network]
name = "granted"
[network.limits]
memory = "1 GiB"
processes = 50
channels = 70
cpu = "1 min"
[components]
parks = "{guest:parks}"
[process.much]
component = "{guest:no_ports}"
[process.much.limits]
memory = "8 MiB"
message = "1 MiB"
cpu = "2 s"
wall = "3 s"
operation = "4 s"
children = 5
channels = 6
log = 7
[process.much.grants]
stdio = true
clocks = true
env = ["HOME"]
directories = [{ host = "in", guest = "/in" }, { host = "out", guest = "/out", write = true }]
network = ["127.0.0.1:80"]
spawn = ["parks"]
[process.little]
component = "{guest:no_ports}"
"#,
    );
    let mut expected = transputer();
    let output = expected.arg("check").arg(folder.path()).assert().success();
    let printed = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    for grant in [
        "stdio",
        "clocks",
        "env HOME",
        "as /in",
        "as /out",
        "network 127.0.0.1:80",
        "spawn parks",
        "memory 8.00 MiB",
        "message 1.00 MiB",
        "cpu 2s",
        "wall 3s",
        "operation 4s",
        "children 5",
        "channels 6",
        "log 7 lines/s",
        "all together: memory 1.00 GiB, processes 50, channels 70, cpu 60s",
    ] {
        assert!(printed.contains(grant), "no `{grant}` in\n{printed}");
    }
    let little = printed.lines().find(|line| line.starts_with(" little"));
    let little = little.unwrap_or_else(|| panic!("no `little` in\n{printed}"));
    assert!(
        little.contains("default") && little.trim_end().ends_with("none"),
        "{little}"
    );
}

#[test]
fn the_hosts_totals_hold() {
    let folder = network("[process.a]\ncomponent = \"{guest:no_ports}\"\n");
    let run = |arguments: &[&str]| {
        let mut command = transputer();
        command.arg("run").arg(folder.path()).args(arguments);
        command.assert()
    };
    run(&["--max-memory", "64MiB", "--max-channels", "9"]).success();
    run(&["--max-memory", "64KiB"])
        .code(1)
        .stderr(contains("over its memory limit").and(contains("to all of its host together")));
    run(&["--max-memory", "much"])
        .code(2)
        .stderr(contains("64MiB"));
    run(&["--at-capacity", "sometimes"])
        .code(2)
        .stderr(contains("write `fail`, `wait`, or a time"));
}

#[test]
fn a_guest_writes_to_standard_output_if_it_is_granted() {
    for (granted, expected) in [("stdio = true", "seen\n"), ("stdio = false", "")] {
        let folder = network(&format!(
            "[process.a]\ncomponent = \"{{guest:asks_wasi}}\"\ngrants = {{ {granted} }}\n\
             [stdin]\nto = \"a.questions\"\nformat = \"cbor\"\n\
             [stdout]\nfrom = \"a.answers\"\nformat = \"cbor\"\n"
        ));
        // One text in CBOR: "stderr seen".
        let question = b"\x6bstderr seen".to_vec();
        transputer()
            .arg("run")
            .arg(folder.path())
            .args(["--quiet"])
            .write_stdin(question)
            .assert()
            .success()
            .stdout(contains("done"))
            .stderr(expected);
    }
}
