//! Guests that attack. Each is run between two real neighbours, a stream of numbers that is added
//! up in its own network and one in another network of the same host. The attacker must end as it
//! deserves, the sums must be right, and afterwards the host must hold what it held before.
//!
//! The attackers are written by hand, in `tests/hostile`.

mod channels;
mod compute;
mod directories;
mod features;
mod forks;
mod handles;
mod long_calls;
mod memory;
mod messages;
mod stackless;
mod table;
mod texts;

use transputer::{
    ChannelOptions, Component, Host, HostOptions, HostReceiver, LimitKind, Network, Outcome,
    Report, Running, Usage, Verdict,
};
use transputer_tests::{
    Kit, assert_comes_back, guest_of, new_host, output, raw_guest, raw_stackless_guest,
};

/// What the neighbours count to.
const NUMBERS: u64 = 5_000;

/// An attack under way.
struct Attack {
    host: Host,
    before: Usage,
    running: Running,
    elsewhere: Running,
    sums: Vec<HostReceiver>,
}

/// A host of its own for each attack, so that its counts are its alone.
fn small_host() -> Host {
    new_host(HostOptions::default().max_processes(64))
}

fn hostile(host: &Host, name: &str) -> Component {
    hostile_with(host, name, Kit::Ordinary)
}

fn hostile_with(host: &Host, name: &str, kit: Kit) -> Component {
    match host.component_from_bytes(name, &raw_guest(name, kit)) {
        Ok(component) => component,
        Err(error) => panic!("{error}"),
    }
}

fn hostile_stackless(host: &Host, name: &str) -> Component {
    match host.component_from_bytes(name, &raw_stackless_guest(name)) {
        Ok(component) => component,
        Err(error) => panic!("{error}"),
    }
}

/// Two processes, one of which adds up what the other counts.
fn add_neighbours(network: &mut Network, host: &Host) -> HostReceiver {
    network
        .process("count", &guest_of(host, "count"))
        .argument("limit", NUMBERS);
    network.process("sum", &guest_of(host, "sum"));
    network
        .connect("count.numbers", "sum.numbers", ChannelOptions::bounded(4))
        .expect("the ports fit");
    output(network, "sum.total")
}

impl Attack {
    /// Starts a network with an attacker, which `wire` adds, and the neighbours.
    fn start<T>(wire: impl FnOnce(&Host, &mut Network) -> T) -> (Self, T) {
        let host = small_host();
        let before = host.usage();
        let mut network = host.network("attacked");
        let wired = wire(&host, &mut network);
        let mut other = host.network("elsewhere");
        let sums = vec![
            add_neighbours(&mut network, &host),
            add_neighbours(&mut other, &host),
        ];
        // Before the attacker, which may leave no room.
        let elsewhere = other.start().expect("there is room");
        let attack = Self {
            running: network.start().expect("there is room"),
            elsewhere,
            host,
            before,
            sums,
        };
        (attack, wired)
    }

    /// The neighbours finish their work, whatever the attacker does meanwhile.
    fn neighbours_finish(&mut self) {
        for sum in self.sums.drain(..) {
            let sum: u64 = sum.receive_value().expect("the neighbours go on");
            assert_eq!(sum, NUMBERS * (NUMBERS - 1) / 2);
        }
        let living = |name: &str| {
            let status = self.running.status();
            status.iter().any(|process| process.name == name)
        };
        while living("count") || living("sum") {
            std::thread::yield_now();
        }
    }

    /// Waits for everybody; what became of the attacker, once the host holds nothing of it.
    fn end(mut self) -> Report {
        self.neighbours_finish();
        let report = self.running.wait();
        assert_eq!(self.elsewhere.wait().verdict(), Verdict::Succeeded);
        drop(self.running);
        drop(self.elsewhere);
        assert_comes_back(&self.host, self.before);
        report
    }

    /// Like `end`, for an attacker that never ends by itself.
    fn stop(mut self) -> Report {
        self.neighbours_finish();
        self.running.stop("the test is over");
        self.end()
    }
}

/// How the one process that did not finish ended.
fn only_failure(report: &Report) -> &Outcome {
    assert_eq!(report.failed, 1, "{report:?}");
    &report.failures[0].outcome
}

/// The trap of the one process that did not finish.
fn only_trap(report: &Report) -> &str {
    match only_failure(report) {
        Outcome::Trapped(trap) => &trap.reason,
        other => panic!("expected a trap, found {other:?}"),
    }
}

fn assert_killed(outcome: &Outcome, limit: LimitKind) {
    match outcome {
        Outcome::Killed(overrun) => {
            assert_eq!(overrun.limit, limit);
            assert!(overrun.asked > overrun.allowed, "{overrun:?}");
        }
        other => panic!("expected a kill, found {other:?}"),
    }
}
