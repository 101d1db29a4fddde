//! Whatever guests say, the terminal shows it and does nothing else.

use predicates::prelude::*;
use predicates::str::contains;
use tempfile::TempDir;

use super::raw::{put_component, put_guest};
use super::{network, transputer};

/// Characters that a terminal acts on, tabs aside.
fn acts(c: char) -> bool {
    let bidirectional =
        ('\u{2028}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    c.is_control() && !matches!(c, '\n' | '\t') || bidirectional
}

/// What a command prints on standard output and standard error.
fn printed(arguments: &[&str], folder: &TempDir) -> String {
    let mut command = transputer();
    let output = command
        .current_dir(folder.path())
        .args(arguments)
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    String::from_utf8(printed).expect("UTF-8")
}

#[test]
fn log_lines_and_names_forge_no_lines() {
    let folder = network(
        "[process.p]\ncomponent = \"forges_lines.wasm\"\ngrants.spawn = [\"self\"]\n\
         [components]\nself = \"forges_lines.wasm\"\n[network.limits]\nprocesses = 3\n",
    );
    put_guest(folder.path(), "forges_lines");
    let text = printed(&["run", "."], &folder);
    assert!(!text.contains(acts), "{text}");
    let forged = |line: &str| line.starts_with("error pinger") || line.starts_with("ended pinger");
    assert!(!text.lines().any(forged), "{text}");
    assert!(
        text.contains("error p: quiet\n  | error pinger: everything is lost\\r\\u{1b}[2J"),
        "{text}"
    );
    assert!(
        text.contains("ended kid\\nended pinger: trapped\\u{1b}]0;title\\u{7}: trapped"),
        "{text}"
    );

    let text = printed(&["run", ".", "--format", "json"], &folder);
    assert!(!text.contains(acts), "{text}");
    for line in text.lines() {
        let object: serde_json::Value = serde_json::from_str(line).expect(line);
        if object["log"]["process"] == "p" {
            let said = object["log"]["line"].as_str().unwrap();
            assert!(
                said.contains("\n") && said.contains("\u{202e}lkaerb\u{2028}"),
                "{said}"
            );
        }
    }
}

#[test]
fn reasons_of_failures_forge_no_lines() {
    let folder = network(
        r#"
[process.p]
component = "{guest:returns_err}"
arguments = { text = "it is\nerror: worse\u001b[2J\u202e" }

[stdout]
from = "p.out"
"#,
    );
    transputer()
        .arg("run")
        .arg(folder.path())
        .args(["--color", "always"])
        .assert()
        .code(1)
        .stderr(contains("it is\n  | error: worse\\u{1b}[2J\\u{202e}"))
        .stderr(contains("\x1b[2J").not());
}

#[test]
fn components_forge_nothing_in_what_is_said_about_them() {
    for name in ["forges_import", "forges_signature"] {
        let text = format!("[process.p]\ncomponent = \"{name}.wasm\"\n");
        let folder = network(&text);
        put_component(folder.path(), name);
        let file = format!("{name}.wasm");
        for arguments in [
            &["run", "."][..],
            &["check", "."],
            &["inspect", &file],
            &["inspect", &file, "--format", "json"],
        ] {
            let text = printed(arguments, &folder);
            assert!(!text.is_empty(), "{arguments:?}");
            assert!(!text.contains(acts), "{arguments:?} {text}");
            let forged = ["error: all is well", "imports: none\\u", "error: x"];
            let forged = |line: &str| forged.iter().any(|forged| line.starts_with(forged));
            assert!(!text.lines().any(forged), "{arguments:?} {text}");
        }
    }
}

#[test]
fn a_deadlock_is_one_word_in_the_reasons_it_gives() {
    let folder = network(
        r#"
[process.left]
component = "{guest:answers}"

[process.right]
component = "{guest:answers}"

[[channel]]
from = "left.out"
to = "right.lines"

[[channel]]
from = "right.out"
to = "left.lines"
"#,
    );
    transputer()
        .arg("run")
        .arg(folder.path())
        .args(["--log", "debug"])
        .assert()
        .code(3)
        .stderr(contains("failed: deadlock: ").and(contains("deadlock: deadlock").not()));
}

/// What a command prints on a terminal of this width, line by line.
#[cfg(target_os = "linux")]
fn on_terminal(width: u16, arguments: &str, folder: &TempDir) -> Vec<String> {
    let command = format!(
        "stty rows 40 cols {width}; '{}' {arguments}",
        env!("CARGO_BIN_EXE_transputer")
    );
    let output = std::process::Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(folder.path())
        .env_remove("COLUMNS")
        .env("NO_COLOR", "1")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    text.lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn long_types_are_wrapped_to_the_terminal() {
    let folder = network(
        "[process.first]\ncomponent = \"{guest:record}\"\n\
         [process.second]\ncomponent = \"{guest:record}\"\n\
         [[channel]]\nfrom = \"first.marked\"\nto = \"second.lines\"\n\
         [stdin]\nto = \"first.lines\"\nformat = \"json\"\n\
         [stdout]\nfrom = \"second.marked\"\nformat = \"json\"\n",
    );
    let squeezed = |lines: &[String]| {
        let text: String = lines.concat();
        text.split_whitespace().collect::<String>()
    };
    let wide = on_terminal(400, "check .", &folder);
    let narrow = on_terminal(72, "check .", &folder);
    let widest = |lines: &[String]| lines.iter().map(|line| line.chars().count()).max();
    assert!(widest(&wide) > Some(100), "{wide:#?}");
    assert!(widest(&narrow) <= Some(72), "{narrow:#?}");
    assert!(narrow.len() > wide.len());
    // Nothing of it is left out.
    for part in ["number:u64", "text:string", "longest:option<string>"] {
        assert!(squeezed(&wide).contains(part), "{wide:#?}");
        for word in part.split(':') {
            assert!(squeezed(&narrow).contains(word), "{narrow:#?}");
        }
    }
    // Whoever is no terminal gets lines as long as they are.
    let piped = printed(&["check", "."], &folder);
    assert!(
        piped.lines().any(|line| line.chars().count() > 100),
        "{piped}"
    );
}

#[test]
fn names_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        ".",
        "..",
        "new\nline",
        "esc\x1b[2J",
        "-dash",
        ".hidden",
        "a b",
        "a\"b",
        "7up",
        "gr\u{fc}n",
        "a:b",
        "\u{202e}x",
    ] {
        transputer()
            .current_dir(folder.path())
            .args(["new", "--", name])
            .assert()
            .code(2)
            .stderr(contains("letters, digits, `-` and `_`"))
            .stderr(predicate::function(|text: &str| !text.contains(acts)));
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "{name:?}"
        );
    }
    transputer()
        .current_dir(folder.path())
        .args(["new", "some/where/my-net_2/"])
        .assert()
        .success();
    assert!(
        folder
            .path()
            .join("some/where/my-net_2/network.toml")
            .is_file()
    );
}
