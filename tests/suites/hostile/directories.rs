//! Attacks on what is granted of the outside.

use std::fs;
use std::path::Path;

use transputer::plan::Directory;
use transputer::{Grants, HostOptions, Network, Verdict};
use transputer_tests::{new_host, run};

use crate::hostile;

/// A network of the attacker, which may write `data`, beside a folder that it may not see. It may read
/// what else is granted.
fn planting(folder: &Path, granted: &[&str]) -> Network {
    for name in ["data/sub", "outside"] {
        let directory = folder.join(name);
        fs::create_dir_all(&directory).expect("there is room");
        fs::write(directory.join("file"), name).expect("there is room");
    }
    let host = new_host(HostOptions::default().max_processes(4));
    let component = hostile(&host, "plants_link");
    let directory =
        |name: &str, write| Directory::new(folder.join(name), format!("/{name}")).write(write);
    let grants = Grants::default().directory(directory("data", true));
    let grants = granted.iter().fold(grants, |grants, name| {
        grants.directory(directory(name, false))
    });
    let mut network = host.network("planting");
    network
        .process("plants", &component)
        .may_spawn("self", &component)
        .grants(grants);
    network
}

/// It plants its link, and its copy finds the folder as the host opened it.
#[cfg(unix)]
#[test]
fn a_link_that_a_guest_plants_leads_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = run(planting(folder.path(), &[]));
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    assert_eq!(report.processes, 2, "{report:?}");
    let planted = fs::read_link(folder.path().join("data/sub"));
    assert_eq!(planted.ok().as_deref(), Some("../outside".as_ref()));
}

/// A grant that it could redirect is refused.
#[test]
fn a_grant_beneath_what_a_guest_may_write_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = planting(folder.path(), &["data/sub"]).start();
    let refused = refused.expect_err("it must not start").to_string();
    for part in ["data/sub", "beneath", "process `plants` may write"] {
        assert!(refused.contains(part), "{refused}");
    }
}
