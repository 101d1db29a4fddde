//! Three guests in a ring, and what they spawn, do whatever the bytes say with the host: channels,
//! ends in messages, alternations, barriers, children, and now and then something forged. One
//! worker runs the schedule of a seed, so an input does the same each time.
//!
//! Every network must end: whoever waits for what can never come is told that it is a deadlock.
//! Afterwards the host must hold nothing, no message may have come twice, and none that was
//! refused may have come at all.
#![no_main]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use transputer::{
    CacheFolder, ChannelOptions, Component, Event, Host, HostOptions, Limits, Outcome, Overflow,
    Report, Usage,
};
use transputer_tests::{Kit, assert_comes_back, raw_guest};

/// Less than libFuzzer's, which would not say who waits for what.
const PATIENCE: Duration = Duration::from_secs(8);

const NAMES: [&str; 3] = ["a", "b", "c"];

fn fixture() -> &'static (Host, Component) {
    static FIXTURE: OnceLock<(Host, Component)> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let host = Host::new(HostOptions {
            max_processes: 64,
            cache: CacheFolder::Off,
            seed: Some(0),
            ..HostOptions::default()
        })
        .expect("a host can be set up");
        let component = host
            .component_from_bytes("interpreter", &raw_guest("interpreter", Kit::Ordinary))
            .expect("it is a guest");
        (host, component)
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[seed, kind, first, second], programs)) = bytes.split_first_chunk() else {
        return;
    };
    let (first, rest) = programs.split_at(usize::from(first).min(programs.len()));
    let (second, third) = rest.split_at(usize::from(second).min(rest.len()));
    let host = fixture()
        .0
        .reseeded(u64::from(seed))
        .expect("it has a seed");
    let events = Arc::new(Mutex::new(Vec::new()));
    let report = run(&host, kind, [first, second, third], &events);
    check_outcomes(&report);
    check_messages(&events.lock().unwrap_or_else(PoisonError::into_inner));
    assert_comes_back(&host, Usage::default());
});

/// Runs the three programs.
fn run(host: &Host, kind: u8, programs: [&[u8]; 3], events: &Arc<Mutex<Vec<String>>>) -> Report {
    let component = &fixture().1;
    let mut network = host.network("fuzzed");
    for name in NAMES {
        network
            .process(name, component)
            .limits(Limits {
                memory: Some(8 << 20),
                children: Some(4),
                channels: Some(24),
                ..Limits::default()
            })
            .may_spawn("child", component);
    }
    let overflow = match kind >> 4 & 3 {
        0 => Overflow::DropOldest,
        1 => Overflow::DropNewest,
        _ => Overflow::Block,
    };
    let options = ChannelOptions::bounded(usize::from(kind & 3)).overflow(overflow);
    for (n, from) in NAMES.into_iter().enumerate() {
        let to = NAMES[(n + 1) % NAMES.len()];
        network
            .connect(&format!("{from}.out"), &format!("{to}.in"), options)
            .expect("the ports fit");
    }
    for (name, program) in NAMES.into_iter().zip(programs) {
        network
            .input(&format!("{name}.program"), ChannelOptions::bounded(1))
            .expect("it is a port")
            .send(program)
            .expect("there is room");
    }
    let heard = events.clone();
    network.on_event(move |event| {
        if let Event::Log { line, .. } = event {
            heard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
    });
    let running = network.start().expect("there is room");
    let started = Instant::now();
    while !running.has_ended() {
        std::thread::sleep(Duration::from_micros(50));
        assert!(
            started.elapsed() < PATIENCE,
            "it neither ends nor is a deadlock: {:#?}",
            running.status()
        );
    }
    running.wait()
}

/// The interpreter returns, unless it was told to do evil or was ended by another.
fn check_outcomes(report: &Report) {
    for failure in &report.failures {
        match &failure.outcome {
            Outcome::Failed(text) => panic!("the interpreter has no errors: {text}"),
            Outcome::Trapped(trap) if trap.reason.contains("unreachable") => {
                panic!("the host broke its word: {trap:?}")
            }
            Outcome::Killed(overrun) => panic!("it was within its limits: {overrun}"),
            _ => {}
        }
    }
}

/// What became of a message.
#[derive(Default)]
struct Fate {
    offered: u32,
    sent: u32,
    refused: u32,
    received: u32,
}

fn check_messages(lines: &[String]) {
    let mut fates: HashMap<&str, Fate> = HashMap::new();
    for line in lines {
        let (kind, letters) = line.split_at(1);
        let fate = fates.entry(letters).or_default();
        match kind {
            "o" => fate.offered += 1,
            "s" => fate.sent += 1,
            "f" => fate.refused += 1,
            "r" => fate.received += 1,
            _ => panic!("no interpreter logs `{line}`"),
        }
    }
    for (letters, fate) in fates {
        assert_eq!(fate.offered, 1, "{letters} is offered once");
        assert!(
            fate.sent + fate.refused <= 1,
            "{letters} is sent or refused"
        );
        assert!(fate.received <= 1, "{letters} was received twice");
        assert!(
            fate.received + fate.refused <= 1,
            "{letters} was refused and received"
        );
    }
}
