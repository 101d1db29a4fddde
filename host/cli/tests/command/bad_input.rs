//! Bad files: a clear error, exit code 2, and nothing else.

use predicates::prelude::*;
use predicates::str::contains;

use super::{guest, network, transputer, write};

#[test]
fn a_missing_network_is_named() {
    for command in ["run", "check", "build"] {
        transputer()
            .args([command, "no/such/network"])
            .assert()
            .code(2)
            .stdout("")
            .stderr(contains("no/such/network").and(contains("network.toml")));
    }
}

#[test]
fn every_mistake_in_a_network_file_is_reported_at_once() {
    let folder = network(
        r#"
[network]
nmae = "typo"

[process.one]
component = "one.wasm"

[process.two]
component = "two.wasm"
limits.memory = "64 MB?"

[[channel]]
from = "one.out"
to = "three.in"
overflow = "drop-newest"
"#,
    );
    for command in ["run", "check"] {
        let output = transputer()
            .arg(command)
            .arg(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let errors = String::from_utf8(output.stderr).unwrap();
        for expected in ["network.toml:3:1", "`name`", "network.toml:10:", "64 MB?"] {
            assert!(
                errors.contains(expected),
                "{expected:?} is missing:\n{errors}"
            );
        }
        assert!(
            !errors.contains('\x1b'),
            "coloured, though no terminal:\n{errors}"
        );
    }
}

#[test]
fn components_that_are_missing_are_all_named_with_their_place() {
    let folder = network(
        r#"
[components]
first = "first.wasm"

[process.a]
component = "first"

[process.b]
component = "second.wasm"
"#,
    );
    for command in ["run", "check", "build"] {
        transputer()
            .arg(command)
            .arg(folder.path())
            .assert()
            .code(2)
            .stderr(contains("network.toml:3:").and(contains("first.wasm")))
            .stderr(contains("network.toml:9:").and(contains("second.wasm")))
            .stderr(contains("2 errors"));
    }
}

/// Files that are not components of ours, and what is said of each.
fn bad_components() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let whole = std::fs::read(guest("echo")).unwrap();
    vec![
        ("text", b"hello, I am no component".to_vec(), "WebAssembly"),
        ("empty", Vec::new(), "WebAssembly"),
        (
            "core module",
            b"\0asm\x01\0\0\0".to_vec(),
            "core WebAssembly module",
        ),
        ("no signature", b"\0asm\x0d\0\x01\0".to_vec(), "signature"),
        ("truncated", whole[..whole.len() / 2].to_vec(), "component"),
    ]
}

#[test]
fn inspect_says_what_is_wrong_with_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for (what, bytes, expected) in bad_components() {
        write(folder.path(), "bad.wasm", bytes);
        let output = transputer()
            .arg("inspect")
            .arg(folder.path().join("bad.wasm"))
            .output()
            .unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{what}: {errors}");
        assert!(errors.contains("bad.wasm"), "{what}: {errors}");
        assert!(errors.contains(expected), "{what}: {errors}");
        assert!(output.stdout.is_empty(), "{what}");
    }
    transputer()
        .args(["inspect", "no-such.wasm"])
        .assert()
        .code(2)
        .stderr(contains("no-such.wasm"));
}

#[test]
fn run_and_check_name_the_line_that_names_a_bad_component() {
    for (what, bytes, _) in bad_components() {
        let folder = network("[process.bad]\ncomponent = \"bad.wasm\"\n");
        write(folder.path(), "bad.wasm", bytes);
        for command in ["run", "check"] {
            let output = transputer()
                .arg(command)
                .arg(folder.path())
                .output()
                .unwrap();
            let errors = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{what}: {errors}");
            assert!(errors.contains("network.toml:2:13"), "{what}: {errors}");
            assert!(errors.contains("1 error"), "{what}: {errors}");
            assert!(!errors.contains("panicked"), "{what}: {errors}");
        }
    }
}

#[test]
fn wiring_that_does_not_fit_names_both_sides() {
    let folder = network(
        r#"
[process.count]
component = "{guest:count}"
arguments = { limit = 3 }

[process.echo]
component = "{guest:echo}"

[[channel]]
from = "count.numbers"
to = "echo.lines"

[stdout]
from = "echo.out"
"#,
    );
    for command in ["run", "check"] {
        transputer()
            .arg(command)
            .arg(folder.path())
            .assert()
            .code(2)
            .stdout("")
            .stderr(contains("count.numbers").and(contains("u64")))
            .stderr(contains("echo.lines").and(contains("list<u8>")));
    }
}

#[test]
fn an_unknown_argument_on_the_command_line_is_refused() {
    let folder = network("[process.idle]\ncomponent = \"{guest:no_ports}\"\n");
    transputer()
        .arg("run")
        .arg(folder.path())
        .args(["--arg", "count=3"])
        .assert()
        .code(2)
        .stderr(contains("count"));
}
