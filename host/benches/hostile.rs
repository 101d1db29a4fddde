//! What a neighbour feels of each hostile guest of `tests/hostile`: how long its exchanges of a message
//! take, and how late it is woken by a timer. See `README.md`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use transputer::{ChannelOptions, Component, Host, HostOptions, Network, Running};
use transputer_tests::{Kit, guest_of, new_host, output, raw_guest, repository};

/// What is put together into a guest, and what a fuzzer feeds.
const NO_GUESTS: [&str; 4] = ["imports", "interpreter", "misbehaves", "ordinary"];

/// Attackers at once: one for each worker.
const AT_ONCE: usize = 2;

/// The longest that a neighbour may have to wait, in the worst of a hundred cases.
const LONGEST: Duration = Duration::from_millis(20);

/// What somebody attacks with.
struct Attacker {
    name: String,
    component: Component,
    /// Its arguments.
    arguments: Vec<(&'static str, u64)>,
}

/// What the neighbour measured, in order.
struct Felt {
    exchanges: Vec<Duration>,
    late: Vec<Duration>,
    /// How often the attackers came.
    attacks: u64,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--bench") {
        println!("this is a benchmark: run it with `cargo bench`");
        return ExitCode::SUCCESS;
    }
    let samples = match words.iter().any(|word| word == "--quick") {
        true => 200,
        false => 2_000,
    };
    let wanted: Vec<&String> = words
        .iter()
        .filter(|word| !word.starts_with("--"))
        .collect();
    let host = new_host(HostOptions::default().max_processes(64).workers(AT_ONCE));
    println!("| Beside two of | attacks | exchange p50 | p99 | timer late p50 | p99 | 20 ms |");
    println!("|---|--:|--:|--:|--:|--:|---|");
    let nobody = measure(&host, None, samples);
    let mut held = print("nobody", nobody);
    for attacker in attackers(&host) {
        if wanted.is_empty() || wanted.iter().any(|word| attacker.name.contains(*word)) {
            held &= print(&attacker.name, measure(&host, Some(&attacker), samples));
        }
    }
    match held {
        true => println!("\nEvery 99th percentile is within 20 ms."),
        false => println!("\nNot every 99th percentile is within 20 ms."),
    }
    ExitCode::SUCCESS
}

/// Everything in `tests/hostile`, and those hostile guests that are written in Rust.
fn attackers(host: &Host) -> Vec<Attacker> {
    let mut names: Vec<String> = std::fs::read_dir(repository().join("tests/hostile"))
        .expect("the hostile guests are there")
        .filter_map(|entry| {
            let path = entry.expect("the folder can be read").path();
            (path.extension()? == "wat").then(|| path.file_stem()?.to_str().map(str::to_owned))?
        })
        .filter(|name| !NO_GUESTS.contains(&name.as_str()))
        .collect();
    names.sort();
    let by_hand = names.into_iter().filter_map(|name| {
        let bytes = raw_guest(&name, kit(&name));
        match host.component_from_bytes(&name, &bytes) {
            Ok(component) => Some(Attacker {
                name,
                component,
                arguments: Vec::new(),
            }),
            Err(error) => {
                println!("| {name} | is refused: {error} | | | | | |");
                None
            }
        }
    });
    let in_rust = [
        ("draws_chance", vec![("bytes", 16 << 20), ("times", 1_000)]),
        ("polls_many", vec![("clocks", 4_096)]),
    ];
    let in_rust = in_rust.into_iter().map(|(name, arguments)| Attacker {
        name: name.to_owned(),
        component: guest_of(host, name),
        arguments,
    });
    by_hand.chain(in_rust).collect()
}

/// Whether a hand-written guest brings its own memory.
fn kit(name: &str) -> Kit {
    let file: &Path = &repository().join(format!("tests/hostile/{name}.wat"));
    let text = std::fs::read_to_string(file).expect("it is there");
    match text.contains("(memory (export") {
        true => Kit::Own,
        false => Kit::Ordinary,
    }
}

