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

/// The attacks in the table, and the tests.
fn table() -> (BTreeSet<String>, BTreeSet<String>) {
    let file = repository().join("tests/README.md");
    let text = fs::read_to_string(file).expect("it is there");
    let (mut attacks, mut tests) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').collect();
        if let [_, attack, _, _, named, _] = cells[..]
            && named.contains("::")
        {
            attacks.extend(quoted(attack).map(str::to_owned));
            tests.extend(quoted(named).map(str::to_owned));
        }
    }
    (attacks, tests)
}

/// The names of files of a folder of `tests`, with this ending.
fn names(folder: &str, ending: &str) -> Vec<String> {
    let folder = repository().join("tests").join(folder);
    let files = fs::read_dir(folder).expect("it is there");
    let names = files.map(|file| file.expect("it can be read").file_name());
    names
        .filter_map(|name| Some(name.to_str()?.strip_suffix(ending)?.to_owned()))
        .collect()
}

#[test]
fn every_attack_is_in_the_table() {
    let (attacks, _) = table();
    for folder in ["hostile", "hostile/stackless"] {
        for name in names(folder, ".wat") {
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
    let (_, in_table) = table();
    let mut tests = BTreeSet::new();
    for module in names("suites/hostile", ".rs") {
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
