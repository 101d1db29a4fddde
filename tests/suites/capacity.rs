//! At capacity, spawning and starting wait or fail, as asked; and as many processes as are
//! promised do live at once.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use transputer::{
    AtCapacity, ChannelOptions, Doing, Error, Host, HostOptions, HostReceiver, HostSender, Limits,
    Running, SpawnFault, Totals, Verdict,
};
use transputer_tests::{guest_of, input, new_host, until_nothing_is_held};

fn small(max_processes: u32, at_capacity: AtCapacity) -> Host {
    new_host(
        HostOptions::default()
            .max_processes(max_processes)
            .at_capacity(at_capacity),
    )
}

/// A network whose one process wants so many children.
struct Crowd {
    running: Running,
    told: HostReceiver,
    release: HostSender,
}

fn crowd(host: &Host, children: i64, patience: &str, totals: Totals) -> Crowd {
    crowd_that_tells(
        host,
        children,
        patience,
        totals,
        ChannelOptions::bounded(1_000),
    )
}

fn crowd_that_tells(
    host: &Host,
    children: i64,
    patience: &str,
    totals: Totals,
    telling: ChannelOptions,
) -> Crowd {
    let mut network = host.network("crowd");
    network.totals(totals);
    network
        .process("crowds", &guest_of(host, "crowds"))
        .argument("children", children)
        .argument("patience", patience)
        .may_spawn("parks", &guest_of(host, "parks"));
    let told = network.output("crowds.told", telling).expect("it is free");
    let release = input(&mut network, "crowds.release");
    Crowd {
        running: network.start().expect("it starts"),
        told,
        release,
    }
}

impl Crowd {
    fn next(&self) -> String {
        self.told.receive_value().expect("it tells")
    }

    /// Lets all go, once the crowd has what it wanted.
    fn end(self) {
        self.release.send_value(&()).expect("it waits for this");
        let report = self.running.wait();
        assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    }

    /// Waits until the process waits for a permit.
    fn queues(&self) {
        let waits = || {
            let status = self.running.status();
            status.iter().any(|process| {
                matches!(&process.doing, Doing::Waiting(waits)
                    if waits.iter().any(|wait| wait.channel.starts_with("processes of the")))
            })
        };
        while !waits() {
            std::thread::yield_now();
        }
    }
}

fn network_of(processes: u32) -> Totals {
    Totals::default().processes(processes)
}

#[test]
fn without_patience_spawning_past_the_capacity_fails() {
    let host = small(3, AtCapacity::Fail);
    for patience in ["", "now"] {
        let crowd = crowd(&host, 3, patience, Totals::default());
        assert_eq!(
            (crowd.next().as_str(), crowd.next().as_str()),
            ("started", "started")
        );
        let expected = "capacity: 3 processes run, as many as `max_processes` = 3 allows";
        assert_eq!(crowd.next(), expected);
        crowd.end();
        assert_eq!(host.running_processes(), 0);
    }
}

#[test]
fn a_networks_own_capacity_is_named() {
    let host = small(100, AtCapacity::Fail);
    let crowd = crowd(&host, 2, "", network_of(2));
    assert_eq!(crowd.next(), "started");
    let expected = "capacity: 2 processes run, as many as `processes` = 2 allows its network";
    assert_eq!(crowd.next(), expected);
    crowd.end();
}

#[test]
fn with_patience_spawning_waits_for_a_place() {
    for (at_capacity, patience) in [(AtCapacity::Fail, "forever"), (AtCapacity::Wait, "")] {
        let host = small(4, at_capacity);
        let first = crowd(&host, 1, "now", Totals::default());
        assert_eq!(first.next(), "started");
        let second = crowd(&host, 2, patience, Totals::default());
        assert_eq!(second.next(), "started");
        second.queues();
        assert_eq!(host.running_processes(), 4);
        first.end();
        assert_eq!(second.next(), "started");
        second.end();
        assert_eq!(host.running_processes(), 0);
    }
}

