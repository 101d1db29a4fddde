//! Every guest program is a case of some suite.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use transputer_tests::repository;

/// The names of the Rust files in a folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries
        .filter_map(|entry| {
            let path = entry.expect("an entry").path();
            let is_rust = path.extension().is_some_and(|extension| extension == "rs");
            is_rust
                .then(|| path.file_stem()?.to_str().map(str::to_owned))
                .flatten()
        })
        .collect()
}

#[test]
fn every_guest_program_is_used_by_a_suite() {
    let tests = repository().join("tests");
    let folders = [
        "tests/suites",
        "tests/suites/cluster",
        "tests/suites/hostile",
        "tests/harness",
        "host/cli/tests/command",
    ];
    let sources: String = folders
        .iter()
        .flat_map(|folder| {
            let folder = repository().join(folder);
            let read = |file| fs::read_to_string(folder.join(format!("{file}.rs")));
            let sources = files(&folder).into_iter().map(read);
            sources.collect::<Vec<_>>()
        })
        .map(|source| source.expect("a suite"))
        .collect();
    let mut guests = files(&tests.join("guests"));
    guests.append(&mut files(&tests.join("guests-stackless")));
    guests.remove("lib");
    let unused: Vec<_> = guests
        .iter()
        .filter(|guest| {
            let named = [format!("\"{guest}\""), format!("{{guest {guest}}}")];
            !named.iter().any(|named| sources.contains(named))
        })
        .collect();
    assert!(unused.is_empty(), "no suite uses {unused:?}");
}

#[test]
fn every_guest_program_is_in_the_manifest() {
    for folder in ["tests/guests", "tests/guests-stackless"] {
        let guests = repository().join(folder);
        let manifest = fs::read_to_string(guests.join("Cargo.toml")).expect("a manifest");
        for guest in files(&guests) {
            let listed = manifest.contains(&format!("path = \"{guest}.rs\""));
            assert!(listed, "{folder}/Cargo.toml lacks `{guest}`");
        }
    }
}

/// Each async function that stands in for a guest has its name.
#[test]
fn every_twin_has_its_guest() {
    let stackless = repository().join("tests/guests-stackless");
    let manifest = fs::read_to_string(stackless.join("Cargo.toml")).expect("a manifest");
    let guests = files(&repository().join("tests/guests"));
    for twin in files(&stackless.join("twins")) {
        assert!(guests.contains(&twin), "no guest is called `{twin}`");
        let listed = format!("name = \"async_{twin}\"\npath = \"twins/{twin}.rs\"");
        assert!(manifest.contains(&listed), "the manifest lacks `{twin}`");
    }
}
