//! Every example, as its README says it is run, against its `expected.txt`.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use transputer_tests::repository;

/// A program of this workspace, which `tools/test` has built.
fn program(name: &str) -> Command {
    let tests = std::env::current_exe().expect("a test has a file");
    let folder = tests.ancestors().nth(2).expect("tests lie in `deps`");
    let path = folder.join(name);
    assert!(path.is_file(), "{name} is not built: run `tools/test`");
    let mut command = Command::new(path);
    command.current_dir(repository()).stdin(Stdio::null());
    command
}

fn example(name: &str) -> PathBuf {
    repository().join("examples").join(name)
}

fn expected(name: &str) -> String {
    fs::read_to_string(example(name).join("expected.txt")).expect("an expected output")
}

fn transputer(arguments: &[&str]) -> Command {
    let mut command = program("transputer");
    command.args(arguments);
    command
}

#[track_caller]
fn check(command: &mut Command, status: i32, stdout: &str) -> Output {
    let output = command.output().expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout, "{errors}");
    assert_eq!(output.status.code(), Some(status), "{errors}");
    output
}

#[test]
fn hello() {
    check(
        &mut transputer(&["run", "examples/hello"]),
        0,
        &expected("hello"),
    );
    let greeting = "Hello, Tony!\n";
    check(
        &mut transputer(&["run", "examples/hello", "--arg", "name=Tony"]),
        0,
        greeting,
    );
}

#[test]
fn farm() {
    for workers in ["workers=1", "workers=4", "workers=20"] {
        let arguments = ["run", "examples/farm", "--arg", workers];
        check(&mut transputer(&arguments), 0, &expected("farm"));
    }
    let mut command = transputer(&["run", "examples/farm", "--arg", "workers=0"]);
    let refused = check(&mut command, 2, "");
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(
        errors.contains("network.toml:14:9: error: `workers` of process `worker` is 0"),
        "{errors}"
    );
}

#[test]
fn pi() {
    for ranks in ["ranks=1", "ranks=2", "ranks=4", "ranks=7"] {
        let arguments = ["run", "examples/pi", "--arg", ranks];
        check(&mut transputer(&arguments), 0, &expected("pi"));
    }
}

#[test]
fn sieve() {
    for capacity in ["capacity=0", "capacity=128"] {
        let arguments = ["run", "examples/sieve", "--arg", capacity];
        check(&mut transputer(&arguments), 0, &expected("sieve"));
    }
}

#[test]
fn sieve_of_a_thousand_processes() {
    let arguments = ["run", "examples/sieve", "--arg", "count=1000"];
    let output = transputer(&arguments).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    let primes = String::from_utf8(output.stdout).expect("numbers");
    assert_eq!(primes.lines().count(), 1_000);
    assert_eq!(primes.lines().last(), Some("7919"));
}

#[test]
fn pipeline() {
    let log = File::open(example("pipeline").join("access.log")).expect("a sample log");
    let mut command = transputer(&["run", "examples/pipeline"]);
    let output = check(command.stdin(log), 0, &expected("pipeline"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("3 lines are not of the combined log format"),
        "{errors}"
    );
}

/// A line that is longer than `limits.message` of the network.
#[test]
fn pipeline_skips_a_line_that_is_too_long_and_says_so() {
    let mut log = fs::read(example("pipeline").join("access.log")).expect("a sample log");
    let middle = log.len() / 2;
    let next_line = middle
        + 1
        + log[middle..]
            .iter()
            .position(|byte| *byte == b'\n')
            .expect("lines");
    let long = [&b"x".repeat(70_000)[..], b"\n"].concat();
    log.splice(next_line..next_line, long);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("access.log");
    fs::write(&file, log).expect("there is room");
    let mut command = transputer(&["run", "examples/pipeline"]);
    let log = File::open(&file).expect("it was written");
    let output = check(command.stdin(log), 0, &expected("pipeline"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("1 line of stdin skipped"), "{errors}");
}

#[test]
fn the_sample_log_is_what_its_network_makes() {
    let log = fs::read_to_string(example("pipeline").join("access.log")).expect("a sample log");
    check(
        &mut transputer(&["run", "examples/pipeline/sample.toml"]),
        0,
        &log,
    );
}

#[test]
fn polite_philosophers() {
    check(
        &mut transputer(&["run", "examples/philosophers"]),
        0,
        &expected("philosophers"),
    );
}

#[test]
fn impolite_philosophers_deadlock_and_the_cycle_is_named() {
    let arguments = ["run", "examples/philosophers", "--arg", "polite=false"];
    let output = transputer(&arguments).output().expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{errors}");
    for name in (1..=5).map(|seat| format!("philosopher-{seat}")) {
        assert!(errors.contains(&name), "{errors}");
    }
    assert!(errors.contains("cycle:"), "{errors}");
}

#[test]
fn supervised() {
    let mut command = transputer(&["run", "examples/supervised"]);
    let output = check(&mut command, 0, &expected("supervised"));
    let errors = String::from_utf8_lossy(&output.stderr);
    let summary = "4 restarts, 2 unfinished messages redelivered, 2 unfinished messages sent to \
                   dead letters";
    assert!(errors.contains(summary), "{errors}");
}

#[test]
fn embed() {
    let plugins = tempfile::tempdir().expect("a folder");
    let built = repository().join("target/guests/wasm32-wasip2/guest/embed_shout.wasm");
    fs::copy(built, plugins.path().join("shout.wasm")).expect("the plugin is built");
    check(program("embed").arg(plugins.path()), 0, &expected("embed"));
}
