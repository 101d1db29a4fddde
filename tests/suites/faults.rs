//! A process is killed at each of the points where it can be parked.
//!
//! In a seeded host a sleep ends only when nobody else is ready: whoever has slept knows that
//! the others are parked. The guest `kills` holds the other ends of everything that its child
//! `parks_at` has, and looks what the kill has left. Opposite of each end where that does not help
//! the child on, a process is parked as well, and must be told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use transputer::{Host, HostOptions, Outcome, Report, Totals};
use transputer_tests::{guest_of, new_host, output, repository};

/// A point where a process can be parked.
struct Point {
    name: &'static str,
    /// The import that parks there, by its name in `bindings.rs`; nothing where it is none of
    /// the project's own.
    import: Option<&'static str>,
    /// The capacity of the channel at `given`, and how many messages leave it before the kill.
    capacity: u32,
    receives: u32,
    /// The process never parks for good: it is killed after each of the numbers of turns up to
    /// this one.
    turns: u32,
    /// How many processes the network may have besides those that are parked opposite.
    processes: Option<u32>,
    /// What the channel at `given` has seen in the end.
    seen: &'static str,
    /// The ends that it waits at or has used before: nobody can be parked opposite of them.
    uses: &'static [&'static str],
    /// What others can be parked at besides.
    besides: &'static [&'static str],
}

/// The ends of a process, by its ports.
const ENDS: [&str; 5] = ["taken", "given", "members", "arrivals", "carrier"];

impl Point {
    /// Where others are parked.
    fn opposite(&self) -> Vec<String> {
        let unused = ENDS.iter().filter(|end| !self.uses.contains(end));
        let all = unused.chain(self.besides);
        all.map(|end| (*end).to_owned()).collect()
    }
}

/// Enough for a spawn to pass through all its steps several times.
const TURNS: u32 = 24;

const NOTHING: &str = "sent 0 received 0 dropped 0 waiting 0";

const fn point(name: &'static str, import: &'static str) -> Point {
    Point {
        name,
        import: Some(import),
        capacity: 0,
        receives: 0,
        turns: 0,
        processes: None,
        seen: NOTHING,
        uses: &[],
        besides: &[],
    }
}

/// The point uses these ends.
const fn at(uses: &'static [&'static str], point: Point) -> Point {
    Point { uses, ..point }
}

const GIVEN: &[&str] = &["given"];
const TAKEN: &[&str] = &["taken"];
const BOTH: &[&str] = &["taken", "given"];

/// All of them, the import of each in `bindings.rs` as `interface.function`.
const POINTS: &[Point] = &[
    at(GIVEN, point("send", "channel.send-small")),
    at(GIVEN, point("send large", "channel.[method]sender.send")),
    Point {
        capacity: 1,
        seen: "sent 1 received 0 dropped 1 waiting 0",
        uses: GIVEN,
        ..point("send, full", "channel.send-small")
    },
    at(GIVEN, point("send by", "channel.[method]sender.send-by")),
    // Two are in the channel and one is taken, so that a third is in; the others never were.
    Point {
        capacity: 2,
        receives: 1,
        seen: "sent 3 received 1 dropped 2 waiting 0",
        uses: GIVEN,
        ..point("send batch", "channel.send-some")
    },
    Point {
        capacity: 2,
        receives: 1,
        seen: "sent 3 received 1 dropped 2 waiting 0",
        uses: GIVEN,
        ..point("flush at the end", "channel.send-some")
    },
    Point {
        uses: &["arrivals", "carrier"],
        besides: &["arrived"],
        ..point("send ends", "channel.[method]sender.send-ends")
    },
    at(TAKEN, point("receive", "channel.receive-some")),
    at(
        TAKEN,
        point("receive by", "channel.[method]receiver.receive-by"),
    ),
    at(TAKEN, point("receive batch", "channel.receive-some")),
    at(
        &["arrivals"],
        point("receive ends", "channel.[method]receiver.receive-ends"),
    ),
    at(BOTH, point("select", "alternation.select")),
    at(BOTH, point("prepared", "alternation.[method]prepared.wait")),
    Point {
        uses: &["members"],
        besides: &["barrier"],
        ..point("sync", "channel.[method]barrier.sync")
    },
    Point {
        uses: &["members"],
        besides: &["barrier"],
        ..point("sync by", "channel.[method]barrier.sync")
    },
    point("wait", "process.[method]child.wait"),
    point("wait by", "process.[method]child.wait"),
    point("monitor", "channel.[method]receiver.receive-ends"),
    Point {
        turns: TURNS,
        ..point("kill", "process.[method]child.kill")
    },
    point("sleep", "process.sleep-until"),
    Point {
        turns: TURNS,
        ..point("yield", "process.yield-now")
    },
    Point {
        turns: TURNS,
        ..point("spawn", "process.spawn")
    },
    Point {
        processes: Some(2),
        ..point("spawn, full", "process.spawn-patiently")
    },
    Point {
        processes: Some(2),
        ..point("spawn by, full", "process.spawn-patiently")
    },
    // Preempted, in the run queue.
    Point {
        import: None,
        turns: TURNS,
        ..point("compute", "")
    },
    Point {
        import: None,
        ..point("sleep of WASI", "")
    },
];

