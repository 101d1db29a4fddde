//! Help, versions and completions.

use predicates::prelude::*;
use predicates::str::contains;

use super::transputer;

const COMMANDS: [&str; 16] = [
    "run",
    "explore",
    "check",
    "graph",
    "top",
    "ps",
    "build",
    "inspect",
    "test",
    "new",
    "pack",
    "push",
    "pull",
    "cluster",
    "completions",
    "man",
];

#[test]
fn help_names_every_command_and_exit_code() {
    let mut assert = transputer().arg("--help").assert().success();
    for command in COMMANDS {
        assert = assert.stdout(contains(format!("\n  {command} ")));
    }
    for code in [
        "  0 ", "  1 ", "  2 ", "  3 ", "  4 ", "  129 ", "  130 ", "  143 ",
    ] {
        assert = assert.stdout(contains(code));
    }
}

#[test]
fn help_of_every_command_has_examples() {
    for command in COMMANDS {
        transputer()
            .args([command, "--help"])
            .assert()
            .success()
            .stdout(contains("Examples:").and(contains(format!("transputer {command}"))));
    }
}

#[test]
fn completions_know_commands_and_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        transputer()
            .args(["completions", shell])
            .assert()
            .success()
            .stdout(contains("inspect").and(contains("max-processes")));
    }
}

#[test]
fn manual_pages_are_written_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    transputer().arg("man").arg(&pages).assert().success();
    for command in COMMANDS {
        let page = std::fs::read_to_string(pages.join(format!("transputer-{command}.1")));
        assert!(page.unwrap().contains("Examples:"), "{command}");
    }
    assert!(pages.join("transputer.1").is_file());
}

#[test]
fn misuse_exits_with_2_and_says_what_was_expected() {
    let cases: [(&[&str], &str); 7] = [
        (&[], "Usage:"),
        (&["rum"], "similar subcommand"),
        (&["run", "--arg", "count"], "name=value"),
        (&["run", "--workers", "0"], "--workers"),
        (
            &["run", "--seed", "1", "--workers", "2"],
            "cannot be used with",
        ),
        (&["run", "--log", "loud"], "possible values"),
        (&["completions", "tcsh"], "possible values"),
    ];
    for (arguments, expected) in cases {
        transputer()
            .args(arguments)
            .assert()
            .code(2)
            .stderr(contains(expected));
    }
}
