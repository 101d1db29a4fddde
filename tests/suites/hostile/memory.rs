//! Attacks on memory: linear memory, tables, the stack, and what channels buffer.

use std::fs;

use transputer::{Component, Host, HostOptions, LimitKind, Limits, Verdict};
use transputer_tests::{
    assert_comes_back, guest_of, guest_that_imports, input, new_host, output, repository, run,
    until_nothing_is_held,
};

use crate::{Attack, assert_killed, hostile, only_failure, only_trap, small_host};

const MIB: u64 = 1 << 20;

#[test]
fn a_memory_bomb_is_killed_at_its_limit() {
    let (attack, ()) = Attack::start(|host, network| {
        network.process("bomb", &hostile(host, "memory_bomb"));
    });
    let report = attack.end();
    assert_killed(only_failure(&report), LimitKind::Memory);
}

/// What waits in channels counts as its memory.
#[test]
fn a_buffer_bomb_is_killed_at_its_limit() {
    let (attack, ()) = Attack::start(|host, network| {
        network
            .process("bomb", &hostile(host, "buffer_bomb"))
            .limits(Limits::default().memory(16 * MIB));
    });
    let host = attack.host.clone();
    let report = attack.end();
    assert_killed(only_failure(&report), LimitKind::Memory);
    // It got as far as its memory reaches: a message less than the mebibytes beside its own.
    assert_eq!(report.dropped, 14, "{report:?}");
    assert_eq!(host.memory_in_use(), 0);
}

#[test]
fn a_table_bomb_is_killed_at_the_limit_on_memory() {
    let (attack, ()) = Attack::start(|host, network| {
        network
            .process("bomb", &hostile(host, "table_bomb"))
            .limits(
                Limits::default()
                    // Its memory is two pages; a table of 40,000 elements takes more than one.
                    .memory(MIB / 4),
            );
    });
    let report = attack.end();
    assert_killed(only_failure(&report), LimitKind::Memory);
}

/// Resources of WASI, which lie in a table that tells nothing of itself, count as its memory.
#[test]
fn resources_of_wasi_count_as_memory() {
    let (attack, ()) = Attack::start(|host, network| {
        network
            .process("hoarder", &hoarder_of_resources(host))
            .limits(Limits::default().memory(8 * MIB));
    });
    let host = attack.host.clone();
    let report = attack.end();
    assert_killed(only_failure(&report), LimitKind::Memory);
    assert_eq!(host.memory_in_use(), 0);
}

/// With memory for all that it may have, it traps at the one after them.
#[test]
fn resources_of_wasi_are_bounded() {
    let (attack, ()) = Attack::start(|host, network| {
        network.process("hoarder", &hoarder_of_resources(host));
    });
    let report = attack.end();
    assert!(only_trap(&report).contains("no free keys"), "{report:?}");
}

fn hoarder_of_resources(host: &Host) -> Component {
    let package = "package wasi:sockets@0.2.6;
        interface network { resource network; }
        interface instance-network { use network.{network}; instance-network: func() -> network; }";
    let file = repository().join("tests/hostile/hoards_resources.wat");
    let text = fs::read_to_string(file).expect("it is there");
    let (imports, fields) = text.split_once("\n\n").expect("the import comes first");
    let interface = "wasi:sockets/instance-network@0.2.6";
    let bytes = guest_that_imports(interface, package, imports, fields);
    host.component_from_bytes("hoards_resources", &bytes)
        .expect("it may import it")
}

/// Within its limit on memory it gets as many elements as a place of the pool has.
#[test]
fn a_table_bomb_gets_no_more_than_its_place() {
    let (attack, ()) = Attack::start(|host, network| {
        network.process("bomb", &hostile(host, "table_bomb"));
    });
    let report = attack.end();
    assert!(only_trap(&report).contains("unreachable"), "{report:?}");
}

#[test]
fn a_stack_bomb_traps() {
    let (attack, ()) = Attack::start(|host, network| {
        network.process("bomb", &hostile(host, "stack_bomb"));
    });
    let report = attack.end();
    assert!(only_trap(&report).contains("stack"), "{report:?}");
}

#[test]
fn a_hundred_memory_bombs_leave_nothing_behind() {
    for _ in 0..100 / 25 {
        let (attack, ()) = Attack::start(|host, network| {
            let bomb = hostile(host, "memory_bomb");
            for n in 0..25 {
                network
                    .process(&format!("bomb {n}"), &bomb)
                    .limits(Limits::default().memory(4 * MIB));
            }
        });
        let report = attack.end();
        assert_eq!(report.failed, 25);
        for failure in &report.failures {
            assert_killed(&failure.outcome, LimitKind::Memory);
        }
    }
}

/// They lie with the host, though nobody waits for them but itself.
#[test]
fn offers_of_an_alternation_count_as_memory() {
    let (attack, ()) = Attack::start(|host, network| {
        for n in 1..=8 {
            network
                .process(&format!("p{n}"), &hostile(host, "selectpark"))
                .limits(Limits::default().memory(4 * MIB).message(256 * MIB));
        }
    });
    let host = attack.host.clone();
    let report = attack.end();
    assert_eq!(report.failed, 8, "{report:?}");
    for failure in &report.failures {
        assert_killed(&failure.outcome, LimitKind::Memory);
    }
    assert_eq!(host.memory_in_use(), 0);
}

/// Each is a kibibyte of the host's, and its ends are some more.
#[test]
fn channels_count_as_memory() {
    let (attack, ()) = Attack::start(|host, network| {
        network
            .process("opens", &hostile(host, "channels"))
            .limits(Limits::default().memory(MIB));
    });
    let host = attack.host.clone();
    let report = attack.end();
    assert_killed(only_failure(&report), LimitKind::Memory);
    assert_eq!(host.memory_in_use(), 0);
}

/// What a process has of memory, with all of its children, when it has linked itself with each of them
/// so often.
fn memory_with_links(children: u32, times: u32) -> u64 {
    let host = small_host();
    let before = host.usage();
    let mut network = host.network("linked");
    network
        .process("links", &guest_of(&host, "links_often"))
        .argument("children", children)
        .argument("times", times)
        .may_spawn("parks", &guest_of(&host, "parks"));
    let told = output(&mut network, "links.told");
    let end = input(&mut network, "links.end");
    let running = network.start().expect("there is room");
    assert_eq!(told.receive_value::<u64>().ok(), Some(children.into()));
    let memory = host.memory_in_use();
    running.stop("everything is measured");
    running.wait();
    drop((running, told, end));
    assert_comes_back(&host, before);
    until_nothing_is_held(&host);
    memory
}

/// A link counts for 128 bytes, as long as both processes live; a second one with the same process is
/// the first one.
#[test]
fn links_count_as_memory() {
    let without = memory_with_links(12, 0);
    assert_eq!(memory_with_links(12, 1) - without, 12 * 128);
    assert_eq!(memory_with_links(12, 1_000) - without, 12 * 128);
}

/// Two processes take turns at the one place that is left for them.
#[test]
fn nobody_finds_what_another_has_left_in_its_place() {
    let host = new_host(HostOptions::default().max_processes(2));
    let mut network = host.network("turns");
    network
        .process("turns", &hostile(&host, "turns_over"))
        .may_spawn("leaves_traces", &hostile(&host, "leaves_traces"))
        .may_spawn("looks_for_traces", &hostile(&host, "looks_for_traces"));
    let report = run(network);
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    assert_eq!(report.processes, 21, "{report:?}");
}
