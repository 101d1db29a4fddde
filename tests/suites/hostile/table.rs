//! The table of attacks in `tests/README.md` names every attack and every test.

use std::collections::BTreeSet;
use std::fs;

use transputer_tests::repository;

/// Parts of hand-written guests, and guests of other suites.
const NO_ATTACKS: [&str; 7] = [
    "imports",
    "ordinary",
    "misbehaves",
    "interpreter",
    "initializes",
    "batcher",
    "unbatcher",
];

/// What stands in backquotes in a cell.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Whose table it is.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Table {
    /// This suite's.
    Suite,
    /// The command's: its attacks lie in `raw`.
    Command,
}

/// The attacks in a table, and the tests.
fn table(of: Table) -> (BTreeSet<String>, BTreeSet<String>) {
    let file = repository().join("tests/README.md");
    let text = fs::read_to_string(file).expect("it is there");
    let (mut attacks, mut tests) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').collect();
        if let [_, attack, _, _, named, _] = cells[..]
            && named.contains("::")
            && attack.contains("`raw/") == (of == Table::Command)
        {
            attacks.extend(quoted(attack).map(str::to_owned));
            tests.extend(quoted(named).map(str::to_owned));
        }
    }
    (attacks, tests)
}

/// The names of files of a folder of the repository, with this ending.
fn names(folder: &str, ending: &str) -> Vec<String> {
    let folder = repository().join(folder);
    let files = fs::read_dir(folder).expect("it is there");
    let names = files.map(|file| file.expect("it can be read").file_name());
    names
        .filter_map(|name| Some(name.to_str()?.strip_suffix(ending)?.to_owned()))
        .collect()
}

#[test]
fn every_attack_is_in_the_table() {
    let (attacks, _) = table(Table::Suite);
    for folder in ["hostile", "hostile/stackless"] {
        for name in names(&format!("tests/{folder}"), ".wat") {
            let attack = format!("{folder}/{name}.wat");
            let expected = !NO_ATTACKS.contains(&name.as_str());
            assert_eq!(attacks.contains(&attack), expected, "{attack}");
        }
    }
    for attack in attacks {
        // A folder's files are all in one test, which looks at the folder.
        let folder = attack.strip_suffix("/*.wat").unwrap_or(&attack);
        let file = repository().join("tests").join(folder);
        assert!(
            file.exists(),
            "the table names `{attack}`, which is not there"
        );
    }
}

#[test]
fn every_test_is_in_the_table() {
    let (_, in_table) = table(Table::Suite);
    let mut tests = BTreeSet::new();
    for module in names("tests/suites/hostile", ".rs") {
        if ["main", "table"].contains(&module.as_str()) {
            continue;
        }
        let file = repository().join(format!("tests/suites/hostile/{module}.rs"));
        let text = fs::read_to_string(file).expect("it is there");
        let after = text.split("#[test]").skip(1);
        let names = after.filter_map(|code| code.split("fn ").nth(1)?.split('(').next());
        tests.extend(names.map(|name| format!("{module}::{name}")));
    }
    assert_eq!(in_table, tests);
}

/// Guests of the command's tests that attack nothing.
const HARMLESS: [&str; 2] = ["labours", "relays_rows"];

#[test]
fn what_attacks_the_command_is_in_its_table() {
    let (attacks, tests) = table(Table::Command);
    let mut expected: BTreeSet<String> = names("host/cli/tests/raw", ".wat").into_iter().collect();
    for harmless in HARMLESS {
        assert!(expected.remove(harmless), "{harmless} is not there");
    }
    let expected = expected.into_iter().map(|name| format!("raw/{name}.wat"));
    assert_eq!(attacks, expected.collect::<BTreeSet<_>>());
    for test in tests {
        let (module, name) = test.split_once("::").expect("a path");
        let file = repository().join(format!("host/cli/tests/command/{module}.rs"));
        let code = fs::read_to_string(file).expect("it is there");
        // Its attributes and comments stand right before it.
        let before = code.split_once(&format!("fn {name}()"));
        let head = before.and_then(|(before, _)| before.rsplit("\n\n").next());
        let is_test = head.is_some_and(|head| head.contains("#[test]"));
        assert!(is_test, "there is no test `{test}`");
    }
}
