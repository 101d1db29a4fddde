//! Where mistakes are shown, and how many of them.

use proptest::prelude::*;
use transputer_network::ComponentPath;
use transputer_network::description::Description;

use crate::{brief, parse, plan};

#[test]
fn a_network_is_called_like_its_folder() {
    let description = parse("[process.a]\ncomponent = \"idle\"").unwrap();
    assert_eq!(description.name, "sieve");
}

#[test]
fn a_folder_stands_for_the_file_in_it() {
    let folder = std::env::temp_dir().join(format!("transputer-read-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("network.toml"),
        "[process.a]\ncomponent = \"idle\"",
    )
    .unwrap();
    let from_folder = Description::read(&folder).unwrap();
    let from_file = Description::read(&folder.join("network.toml")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(from_folder.name, from_file.name);
    assert_eq!(from_folder.component_files()[0].path, folder.join("idle"));

    let missing = Description::read(&folder).unwrap_err().to_string();
    let expected = format!(
        "{}: error: the network's description cannot be read: ",
        folder.display()
    );
    assert!(missing.starts_with(&expected), "{missing}");
    assert!(
        missing.ends_with("help: name a folder that holds a `network.toml`, or the file itself")
    );
}

#[test]
fn a_component_that_cannot_be_opened_is_reported_where_it_is_named() {
    let text = "[components]\nfilter = \"guests/filter\"\n[process.a]\ncomponent = \"filtr\"";
    let description = parse(text).unwrap();
    let files = description.component_files();
    let diagnostics: Vec<String> = files
        .iter()
        .map(|file| brief(&description.component_diagnostic(file, "no such file")))
        .collect();
    let expected = [
        "2:10 error: no such file",
        "4:13 error: no such file (did you mean `filter`?)",
    ];
    assert_eq!(diagnostics, expected);
}

#[test]
fn processes_of_one_component_are_named_with_it() {
    let text = "[components]\napp = \"lib.rs\"\nfilter = \"lib.rs:filter\"\n\
                [process.a]\ncomponent = \"app:generator\"\ngrants.spawn = [\"filter\"]\n\
                [process.b]\ncomponent = \"app.wasm:drop-bots\"";
    let description = parse(text).unwrap();
    let found: Vec<String> = description
        .component_files()
        .iter()
        .map(|file| {
            let path = ComponentPath::of(&file.path);
            let process = path.process.unwrap_or_default();
            let file_name = path.file.file_name().unwrap().display();
            format!("{}: {file_name} {process}", file.name)
        })
        .collect();
    let expected = [
        "filter: lib.rs filter",
        "app:generator: lib.rs generator",
        "app.wasm:drop-bots: app.wasm drop-bots",
    ];
    assert_eq!(found, expected);
    let whole = parse("[components]\napp = \"lib.rs\"\n[process.a]\ncomponent = \"app\"").unwrap();
    assert_eq!(whole.component_files()[0].name, "app");
}

#[test]
fn a_diagnostic_shows_its_line() {
    let text = "# é\n[process.a]\n\tcomponent = \"é\"\n\tlimts = { memory = 1 }";
    let shown = parse(text).unwrap_err().to_string();
    let expected = "\
network.toml:4:2: error: process `a` has no key `limts`
  |
4 | \tlimts = { memory = 1 }
  | \t^^^^^
help: did you mean `limits`?";
    assert_eq!(shown, expected);
}

#[test]
fn a_long_line_is_shown_in_part() {
    let text = format!(
        "[process.a]\ncomponent = \"{}\"\nx = [{}]\ny = 1",
        "c".repeat(500),
        "1, ".repeat(300)
    );
    let text = text
        .replace("x = [", "arguments = { z = [")
        .replace("]\ny = 1", "], z = 1 }");
    let shown = parse(&text).unwrap_err().to_string();
    assert!(
        shown.lines().all(|line| line.chars().count() <= 200),
        "{shown}"
    );
    let lines: Vec<&str> = shown.lines().collect();
    let caret = lines[3].find('^').unwrap();
    assert_eq!(&lines[2][caret..], "z = 1 }", "{shown}");
}

#[test]
fn a_flood_of_diagnostics_is_counted_instead_of_shown() {
    let text: String = (0..1_000).map(|n| format!("key{n} = 1\n")).collect();
    let diagnostics = parse(&text).unwrap_err();
    assert_eq!(diagnostics.len(), 501);
    assert_eq!(diagnostics.0[499].line(), Some(500));
    assert_eq!(
        diagnostics.0[500].to_string(),
        "network.toml: error: 500 more diagnostics are not shown"
    );
}

/// Pieces that descriptions are made of, so that random texts get far.
fn fragments() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[process.a]\n".to_owned()),
        Just("[[channel]]\n".to_owned()),
        Just("[stdin]\n".to_owned()),
        Just("[limits]\n".to_owned()),
        Just("component = \"copy\"\n".to_owned()),
        Just("from = \"a.to\"\n".to_owned()),
        Just("to = [\"a.from\"]\n".to_owned()),
        Just("capacity = 1\n".to_owned()),
        Just("grants.directories = [{}]\n".to_owned()),
        "[a-z]{1,9} = [-0-9a-z\"'\\[\\]{}=., é\u{0}]{0,12}\n",
        "\\PC{0,20}",
    ];
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_reading_or_checking_panic(text in fragments()) {
        match plan(&text, &["count=1"]) {
            Ok(plan) => prop_assert!(!plan.warnings.has_errors()),
            Err(diagnostics) => {
                prop_assert!(diagnostics.has_errors());
                prop_assert!(!diagnostics.to_string().is_empty());
            }
        }
    }
}