/// What a neighbour feels while attackers come again and again.
fn measure(host: &Host, attacker: Option<&Attacker>, samples: u64) -> Felt {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let attacking = attacker.map(|attacker| scope.spawn(|| attack(host, attacker, &over)));
        let measured = neighbour(host, samples);
        over.store(true, Ordering::Release);
        let attacks = attacking.map_or(0, |it| it.join().expect("it does not panic"));
        let (late, exchanges) = measured.into_iter().unzip();
        Felt {
            exchanges,
            late,
            attacks,
        }
    })
}

/// How late it was for its times, and how long its exchanges took, in nanoseconds.
fn neighbour(host: &Host, samples: u64) -> Vec<(Duration, Duration)> {
    let mut network = host.network("neighbour");
    network
        .process("keeps_time", &guest_of(host, "bench_keeps_time"))
        .argument("samples", samples);
    network.process("ponger", &guest_of(host, "bench_ponger"));
    for (from, to) in [
        ("keeps_time.ping", "ponger.ping"),
        ("ponger.pong", "keeps_time.pong"),
    ] {
        network
            .connect(from, to, ChannelOptions::rendezvous())
            .expect("the ports fit");
    }
    let measured = output(&mut network, "keeps_time.measured");
    let running = network.start().expect("there is room for it");
    let times: Vec<(u64, u64)> = measured.receive_value().expect("it measures");
    drop(measured);
    running.stop("everything is measured");
    running.wait();
    let times = times.into_iter();
    times
        .map(|(late, exchange)| (Duration::from_nanos(late), Duration::from_nanos(exchange)))
        .collect()
}

/// Attacks until it is over; tells how often.
fn attack(host: &Host, attacker: &Attacker, over: &AtomicBool) -> u64 {
    let mut attacks = 0;
    while !over.load(Ordering::Acquire) {
        let mut network = host.network("attackers");
        let ends: Vec<_> = (0..AT_ONCE)
            .map(|number| add(&mut network, attacker, &format!("attacker{number}")))
            .collect();
        let Ok(running) = network.start() else {
            std::thread::yield_now();
            continue;
        };
        attacks += 1;
        wait(&running, over);
        drop(ends);
        running.stop("everything is measured");
        running.wait();
    }
    attacks
}

fn wait(running: &Running, over: &AtomicBool) {
    while !running.has_ended() && !over.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Adds an attacker, with a message at each of its inputs and room at its outputs.
fn add(network: &mut Network, attacker: &Attacker, name: &str) -> Vec<Box<dyn Send>> {
    let component = &attacker.component;
    let mut process = network.process(name, component);
    process
        .may_spawn("self", component)
        .may_spawn("bomb", component);
    for (argument, value) in &attacker.arguments {
        process.argument(argument, *value);
    }
    let mut ends: Vec<Box<dyn Send>> = Vec::new();
    for port in component.signature().inputs() {
        let at = format!("{name}.{}", port.name);
        let options = ChannelOptions::bounded(1);
        let sender = network.input(&at, options).expect("it is a port");
        sender.try_send([1]).expect("there is room");
        ends.push(Box::new(sender));
    }
    for port in component.signature().outputs() {
        let at = format!("{name}.{}", port.name);
        let options = ChannelOptions::bounded(16);
        ends.push(Box::new(
            network.output(&at, options).expect("it is a port"),
        ));
    }
    ends
}

/// Prints a line; whether it is as it should be.
fn print(name: &str, felt: Felt) -> bool {
    let [exchange, late] = [felt.exchanges, felt.late].map(|mut times| {
        times.sort_unstable();
        [50, 99].map(|percent| times[(times.len() - 1) * percent / 100])
    });
    let held = exchange[1] <= LONGEST && late[1] <= LONGEST;
    println!(
        "| {name} | {} | {:.2?} | {:.2?} | {:.2?} | {:.2?} | {} |",
        felt.attacks,
        exchange[0],
        exchange[1],
        late[0],
        late[1],
        if held { "held" } else { "missed" }
    );
    held
}