#[test]
fn patience_for_a_place_runs_out() {
    let host = small(2, AtCapacity::Fail);
    let crowd = crowd(&host, 2, "20", Totals::default());
    assert_eq!(crowd.next(), "started");
    let expected = "capacity: 2 processes run, as many as `max_processes` = 2 allows, and none \
                    came free in time";
    assert_eq!(crowd.next(), expected);
    crowd.end();
    let host = small(2, AtCapacity::WaitFor(Duration::from_millis(20)));
    let crowd = self::crowd(&host, 2, "", Totals::default());
    assert_eq!(
        (crowd.next().as_str(), crowd.next().as_str()),
        ("started", expected)
    );
    crowd.end();
}

#[test]
fn who_waits_for_a_place_can_be_stopped_and_hands_it_on() {
    let host = small(4, AtCapacity::Wait);
    let holder = crowd(&host, 1, "", Totals::default());
    assert_eq!(holder.next(), "started");
    let first = crowd(&host, 1, "", Totals::default());
    assert_eq!(first.next(), "started");
    let totals = Totals::default();
    let (queued, waits) = mpsc::channel();
    std::thread::scope(|scope| {
        // There is no permit for it: it starts once somebody ends.
        let late = scope.spawn(|| {
            queued.send(()).expect("somebody listens");
            crowd(&host, 0, "", totals)
        });
        waits.recv().expect("it is about to start");
        first.running.stop("enough");
        assert_eq!(first.running.wait().verdict(), Verdict::Stopped);
        late.join().expect("it has started").end();
    });
    holder.end();
    assert_eq!(host.running_processes(), 0);
}

#[test]
fn places_go_to_who_has_waited_longest() {
    let host = small(5, AtCapacity::Wait);
    let holder = crowd(&host, 2, "", Totals::default());
    assert_eq!(
        (holder.next().as_str(), holder.next().as_str()),
        ("started", "started")
    );
    let second = crowd(&host, 0, "", Totals::default());
    let first = crowd(&host, 2, "", Totals::default());
    // Five run; the first wants two more, one after the other.
    first.queues();
    second.end();
    assert_eq!(first.next(), "started");
    first.queues();
    holder.end();
    assert_eq!(first.next(), "started");
    first.end();
}

#[test]
fn waiting_for_a_place_that_can_never_come_is_a_deadlock() {
    for totals in [Totals::default(), network_of(3)] {
        let host = small(3, AtCapacity::Wait);
        let crowd = crowd(&host, 3, "", totals);
        assert_eq!(
            (crowd.next().as_str(), crowd.next().as_str()),
            ("started", "started")
        );
        // All others wait for this one, and it waits for one of them to end.
        let refused = crowd.next();
        assert!(refused.contains("; deadlock: crowds"), "{refused}");
        crowd.release.send_value(&()).expect("it goes on");
        let report = crowd.running.wait();
        assert_eq!(report.verdict(), Verdict::Deadlocked, "{report:?}");
        let text = report.deadlocks[0].to_string();
        assert!(
            text.contains("`crowds` waits to get a permit from"),
            "{text}"
        );
    }
}

#[test]
fn networks_that_wait_for_each_others_places_are_deadlocked() {
    let host = small(4, AtCapacity::Wait);
    // Each goes on only when it is heard.
    let meets = ChannelOptions::rendezvous();
    let first = crowd_that_tells(&host, 2, "", Totals::default(), meets);
    let second = crowd_that_tells(&host, 2, "", Totals::default(), meets);
    while host.running_processes() < 4 {
        std::thread::yield_now();
    }
    assert_eq!(
        (first.next().as_str(), second.next().as_str()),
        ("started", "started")
    );
    // Four run, and both want a third process. One is refused, whichever was looked at first,
    // and its permits go to the other.
    let told = first.next();
    let (refused, text, granted) = match told.as_str() {
        "started" => (second, None, first),
        _ => (first, Some(told), second),
    };
    if text.is_some() {
        assert_eq!(granted.next(), "started");
    }
    let text = text.unwrap_or_else(|| refused.next());
    assert!(text.contains("; deadlock: crowds"), "{text}");
    refused.release.send_value(&()).expect("it goes on");
    assert_eq!(refused.running.wait().verdict(), Verdict::Deadlocked);
    granted.end();
}

