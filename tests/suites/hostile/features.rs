//! Guests that want of WebAssembly what the host does not have, or more of it than there is.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use transputer::{ComponentFault, Error, LimitKind, Limits, Outcome, Verdict};
use transputer_tests::{Kit, raw_guest, repository};

use crate::{Attack, assert_killed, only_failure, small_host};

/// What becomes of a guest.
enum Fate {
    /// It is refused before it runs, for this reason.
    Refused(&'static str),
    /// It traps, for this reason.
    Traps(&'static str),
    /// It computes until it is killed.
    Killed,
    Finishes,
}

use Fate::{Finishes, Killed, Refused, Traps};

/// Of each file of the folder.
const FATES: [(&str, Fate); 15] = [
    ("exceptions", Refused("exceptions")),
    ("five_tables", Refused("tables count of 5")),
    ("garbage", Refused("gc types")),
    ("huge_table", Refused("element size of 4294967295")),
    ("large_table", Finishes),
    ("memory64", Refused("memories count of 2")),
    ("own_entry", Finishes),
    ("recursion", Traps("stack")),
    ("relaxed_vectors", Finishes),
    ("second_memory", Refused("memories count of 2")),
    ("shared_memory", Refused("shared memories")),
    ("start", Finishes),
    ("tail_calls", Killed),
    ("two_memories", Refused("memories count of 3")),
    ("waits_on_memory", Refused("threads")),
];

/// How it ended, or why it is not even started.
fn outcome(name: &str) -> Result<Outcome, String> {
    let bytes = raw_guest(&format!("features/{name}"), Kit::Ordinary);
    match small_host().component_from_bytes(name, &bytes) {
        Ok(_) => {}
        Err(Error::Component {
            fault: ComponentFault::Invalid(why) | ComponentFault::Compile(why),
            ..
        }) => return Err(why),
        Err(error) => panic!("{name}: {error}"),
    }
    let (attack, ()) = Attack::start(|host, network| {
        let component = host.component_from_bytes(name, &bytes);
        network
            .process("wants", &component.expect("it was one"))
            .limits(Limits::default().cpu(Duration::from_millis(50)));
    });
    let report = attack.end();
    Ok(match report.verdict() {
        Verdict::Succeeded => Outcome::Finished,
        _ => only_failure(&report).clone(),
    })
}

#[test]
fn what_the_host_does_not_have_is_refused_and_the_rest_is_bounded() {
    for (name, fate) in FATES {
        match (fate, outcome(name)) {
            (Finishes, Ok(Outcome::Finished)) => {}
            (Refused(part), Err(why)) => assert!(why.contains(part), "{name}: {why}"),
            (Traps(part), Ok(Outcome::Trapped(trap))) => {
                assert!(trap.reason.contains(part), "{name}: {trap:?}");
            }
            (Killed, Ok(killed)) => assert_killed(&killed, LimitKind::Cpu),
            (_, other) => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn the_fate_of_each_is_known() {
    let folder = fs::read_dir(repository().join("tests/hostile/features"));
    let files = folder.expect("it is there").filter_map(|file| {
        let path = file.expect("it can be read").path();
        Some(path.file_stem()?.to_str()?.to_owned())
    });
    let known = FATES.iter().map(|(name, _)| (*name).to_owned());
    assert_eq!(files.collect::<BTreeSet<_>>(), known.collect());
}