/// Imports for which the guest SDK has others, and those: both await the same in the host.
const STAND_INS: &[(&str, &str)] = &[
    ("channel.[method]receiver.receive", "channel.receive-some"),
    (
        "channel.[method]receiver.receive-batch",
        "channel.receive-some",
    ),
    ("channel.[method]sender.send-batch", "channel.send-some"),
];

/// Kills at one point, and gives back what `kills` told.
fn kill_at(host: &Host, point: &Point, turns: u32) -> (Vec<String>, Report) {
    let mut network = host.network(point.name);
    let mut kills = network.process("kills", &guest_of(host, "kills"));
    kills
        .argument("point", point.name)
        .argument("capacity", point.capacity)
        .argument("receives", point.receives)
        .argument("turns", turns)
        .argument("ends", point.opposite());
    for component in ["parks_at", "parks", "no_ports", "waits_opposite"] {
        kills.may_spawn(component, &guest_of(host, component));
    }
    let others = u32::try_from(point.opposite().len()).expect("they are few");
    network.totals(Totals::default().processes(point.processes.map(|most| most + others)));
    let told = output(&mut network, "kills.told");
    let running = network.start().expect("it starts");
    let told: Vec<String> = told.values().map_while(Result::ok).collect();
    let report = running.wait();
    assert!(running.has_ended() && running.in_flight().is_empty());
    (told, report)
}

/// Everything that must be true after a kill.
fn check(point: &Point, told: &[String], report: &Report) {
    let name = point.name;
    let opposite = point.opposite();
    let lines = 8 + opposite.len();
    assert_eq!(told.len(), lines, "{name}: {told:#?} {report:#?}");
    assert_eq!(told[0], "stopped: enough", "{name}");
    let killed = "killed: process `victim` was stopped: enough";
    let ends = &told[1..6];
    assert!(ends.iter().all(|says| says == killed), "{name}: {told:#?}");
    let held = ["sync", "sync by", "send ends"].contains(&name);
    assert_eq!(
        told[6],
        if held { killed } else { "none" },
        "{name}: other ends"
    );
    assert_eq!(told[7], point.seen, "{name}");
    for (end, says) in opposite.iter().zip(&told[8..]) {
        assert_eq!(says, killed, "{name}: who waited opposite of {end}");
    }
    let outcome = report
        .failures
        .iter()
        .find(|failure| failure.name == "victim")
        .map(|failure| &failure.outcome);
    assert_eq!(
        outcome,
        Some(&Outcome::Stopped("enough".to_owned())),
        "{name}"
    );
    assert!(report.deadlocks.is_empty(), "{name}: {report:#?}");
}

#[test]
fn a_process_that_is_killed_where_it_is_parked_leaves_nothing_behind() {
    let host = new_host(HostOptions::default().seed(1));
    for point in POINTS {
        let turns: Vec<u32> = match point.turns {
            0 => vec![0; 3],
            most => (1..=most).collect(),
        };
        for (turns, seed) in turns.into_iter().zip(1..) {
            let host = host.reseeded(seed).expect("it has a seed");
            let (told, report) = kill_at(&host, point, turns);
            check(point, &told, &report);
            assert_eq!(host.running_processes(), 0, "{}", point.name);
        }
    }
}

#[test]
fn every_import_that_can_park_has_its_point() {
    let bindings = repository().join("host/abi/src/bindings.rs");
    let text = fs::read_to_string(bindings).expect("the bindings are there");
    let parking: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("\"transputer:csp/"))
        .filter_map(|line| line.split_once("\": async"))
        .map(|(import, _)| import)
        .collect();
    let mut covered: BTreeSet<&str> = POINTS.iter().filter_map(|point| point.import).collect();
    for (import, stand_in) in STAND_INS {
        assert!(covered.contains(stand_in), "{stand_in} has a point");
        covered.insert(import);
    }
    assert_eq!(
        parking, covered,
        "imports that are async, and those with a point"
    );
}

