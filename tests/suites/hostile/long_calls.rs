//! Attacks by calls that would take long: the host does them in steps, between which others run and
//! the process can be killed, and refuses what would take longer still.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use transputer::{
    ChannelOptions, Component, Event, Host, HostOptions, HostReceiver, LimitKind, Limits, Network,
    Outcome, ProcessSettings, Verdict,
};
use transputer_tests::{Kit, guest_of, new_host, output};

use crate::{Attack, assert_killed, hostile, hostile_with, only_failure, only_trap};

/// The most that the host lets others wait, in its own steps, is a small part of such a call.
const TURNS: u64 = 5;

/// In one schedule, which does not depend on time, the other process must run often while the one is
/// in a call.
fn others_run_during(
    attacker: impl FnOnce(&Host) -> Component,
    settings: impl FnOnce(&mut ProcessSettings<'_>),
) {
    let host = new_host(HostOptions::default().max_processes(16).seed(7));
    let component = attacker(&host);
    let mut network = host.network("long call");
    settings(
        network
            .process("attacker", &component)
            .may_spawn("self", &component),
    );
    network.process("counts", &guest_of(&host, "counts_turns"));
    network
        .connect("attacker.told", "counts.told", ChannelOptions::bounded(2))
        .expect("the ports fit");
    let turns = output(&mut network, "counts.turns");
    let running = network.start().expect("it starts");
    let turns: u64 = turns.receive_value().expect("it counts");
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    assert!(turns >= TURNS, "others ran {turns} times");
}

#[test]
fn a_batch_of_millions_is_sent_in_steps() {
    others_run_during(|host| hostile(host, "batch_dropped"), |_| ());
}

#[test]
fn a_long_argument_is_checked_in_steps() {
    others_run_during(|host| hostile(host, "argument_of_items"), |_| ());
}

#[test]
fn random_bytes_are_drawn_in_steps() {
    others_run_during(
        |host| guest_of(host, "draws_chance"),
        |process| {
            process.argument("bytes", 16 << 20).argument("times", 1);
        },
    );
}

/// It is killed within a step of its limit, not when its call is over. What it tells is read.
fn is_killed_in_time(wire: impl FnOnce(&Host, &mut Network, Limits) -> Option<HostReceiver>) {
    let allowed = Duration::from_millis(50);
    let limits = Limits::default().cpu(allowed);
    let (attack, told) = Attack::start(|host, network| wire(host, network, limits));
    if let Some(told) = told {
        while told.receive().is_ok() {}
    }
    let report = attack.end();
    let outcome = only_failure(&report);
    assert_killed(outcome, LimitKind::Cpu);
    if let Outcome::Killed(overrun) = outcome {
        let used = Duration::from_nanos(overrun.asked);
        assert!(used < 10 * allowed, "it has computed for {used:?}");
    }
}

/// The same, for one without ports.
fn is_killed_alone(name: &str) {
    is_killed_in_time(|host, network, limits| {
        let attacker = hostile(host, name);
        network.process("attacker", &attacker).limits(limits);
        None
    });
}

#[test]
fn batches_that_are_dropped_are_no_way_to_compute_on() {
    is_killed_alone("batches_dropped");
}

#[test]
fn overlapping_guards_are_no_way_to_compute_on() {
    let (attack, ()) = Attack::start(|host, network| {
        network.process("attacker", &hostile(host, "guards_overlap"));
    });
    // A message is within the limit, but all of them are more than a call may give.
    let report = attack.end();
    let reason = only_trap(&report);
    assert!(is_too_much(reason), "{reason}");
}

#[test]
fn random_bytes_are_no_way_to_compute_on() {
    is_killed_in_time(|host, network, limits| {
        network
            .process("attacker", &guest_of(host, "draws_chance"))
            .argument("bytes", 16 << 20)
            .argument("times", 1_000_000)
            .limits(limits);
        Some(output(network, "attacker.told"))
    });
}

#[test]
fn trying_is_no_way_to_compute_on() {
    is_killed_alone("tries_forever");
}

#[test]
fn moving_ends_is_no_way_to_compute_on() {
    is_killed_alone("moves_ends");
}

/// As the two ways to instantiate say it.
fn is_too_much(reason: &str) -> bool {
    reason.contains("the lists of one call hold more than") || reason.contains("too much data")
}

#[test]
fn a_batch_and_a_message_that_are_too_long_are_refused_and_a_line_traps() {
    let (attack, ()) = Attack::start(|host, network| {
        network.process("attacker", &hostile(host, "batch_too_long"));
    });
    let report = attack.end();
    let reason = only_trap(&report);
    assert!(is_too_much(reason), "{reason}");
}

#[test]
fn arguments_that_do_not_fit_are_not_read_to_their_end_nor_more_than_a_call_may_give() {
    let (attack, ()) = Attack::start(|host, network| {
        let attacker = hostile(host, "arguments_of_names");
        network
            .process("attacker", &attacker)
            .may_spawn("self", &attacker);
    });
    let report = attack.end();
    let reason = only_trap(&report);
    assert!(is_too_much(reason), "{reason}");
}

#[test]
fn more_random_bytes_than_a_call_may_ask_for_trap() {
    let (attack, told) = Attack::start(|host, network| {
        network
            .process("attacker", &guest_of(host, "draws_chance"))
            .argument("bytes", 60_000_000)
            .argument("times", 1);
        output(network, "attacker.told")
    });
    told.receive().expect("it begins");
    drop(told);
    let report = attack.end();
    let reason = only_trap(&report);
    assert!(
        reason.contains("one call asks for 60000000 random bytes"),
        "{reason}"
    );
}

#[test]
fn a_poll_of_as_much_as_a_call_may_wait_for_is_answered_and_of_more_traps() {
    let (attack, ()) = Attack::start(|host, network| {
        network
            .process("modest", &guest_of(host, "polls_many"))
            .argument("clocks", 4_096);
        network
            .process("attacker", &guest_of(host, "polls_many"))
            .argument("clocks", 10_000);
    });
    let report = attack.end();
    let reason = only_trap(&report);
    assert!(
        reason.contains("one call waits for 10000 things at once"),
        "{reason}"
    );
}

/// The listener to a deadlock in one network takes its time; a timer in another goes on, because the
/// timekeeper does not wait for looks.
#[test]
fn a_look_for_deadlock_holds_up_no_timer() {
    let host = new_host(HostOptions::default().max_processes(16));
    let (look, looking) = mpsc::channel();
    let (go_on, told) = mpsc::channel::<()>();
    let told = Mutex::new(told);
    let mut stuck = host.network("stuck");
    stuck.process("stuck", &guest_of(&host, "waits_for_itself"));
    stuck.on_event(move |event| {
        if matches!(event, Event::Deadlock(_)) {
            look.send(()).expect("the test waits for it");
            let told = told.lock().expect("nobody panics");
            told.recv().expect_err("the test lets it go on");
        }
    });
    let stuck = stuck.start().expect("it starts");
    looking.recv().expect("somebody looks");
    let mut other = host.network("sleeps");
    other
        .process("sleeper", &guest_of(&host, "sleeper"))
        .argument("milliseconds", 1);
    let slept = output(&mut other, "sleeper.slept");
    let other = other.start().expect("it starts");
    assert!(slept.receive_value::<u64>().expect("it wakes up") >= 1);
    assert_eq!(other.wait().verdict(), Verdict::Succeeded);
    drop(go_on);
    assert_eq!(stuck.wait().deadlocks.len(), 1);
}

#[test]
fn many_guards_are_no_way_to_compute_on() {
    is_killed_alone("guards_many");
}

/// One instruction of WebAssembly may fill or copy all of a memory; the next one is not begun.
#[test]
fn filling_and_copying_memory_is_no_way_to_compute_on() {
    is_killed_alone("fills_memory");
    is_killed_alone("copies_memory");
}

#[test]
fn sending_the_longest_messages_is_no_way_to_compute_on() {
    is_killed_in_time(|host, network, limits| {
        let attacker = hostile_with(host, "sends_longest", Kit::Own);
        network.process("attacker", &attacker).limits(limits);
        None
    });
}

#[test]
fn arguments_of_lists_in_lists_are_no_way_to_compute_on() {
    is_killed_in_time(|host, network, limits| {
        let attacker = hostile(host, "argument_of_lists");
        network
            .process("attacker", &attacker)
            .may_spawn("self", &attacker)
            .limits(limits);
        None
    });
}
