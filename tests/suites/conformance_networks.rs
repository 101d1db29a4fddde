//! Fairness, a ring, and messages of every size.

use std::fs;
use std::path::Path;

use transputer::{ChannelOptions, Host, HostOptions, HostReceiver, Limits, Verdict};
use transputer_tests::{guest, guest_of, host, input, new_host, output, repository};

const TRIALS: u32 = 10_000;

/// Whether both sides of a choice won as often as chance has it: within 4.9 standard
/// deviations of a half, which a fair choice misses once in a million runs.
fn is_fair((a, b): (u32, u32)) -> bool {
    assert_eq!(a + b, TRIALS);
    let share = f64::from(a) / f64::from(TRIALS);
    (share - 0.5).abs() <= 0.02446
}

/// A host whose every choice is decided by the seed.
fn seeded(seed: u64) -> Host {
    new_host(HostOptions::default().seed(seed).max_processes(16))
}

/// How often each of two channels won that had a message for every trial.
fn receive_wins(host: &Host, by_priority: bool) -> (u32, u32) {
    let mut network = host.network("fair");
    network
        .process("fair", &guest_of(host, "fair_receiver"))
        .argument("trials", TRIALS)
        .argument("by_priority", by_priority);
    let _idle = ["fair.idle", "fair.idle_too"].map(|port| input(&mut network, port));
    let _filled = ["fair.a", "fair.b"].map(|port| {
        let options = ChannelOptions::bounded(TRIALS as usize);
        let sender = network.input(port, options).expect("it is free");
        for _ in 0..TRIALS {
            sender.send_value(&()).expect("it has room");
        }
        sender
    });
    let wins = output(&mut network, "fair.wins");
    let running = network.start().expect("it starts");
    let wins = wins.receive_value().expect("the wins");
    running.wait();
    wins
}

/// How often each of two channels won that had room for every trial.
fn send_wins(host: &Host) -> (u32, u32) {
    let mut network = host.network("fair");
    network
        .process("fair", &guest_of(host, "fair_sender"))
        .argument("trials", TRIALS);
    let ends = ["fair.a", "fair.b"].map(|port| {
        let options = ChannelOptions::bounded(TRIALS as usize);
        network.output(port, options).expect("it is free")
    });
    let wins = output(&mut network, "fair.wins");
    let running = network.start().expect("it starts");
    let (a, b) = wins.receive_value().expect("the wins");
    let count = |end: &HostReceiver| end.iter().count() as u32;
    assert_eq!((count(&ends[0]), count(&ends[1])), (a, b));
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    (a, b)
}

#[test]
fn alternations_are_fair() {
    for seed in [1, 2, 3] {
        let host = seeded(seed);
        let received = receive_wins(&host, false);
        assert!(is_fair(received), "seed {seed}: {received:?}");
        let sent = send_wins(&host);
        assert!(is_fair(sent), "seed {seed}: {sent:?}");
    }
}

#[test]
fn alternations_by_priority_are_not() {
    let wins = receive_wins(host(), true);
    assert_eq!(wins, (TRIALS, 0));
    assert!(!is_fair(wins));
}

#[test]
fn a_counter_goes_round_a_ring() {
    const PROCESSES: u64 = 256;
    const C: u64 = 4096;
    let element = guest("ring_element");
    let mut network = host().network("ring");
    network
        .process("ring-0", &guest("ring_root"))
        .argument("rounds", C + 1);
    for number in 1..PROCESSES {
        network.process(&format!("ring-{number}"), &element);
    }
    for number in 0..PROCESSES {
        let from = format!("ring-{number}.output");
        let to = format!("ring-{}.input", (number + 1) % PROCESSES);
        network
            .connect(&from, &to, ChannelOptions::rendezvous())
            .expect("the ports fit");
    }
    let total = output(&mut network, "ring-0.total");
    let running = network.start().expect("it starts");
    let total: u64 = total.receive_value().expect("the total");
    assert_eq!(total, PROCESSES * (C + 1));
    assert_eq!(total, 1_048_832);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

const MIB: usize = 1 << 20;

/// Multiples of 1,024, at which python-csp hangs, and the edges of everything that has a size.
const SIZES: [usize; 13] = [
    0,
    1,
    1016,
    1024,
    2040,
    2048,
    4096,
    65_536,
    70_000,
    MIB,
    16 * MIB,
    64 * MIB - 1,
    64 * MIB,
];

#[test]
fn messages_of_up_to_64_mib_arrive_whole() {
    let host = new_host(HostOptions::default().max_processes(4));
    for capacity in [0, 1] {
        let options = ChannelOptions::bounded(capacity);
        let mut network = host.network("sizes");
        network.process("whole", &guest_of(&host, "whole")).limits(
            Limits::default()
                .message(64 * MIB as u64)
                .memory(1024 * MIB as u64),
        );
        let to = network.input("whole.input", options).expect("it is free");
        let from = network.output("whole.output", options).expect("it is free");
        let running = network.start().expect("it starts");
        for size in SIZES {
            let around = size.saturating_sub(1)..=(size + 1).min(64 * MIB);
            // The large ones take long to make in a build without optimisation.
            for size in around.filter(|size| *size <= 2 * MIB || SIZES.contains(size)) {
                let message: Vec<u8> = pattern(size);
                to.send(message.clone()).expect("it is received");
                let back = from.receive().expect("it is sent back");
                assert!(back == message, "{size} bytes came back changed");
            }
        }
        drop(to);
        assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    }
}

/// Bytes that differ from their neighbours at every power of two.
fn pattern(size: usize) -> Vec<u8> {
    let block: Vec<u8> = (0..65_537_u32).map(|n| (n % 251) as u8).collect();
    let mut bytes = block.repeat(size / block.len() + 1);
    bytes.truncate(size);
    bytes
}

/// The Rust files in a folder, each by its name and what is in it.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy();
            (
                name.into_owned(),
                fs::read_to_string(&path).expect("a text"),
            )
        })
        .collect()
}

#[test]
fn every_process_is_built_and_used_by_a_suite() {
    let tests = repository().join("tests");
    let manifest = fs::read_to_string(tests.join("conformance/Cargo.toml")).expect("a manifest");
    let suites: String = ["suites", "suites/conformance"]
        .iter()
        .flat_map(|folder| sources(&tests.join(folder)))
        .map(|(_, text)| text)
        .collect();
    for folder in ["go", "networks", "pycsp", "savina"] {
        for (name, _) in sources(&tests.join("conformance").join(folder)) {
            let path = format!("path = \"{folder}/{name}.rs\"");
            assert!(manifest.contains(&path), "the manifest lacks {path}");
            assert!(
                suites.contains(&format!("\"{name}\"")),
                "no suite uses {name}"
            );
        }
    }
}