#[test]
fn a_network_waits_for_all_of_its_places_or_fails_at_once() {
    let host = small(3, AtCapacity::Wait);
    let mut wide = host.network("wide");
    for n in 0..4 {
        wide.process(&format!("p{n}"), &guest_of(&host, "no_ports"));
    }
    match wide.start() {
        Err(Error::Spawn {
            reason: fault @ SpawnFault::Capacity { wanted: 4, .. },
            ..
        }) => assert!(fault.to_string().contains("4 are to start"), "{fault}"),
        other => panic!("expected no room, found {other:?}"),
    }
    let holder = crowd(&host, 1, "", Totals::default());
    assert_eq!(holder.next(), "started");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut network = host.network("two");
            for n in 0..2 {
                network.process(&format!("p{n}"), &guest_of(&host, "no_ports"));
            }
            network.start().expect("there is room in the end").wait()
        });
        holder.end();
        let report = waiting.join().expect("it has run");
        assert_eq!(report.verdict(), Verdict::Succeeded);
    });
}

/// Parks so many processes at once, the one that spawns them included, and lets them go.
fn parks(max_processes: u32) {
    let host = new_host(HostOptions::default().max_processes(max_processes));
    let before = kibibytes("VmRSS");
    let began = Instant::now();
    let mut network = host.network("parked");
    network
        .process("crowds", &guest_of(&host, "crowds"))
        .argument("children", i64::from(max_processes) - 1)
        .argument("patience", "now")
        .may_spawn("parks", &guest_of(&host, "parks"))
        .limits(Limits::default().channels(2 * max_processes));
    let told = network
        .output("crowds.told", ChannelOptions::bounded(1_000))
        .expect("it is free");
    let release = input(&mut network, "crowds.release");
    let running = network.start().expect("it starts");
    for n in 1..max_processes {
        let answer: String = told.receive_value().expect("it tells");
        assert_eq!(answer, "started", "child {n}");
    }
    let spawned = began.elapsed();
    assert_eq!(host.running_processes(), max_processes);
    let (parked, mappings) = (kibibytes("VmRSS"), mappings());
    release.send_value(&()).expect("it waits for this");
    let report = running.wait();
    assert_eq!(
        report.verdict(),
        Verdict::Succeeded,
        "{:?}",
        report.failures.first()
    );
    assert_eq!(report.processes, u64::from(max_processes));
    assert_eq!(host.running_processes(), 0);
    until_nothing_is_held(&host);
    eprintln!(
        "{max_processes} processes parked at once: spawned in {spawned:.1?}, let go in {:.1?}; \
         {} KiB each, {mappings} mappings",
        began.elapsed() - spawned,
        parked.saturating_sub(before) / u64::from(max_processes),
    );
}

/// A figure of `/proc/self/status`, in KiB.
fn kibibytes(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix(name)).unwrap_or("");
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

fn mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines().count()
}

fn is_full() -> bool {
    std::env::var_os("TRANSPUTER_FULL").is_some()
}

#[test]
fn as_many_processes_as_the_default_allows_park_at_once() {
    parks(match is_full() {
        true => HostOptions::default().max_processes,
        // More than a host has slots for when it begins.
        false => 1_100,
    });
}

/// A host whose stacks all have their guard pages has two mappings for each.
#[test]
fn guard_pages_are_made_when_they_are_needed() {
    let options = HostOptions::default();
    let places = usize::try_from(options.max_processes).expect("not that many");
    let before = mappings();
    let host = new_host(options);
    let begun = mappings().saturating_sub(before);
    assert!(begun < places, "{begun} mappings for {places} places");
    drop(host);
}

