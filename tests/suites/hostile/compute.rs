//! Attacks on time: loops where nobody expects guest code, floods, and processes without end.

use std::time::{Duration, Instant};

use transputer::{LimitKind, Limits, Outcome};
use transputer_tests::{Kit, guest_of, input, output};

use crate::{Attack, assert_killed, hostile, hostile_with, only_failure, only_trap};

fn short() -> Limits {
    Limits::default().cpu(Duration::from_millis(30))
}

#[test]
fn an_allocator_that_never_returns_is_killed() {
    let (attack, messages) = Attack::start(|host, network| {
        let looping = hostile_with(host, "loops_in_realloc", Kit::Own);
        network.process("looping", &looping).limits(short());
        input(network, "looping.in")
    });
    messages.send("here").expect("it receives");
    drop(messages);
    let report = attack.end();
    assert_killed(only_failure(&report), LimitKind::Cpu);
}

#[test]
fn an_allocator_that_never_returns_can_be_stopped() {
    let (attack, messages) = Attack::start(|host, network| {
        let looping = hostile_with(host, "loops_in_realloc", Kit::Own);
        network.process("looping", &looping);
        input(network, "looping.in")
    });
    messages.send("here").expect("it receives");
    drop(messages);
    let report = attack.stop();
    assert!(matches!(only_failure(&report), Outcome::Stopped(_)));
}

#[test]
fn allocators_that_lie_trap() {
    for kind in 1..=4_u8 {
        let (attack, messages) = Attack::start(|host, network| {
            let lying = hostile_with(host, "traps_in_realloc", Kit::Own);
            network.process("lying", &lying);
            input(network, "lying.in")
        });
        messages.send([kind]).expect("it receives");
        // It may be gone before the rendezvous is over, or after.
        let _ = messages.send("a message that needs room");
        drop(messages);
        let report = attack.end();
        assert!(!only_trap(&report).is_empty(), "kind {kind}");
    }
}

#[test]
fn a_trap_while_it_cleans_up_is_its_outcome() {
    let (attack, ()) = Attack::start(|host, network| {
        network.process("trap", &hostile(host, "traps_after_return"));
    });
    let report = attack.end();
    assert!(only_trap(&report).contains("unreachable"), "{report:?}");
}

#[test]
fn a_trap_while_it_drops_what_it_holds_is_its_outcome() {
    let (attack, told) = Attack::start(|host, network| {
        network.process("panics", &guest_of(host, "panics_in_drop"));
        output(network, "panics.told")
    });
    told.receive().expect("it tells");
    drop(told);
    let report = attack.end();
    only_trap(&report);
}

#[test]
fn a_trap_while_it_is_given_its_ports_is_its_outcome() {
    let (attack, messages) = Attack::start(|host, network| {
        let trap = hostile_with(host, "traps_in_realloc_at_start", Kit::Own);
        network.process("trap", &trap);
        input(network, "trap.in")
    });
    assert!(messages.send("here").is_err(), "nobody receives");
    drop(messages);
    let report = attack.end();
    assert!(only_trap(&report).contains("unreachable"), "{report:?}");
}

/// The ends are closed with the process, though they are neither in a message nor in its table.
#[test]
fn a_trap_while_it_is_given_ends_is_its_outcome() {
    let (attack, ()) = Attack::start(|host, network| {
        let trap = hostile_with(host, "traps_receiving_ends", Kit::Own);
        network.process("trap", &trap);
    });
    let report = attack.end();
    assert!(only_trap(&report).contains("unreachable"), "{report:?}");
}

#[test]
fn a_trap_before_it_runs_is_its_outcome() {
    let (attack, ()) = Attack::start(|host, network| {
        network.process("trap", &hostile(host, "traps_at_start"));
    });
    let report = attack.end();
    match only_failure(&report) {
        Outcome::Failed(text) => assert!(text.contains("unreachable"), "{text}"),
        other => panic!("expected a failure, found {other:?}"),
    }
}

#[test]
fn a_loop_before_it_runs_is_killed() {
    let (attack, ()) = Attack::start(|host, network| {
        network
            .process("loop", &hostile(host, "loops_at_start"))
            .limits(short());
    });
    let report = attack.end();
    assert_killed(only_failure(&report), LimitKind::Cpu);
}

#[test]
fn a_flood_of_log_lines_ends_with_the_time_it_may_compute() {
    let (attack, ()) = Attack::start(|host, network| {
        network
            .process("flood", &hostile(host, "log_flood"))
            .limits(short());
    });
    let report = attack.end();
    assert!(matches!(only_failure(&report), Outcome::Killed(_)));
}

/// It fills the host, over and over, as its children end when nobody is left to spawn.
#[test]
fn a_fork_bomb_is_kept_to_the_host_s_capacity() {
    let (attack, ()) = Attack::start(|host, network| {
        let bomb = hostile(host, "fork_bomb");
        network.process("bomb", &bomb).may_spawn("bomb", &bomb);
    });
    let host = attack.host.clone();
    let patience = Instant::now() + Duration::from_secs(60);
    while host.usage().processes < 64 {
        assert!(Instant::now() < patience, "{:?}", host.usage());
        std::thread::yield_now();
    }
    let report = attack.stop();
    assert!(report.processes >= 60, "{report:?}");
    for failure in &report.failures {
        assert!(
            matches!(failure.outcome, Outcome::Stopped(_)),
            "{failure:?}"
        );
    }
}

#[test]
fn a_fork_bomb_is_kept_to_its_limit_on_children() {
    let (attack, ()) = Attack::start(|host, network| {
        let bomb = hostile(host, "fork_bomb");
        let quiet = hostile(host, "never_ends");
        network
            .process("bomb", &bomb)
            .may_spawn("bomb", &quiet)
            .limits(Limits::default().children(5).cpu(Duration::from_millis(50)));
    });
    let report = attack.stop();
    assert_eq!(report.failed, 6, "{report:?}");
    assert_eq!(report.processes, 6 + 2, "five children, two neighbours");
}

#[test]
fn an_endless_loop_is_killed() {
    let (attack, ()) = Attack::start(|host, network| {
        network
            .process("loop", &hostile(host, "spins"))
            .limits(short());
    });
    let report = attack.end();
    assert_killed(only_failure(&report), LimitKind::Cpu);
}

/// The host's own calls run on a stack of which the guest leaves them enough.
#[test]
fn calls_of_the_host_at_any_depth_of_the_stack_end_in_a_trap_of_the_guest() {
    let (attack, ()) = Attack::start(|host, network| {
        network.process("deep", &hostile(host, "calls_deep"));
    });
    let report = attack.end();
    assert!(only_trap(&report).contains("stack"), "{report:?}");
}
