//! Guests from source, and new networks.

use std::path::Path;

use predicates::prelude::*;
use predicates::str::contains;

use super::{network, transputer, write};

/// A package of one source file that needs no other crate.
fn package(folder: &Path, source: &str) {
    let manifest = "[package]\nname = \"guest\"\nedition = \"2024\"\n\n\
                    [lib]\ncrate-type = [\"cdylib\"]\n\n[workspace]\n";
    write(folder, "Cargo.toml", manifest);
    write(folder, "src/lib.rs", source);
}

#[test]
fn guests_are_built_once_and_again_when_their_source_changes() {
    let folder = network("[process.guest]\ncomponent = \"guest\"\n");
    package(&folder.path().join("guest"), "pub fn one() {}");
    let file = "guest/target/guests/wasm32-wasip2/guest/guest.wasm";
    let build = || {
        transputer()
            .arg("build")
            .arg(folder.path())
            .assert()
            .success()
    };
    build()
        .stdout(contains(file))
        .stderr(contains("built guest in"));
    build()
        .stdout(contains(file))
        .stderr(contains("up to date"));
    package(&folder.path().join("guest"), "pub fn two() {}");
    build()
        .stdout(contains(file))
        .stderr(contains("built guest in"));
    transputer()
        .args(["build", "--quiet"])
        .arg(folder.path())
        .assert()
        .success()
        .stderr("");
}

#[test]
fn errors_of_the_compiler_are_shown_as_they_are() {
    let folder = network("[process.guest]\ncomponent = \"guest\"\n");
    package(&folder.path().join("guest"), "fn broken( {}");
    for command in ["run", "build"] {
        transputer()
            .arg(command)
            .arg(folder.path())
            .assert()
            .code(2)
            .stderr(contains("src/lib.rs:1:").and(contains("fn broken( {}")))
            .stderr(contains("cargo could not build guest"));
    }
}

#[test]
fn a_package_without_a_component_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "Cargo.toml", "[package]\nname = \"plain\"\n");
    write(folder.path(), "src/lib.rs", "");
    transputer()
        .arg("build")
        .arg(folder.path())
        .assert()
        .code(2)
        .stderr(contains("`plain`").and(contains("cdylib")));
}

#[test]
fn unbuilt_guests_are_named_by_check_and_by_run_without_build() {
    let folder = network("[process.guest]\ncomponent = \"guest\"\n");
    package(&folder.path().join("guest"), "");
    transputer()
        .arg("check")
        .arg(folder.path())
        .assert()
        .success()
        .stderr(contains("not built yet").and(contains("guest")));
    transputer()
        .args(["run", "--no-build"])
        .arg(folder.path())
        .assert()
        .code(2)
        .stderr(contains("network.toml:2:").and(contains("not built")));
}

#[test]
fn without_any_toolchain_the_error_names_all_ways_to_one() {
    let folder = tempfile::tempdir().unwrap();
    package(folder.path(), "");
    let empty = tempfile::tempdir().unwrap();
    // Neither a rustc with the target, nor rustup's leave, nor a usable folder.
    write(empty.path(), "not-made-by-the-script", "");
    transputer()
        .arg("build")
        .arg(folder.path())
        .env("RUSTC", "no-such-rustc")
        .env("RUSTUP_AUTO_INSTALL", "0")
        .env("TRANSPUTER_TOOLCHAIN", empty.path())
        .assert()
        .code(4)
        .stderr(contains("rustup target add wasm32-wasip2"))
        .stderr(contains("RUSTUP_AUTO_INSTALL=0 forbids it"))
        .stderr(contains("TRANSPUTER_TOOLCHAIN").and(contains("RUSTC")));
}

#[test]
fn a_new_network_runs_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = transputer();
        command.current_dir(folder.path()).args(arguments);
        command.assert()
    };
    run(&["new", "hello"])
        .code(0)
        .stderr(contains("transputer run hello"));
    run(&["run", "hello"])
        .code(0)
        .stdout("Hello, world!\n".repeat(3));
    run(&["run", "hello", "--arg", "times=1", "--arg", "whom=you"])
        .code(0)
        .stdout("Hello, you!\n");
    run(&["check", "hello"])
        .code(0)
        .stdout(contains("greeter.greetings"));
}

#[test]
fn a_new_network_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "taken/precious.txt", "data");
    transputer()
        .current_dir(folder.path())
        .args(["new", "taken"])
        .assert()
        .code(2)
        .stderr(contains("taken").and(contains("not empty")));
    transputer()
        .current_dir(folder.path())
        .args(["new", "fresh", "--sdk", "nowhere"])
        .assert()
        .code(2)
        .stderr(contains("nowhere").and(contains("SDK")));
    assert!(predicate::path::missing().eval(&folder.path().join("fresh")));
}