#[test]
fn a_hundred_thousand_processes_park_at_once() {
    const MAPPINGS: u64 = 700_000;
    const GIB: u64 = 1 << 20;
    if !is_full() {
        eprintln!("skipped: runs when TRANSPUTER_FULL is set, see tools/capacity");
        return;
    }
    let allowed = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
    let allowed: u64 = allowed.trim().parse().unwrap_or(0);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let mut lines = memory.lines();
    let available = lines.find_map(|line| line.strip_prefix("MemAvailable:"));
    let available = available.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
    let available: u64 = available.unwrap_or(0);
    if allowed < MAPPINGS || available < 8 * GIB {
        eprintln!(
            "skipped: needs vm.max_map_count = {MAPPINGS} (is {allowed}; set it with `sysctl \
             -w`) and 8 GiB of memory ({} GiB are available)",
            available / GIB
        );
        return;
    }
    parks(100_000);
}

/// A component of four core modules, each with a memory, that runs until it is stopped.
const FOUR_MEMORIES: &str = r#"(component
  (import "transputer:csp/channel@0.1.0" (instance $channel
    (export "sender" (type (sub resource))) (export "receiver" (type (sub resource)))))
  (alias export $channel "sender" (type $sender))
  (alias export $channel "receiver" (type $receiver))
  (core module $memory (memory (export "memory") 1))
  (core module $guest (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0x1000))
    (func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32) (loop (br 0)) unreachable))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance $instance (instantiate $guest))
  (alias core export $instance "memory" (core memory $own))
  (type $input (tuple string (own $receiver)))
  (type $output (tuple string (own $sender)))
  (func $run
    (param "args" (list u8)) (param "inputs" (list $input)) (param "outputs" (list $output))
    (result (result (error string)))
    (canon lift (core func $instance "run")
      (memory $own) (realloc (core func $instance "cabi_realloc"))))
  (export "run" (func $run))
  (@custom "transputer:signature" "{\"version\":1,\"process\":\"four\"}"))"#;

/// Waits until a process that takes all four slots is instantiated, which it is when its turn comes.
fn until_it_has_all_slots(host: &Host) {
    let patience = Instant::now() + Duration::from_secs(20);
    while host.usage().memories < 4 {
        assert!(Instant::now() < patience, "it was not instantiated");
        std::thread::yield_now();
    }
}

/// The host has a slot for one memory of each process that it may have, so four for four.
#[test]
fn a_process_without_a_slot_is_refused_and_nobody_else_is_hurt() {
    let host = small(4, AtCapacity::Fail);
    let bytes = wat::parse_str(FOUR_MEMORIES).expect("a component");
    let four = host.component_from_bytes("four", &bytes);
    let four = four.expect("it is within the limits");
    let started = |name: &str| {
        let mut network = host.network(name);
        network.process(name, &four);
        network.start()
    };
    let first = started("first").expect("it may run");
    until_it_has_all_slots(&host);
    // It is told as its outcome, for it is instantiated when its turn comes.
    let report = started("second").expect("it may run").wait();
    assert_eq!(report.failures.len(), 1, "{report:?}");
    let text = report.failures[0].outcome.to_string();
    let says = "as many processes of its kind run as the host has slots for";
    assert!(text.contains(says), "{text}");
    assert!(
        text.contains("a higher `max_processes` makes more"),
        "{text}"
    );
    // It holds the text.
    drop(report);
    first.stop("it has run for long enough");
    let report = first.wait();
    assert_eq!(report.failures.len(), 1, "{report:?}");
    assert!(
        matches!(report.failures[0].outcome, transputer::Outcome::Stopped(_)),
        "it ran on until then: {report:?}"
    );
    drop((first, report));
    until_nothing_is_held(&host);
    let third = started("third").expect("it may run");
    // They are free again.
    until_it_has_all_slots(&host);
    third.stop("that is all");
    third.wait();
}