/// Functions in which a process can wait, by file, and how often each awaits something. All
/// are reached by the points above, but for those of helpers that run in tasks of their own.
const AWAITS: &[(&str, &str, usize)] = &[
    // Those of long calls and of ends that are closed wait for nobody, but let others run.
    ("abi/bounded.rs", "bound_messages", 5),
    ("abi/bounded.rs", "bound_wasi", 3),
    ("abi/bounded.rs", "random_bytes", 1),
    ("abi/code.rs", "instantiate", 2),
    ("abi/code.rs", "run", 2),
    ("abi/core_module.rs", "instantiate", 2),
    ("abi/core_module.rs", "run", 2),
    // Stackless processes: the calls are those of `host_calls`, see `stackless.rs`.
    ("abi/tasks.rs", "", 2),
    ("host_calls/alternation.rs", "choose", 1),
    ("host_calls/alternation.rs", "select", 1),
    ("host_calls/barrier.rs", "sync", 3),
    ("host_calls/channel.rs", "receive", 1),
    ("host_calls/channel.rs", "receive_batch", 1),
    ("host_calls/channel.rs", "receive_by", 1),
    ("host_calls/channel.rs", "receive_ends", 1),
    ("host_calls/channel.rs", "receive_some", 1),
    ("host_calls/channel.rs", "send", 1),
    ("host_calls/channel.rs", "send_batch", 1),
    ("host_calls/channel.rs", "send_by", 1),
    ("host_calls/channel.rs", "send_ends", 2),
    ("host_calls/channel.rs", "send_small", 1),
    ("host_calls/channel.rs", "send_some", 1),
    ("host_calls/batch.rs", "send_at_once", 1),
    ("host_calls/batch.rs", "send_packed", 2),
    ("host_calls/prepared.rs", "choose_prepared", 1),
    ("host_calls/prepared.rs", "wait", 1),
    ("host_calls/process.rs", "check_request", 1),
    ("host_calls/process.rs", "spawn_child", 2),
    ("host_calls/process.rs", "ended_by", 1),
    ("host_calls/process.rs", "kill", 1),
    ("host_calls/process.rs", "request", 1),
    ("host_calls/process.rs", "sleep_until", 1),
    ("host_calls/process.rs", "spawn", 2),
    ("host_calls/process.rs", "spawn_patiently", 2),
    ("host_calls/process.rs", "wait", 2),
    ("host_calls/process.rs", "yield_now", 1),
    ("host_calls/fast_path.rs", "receive_some", 1),
    ("host_calls/fast_path.rs", "send_small", 1),
    ("host_calls/patience.rs", "receive", 2),
    ("host_calls/patience.rs", "send", 2),
    ("host_calls/in_flight.rs", "watching", 1),
    ("host_calls/in_flight.rs", "watching_choice", 1),
    ("process/mod.rs", "operate", 1),
    ("process/instantiate.rs", "begin", 1),
    ("process/instantiate.rs", "begin_metered", 1),
    ("process/instantiate.rs", "instantiate", 2),
    ("process/instantiate.rs", "instantiate_in", 1),
    ("process/instantiate.rs", "instantiate_in_a_pool", 2),
    ("process/pace.rs", "step", 1),
    ("process/pace.rs", "yield_preempted", 1),
    ("process/exit.rs", "finish", 1),
    ("process/spawn.rs", "live", 2),
    ("process/spawn.rs", "run", 2),
    ("process/spawn.rs", "unless_ended", 1),
    ("process/spawn.rs", "until_replaced", 1),
    ("process/state.rs", "send_some_from", 1),
    ("process/state.rs", "step", 1),
];

#[test]
fn every_await_of_the_host_is_known() {
    let mut found = BTreeMap::new();
    let rooms = [
        ("abi", "host/abi/src"),
        ("host_calls", "host/runtime/src/host_calls"),
        ("process", "host/runtime/src/process"),
    ];
    for (room, folder) in rooms {
        let folder = repository().join(folder);
        for entry in fs::read_dir(folder).expect("the room is there") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                continue;
            }
            let file = format!("{room}/{}", path.file_name().unwrap().to_string_lossy());
            let text = fs::read_to_string(&path).expect("it can be read");
            let mut function = String::new();
            for line in text.lines().filter(|line| !line.trim().starts_with("//")) {
                if let Some((_, rest)) = line.split_once("fn ") {
                    function = rest
                        .chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '_')
                        .collect();
                }
                let awaits = line.matches(".await").count() - line.matches(".awaited").count();
                if awaits > 0 {
                    *found.entry((file.clone(), function.clone())).or_insert(0) += awaits;
                }
            }
        }
    }
    let known: BTreeMap<(String, String), usize> = AWAITS
        .iter()
        .map(|(file, function, awaits)| (((*file).to_owned(), (*function).to_owned()), *awaits))
        .collect();
    assert_eq!(found, known, "what is new needs a point above");
}
