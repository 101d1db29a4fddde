//! Limits and grants on the command line.

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

use crate::{network, transputer};

/// As `tests/hostile` would have it: the writer could put a link in the place of the folder beneath.
#[test]
fn a_grant_beneath_one_that_may_be_written_is_refused() {
    let folder = network(
        r#"
[process.p]
component = "{guest:no_ports}"
grants.directories = [
    { host = "data", guest = "/d", write = true },
    { host = "data/sub", guest = "/s" },
]
"#,
    );
    std::fs::create_dir_all(folder.path().join("data/sub")).unwrap();
    for command in ["check", "run"] {
        let mut refused = transputer();
        refused
            .arg(command)
            .arg(folder.path())
            .assert()
            .code(2)
            .stderr(
                contains("network.toml:6:5: error: process `p` is granted the directory ")
                    .and(contains("data/sub, which lies beneath "))
                    .and(contains("process `p` may write there")),
            );
    }
}

/// A link on the way counts as well.
#[cfg(unix)]
#[test]
fn a_grant_by_way_of_a_folder_that_may_be_written_is_refused() {
    let folder = network(
        r#"
[process.writer]
component = "{guest:no_ports}"
grants.directories = [{ host = "data", guest = "/d", write = true }]
[process.reader]
component = "{guest:no_ports}"
grants.directories = [{ host = "elsewhere", guest = "/s" }]
"#,
    );
    std::fs::create_dir_all(folder.path().join("data/sub")).unwrap();
    std::os::unix::fs::symlink("data/sub", folder.path().join("elsewhere")).unwrap();
    let mut refused = transputer();
    refused
        .arg("check")
        .arg(folder.path())
        .assert()
        .code(2)
        .stderr(contains("network.toml:7:").and(contains("process `writer` may write there")));
}

#[test]
fn a_grant_of_what_the_command_relies_on_is_refused() {
    let text = r#"
[process.p]
component = "code/own.wasm"
grants.directories = [{ host = "HOST", guest = "/d" }]
"#;
    let refused = |host: &str, arguments: &[&str], what: &str| {
        let folder = network(&text.replace("HOST", host));
        std::fs::create_dir(folder.path().join("code")).unwrap();
        std::fs::copy(
            crate::guest("no_ports"),
            folder.path().join("code/own.wasm"),
        )
        .unwrap();
        std::fs::create_dir_all(folder.path().join("data/cache")).unwrap();
        let mut command = transputer();
        command.current_dir(folder.path()).args(arguments);
        command.assert().code(2).stderr(
            contains("network.toml:4:23: error: process `p` is granted the directory ")
                .and(contains(what)),
        );
    };
    refused(".", &["check"], "the network file");
    refused("code", &["check"], "the component `code/own.wasm`");
    refused(
        "data",
        &["run", "--cache", "data/cache"],
        "the folder of compiled components",
    );
    refused(
        "data/cache",
        &["run", "--cache", "data"],
        "the folder of compiled components",
    );
    refused(
        "data",
        &["run", "--dead-letter", "data/left"],
        "the dead-letter file",
    );
    refused("data", &["run", "--trace", "data/steps"], "the trace");
}

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

/// The places of a third of what the kernel allows take two thirds of it.
#[cfg(target_os = "linux")]
#[test]
fn a_capacity_that_the_kernel_does_not_allow_is_told_at_the_start() {
    let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
    let limit: u64 = limit.trim().parse().unwrap();
    let asked = (limit / 3).min(100_000).to_string();
    let folder = network("[process.a]\ncomponent = \"{guest:no_ports}\"\n");
    let mut run = transputer();
    run.args(["run", "-q", "--max-processes", &asked])
        .arg(folder.path());
    let output = run.assert().success();
    let told = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    if limit < 300_000 {
        assert!(
            told.contains(&format!("of {asked} processes can live at once")),
            "{told}"
        );
        assert!(told.contains("vm.max_map_count"), "{told}");
    }
}

#[test]
fn a_component_has_limits_of_its_own_for_being_spawned() {
    let run = |limits: &str| {
        let folder = network(&format!(
            r#"
[components.forks]
path = "{{guest:forks}}"
{limits}
[process.root]
component = "forks"
arguments = {{ way = "nest", depth = 3 }}
limits.children = 2
grants.spawn = ["forks"]
"#
        ));
        let mut run = transputer();
        run.arg("run").arg(folder.path()).assert()
    };
    run("")
        .code(1)
        .stderr(contains("its limit `children` = 2 allows"));
    run("limits.children = 1").success();
}

/// Where the address space is limited, the host makes do with fewer places, and its advice works.
#[cfg(target_os = "linux")]
#[test]
fn a_host_fits_into_a_limited_address_space() {
    let run = |kibibytes: u32, more: &[&str]| {
        let mut command = std::process::Command::new("bash");
        let limited = format!("ulimit -v {kibibytes}; exec \"$0\" \"$@\"");
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_transputer"), "run"]);
        command
            .arg(super::guest("count"))
            .args(["--arg", "limit=2", "--no-cache"])
            .args(more);
        let output = command.output().expect("it runs");
        let text = String::from_utf8(output.stderr).expect("text");
        (output.status.code(), text)
    };
    for mebibytes in [400, 600, 2 << 10, 16 << 10] {
        let room = mebibytes << 10;
        let (code, text) = run(room, &[]);
        assert_eq!(code, Some(0), "{mebibytes} MiB: {text}");
        let (code, text) = run(room, &["--max-processes", "10000"]);
        assert_eq!(code, Some(4), "{text}");
        let (_, advice) = text.split_once("has room for ").expect(&text);
        let number = advice.split(' ').next().expect("a number");
        let (code, text) = run(room, &["--max-processes", number]);
        assert_eq!(code, Some(0), "{number} processes: {text}");
    }
    let (code, text) = run(200 << 10, &[]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("raise that limit"), "{text}");
}
