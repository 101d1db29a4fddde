//! Three guests in a ring, and what they spawn, do whatever the bytes say with the host. One worker
//! runs the schedule of a seed, so an input does the same each time.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use transputer::{
    CacheFolder, ChannelOptions, Component, Event, Host, HostOptions, Level, Limits, Overflow,
    Report,
};
use transputer_tests::{Kit, raw_guest};

/// Less than libFuzzer's, which would not say who waits for what.
const PATIENCE: Duration = Duration::from_secs(8);

const NAMES: [&str; 3] = ["a", "b", "c"];

fn fixture(kit: Kit) -> &'static (Host, Component) {
    static FIXTURE: OnceLock<(Host, Component)> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let host = Host::new(
            HostOptions::default()
                .max_processes(64)
                .cache(CacheFolder::Off)
                .seed(0),
        )
        .expect("a host can be set up");
        let component = host
            .component_from_bytes("interpreter", &raw_guest("interpreter", kit))
            .expect("it is a guest");
        (host, component)
    })
}

/// Runs what the bytes say, with the interpreter and this kit: what became of the network, on which
/// host, and the lines that it logged. Nothing, if the bytes are too few.
///
/// Every network must end: whoever waits for what can never come is told that it is a deadlock.
pub(crate) fn run(kit: Kit, bytes: &[u8]) -> Option<(Host, Report, Vec<String>)> {
    let (&[seed, options, first, second], programs) = bytes.split_first_chunk()?;
    let (first, rest) = programs.split_at(usize::from(first).min(programs.len()));
    let (second, third) = rest.split_at(usize::from(second).min(rest.len()));
    let (host, component) = fixture(kit);
    let host = host.reseeded(u64::from(seed)).expect("it has a seed");
    let events = Arc::new(Mutex::new(Vec::new()));
    let report = start(&host, component, options, [first, second, third], &events);
    let lines = std::mem::take(&mut *events.lock().unwrap_or_else(PoisonError::into_inner));
    Some((host, report, lines))
}

/// Runs the three programs.
fn start(
    host: &Host,
    component: &Component,
    kind: u8,
    programs: [&[u8]; 3],
    events: &Arc<Mutex<Vec<String>>>,
) -> Report {
    let mut network = host.network("fuzzed");
    for name in NAMES {
        network
            .process(name, component)
            .limits(Limits::default().memory(8 << 20).children(4).channels(24))
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
        // The host's own lines are warnings.
        if let Event::Log {
            level: Level::Info,
            line,
            ..
        } = event
        {
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
