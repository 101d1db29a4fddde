//! Attacks on memory: linear memory, tables, the stack, and what channels buffer.

use transputer::{LimitKind, Limits};

use crate::{Attack, assert_killed, hostile, only_failure, only_trap};

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
            .limits(Limits {
                memory: Some(16 * MIB),
                ..Limits::default()
            });
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
            .limits(Limits {
                // Its memory is two pages; a table of 20,000 elements takes more than one.
                memory: Some(MIB / 4),
                ..Limits::default()
            });
    });
    let report = attack.end();
    assert_killed(only_failure(&report), LimitKind::Memory);
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
                network.process(&format!("bomb {n}"), &bomb).limits(Limits {
                    memory: Some(4 * MIB),
                    ..Limits::default()
                });
            }
        });
        let report = attack.end();
        assert_eq!(report.failed, 25);
        for failure in &report.failures {
            assert_killed(&failure.outcome, LimitKind::Memory);
        }
    }
}
