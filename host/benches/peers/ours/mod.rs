//! Our own programs, each in a process of the operating system of its own, like the peers'.

mod communication;
mod computing;
mod neighbours;
mod networks;
mod processes;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use transputer::{ChannelOptions, Component, Host, HostOptions, Network};

use crate::case::{ASYNC, TIME};

/// Runs one program, and prints its figures.
pub(crate) fn run(words: &[String]) -> anyhow::Result<()> {
    let (program, numbers) = words.split_first().context("no program is named")?;
    let numbers = numbers
        .iter()
        .map(|number| number.parse())
        .collect::<Result<Vec<u64>, _>>()?;
    if let Some(program) = program.strip_suffix(ASYNC) {
        return match (program, numbers.as_slice()) {
            ("ping-pong", &[rounds]) => communication::ping_pong(Form::Async, rounds),
            ("stream", &[capacity, 8, messages]) => communication::numbers(capacity, messages),
            ("ring", &[processes, laps]) => networks::ring(Form::Async, processes, laps),
            ("sieve", &[primes, capacity]) => networks::sieve(Form::Async, primes, capacity),
            ("parked", &[processes, samples]) => processes::parked(Form::Async, processes, samples),
            ("preemption", &[loops, samples]) => computing::preemption(Form::Async, loops, samples),
            _ => bail!("there is no program `{program}` of async functions"),
        };
    }
    match (program.as_str(), numbers.as_slice()) {
        ("ping-pong", &[rounds]) => communication::ping_pong(Form::Blocking, rounds),
        ("stream", &[capacity, size, messages]) => communication::stream(capacity, size, messages),
        ("memcpy", &[blocks, size, count]) => communication::memcpy(blocks, size, count),
        ("latency", &[buffered, messages]) => communication::latency(buffered != 0, messages),
        ("alternation", &[channels, each]) => communication::alternation(channels, each),
        ("ring", &[processes, laps]) => networks::ring(Form::Blocking, processes, laps),
        ("sieve", &[primes, capacity]) => networks::sieve(Form::Blocking, primes, capacity),
        ("fan-in", &[workers, each]) => networks::fan("fan_in", "counts", workers, each),
        ("fan-out", &[workers, each]) => networks::fan("fan_out", "adds", workers, each),
        ("spawn", &[count]) => processes::spawn(count),
        ("parked", &[processes, samples]) => processes::parked(Form::Blocking, processes, samples),
        ("cpu", &[rounds]) => computing::cpu(rounds),
        ("beside", &[workers, capacity, kind, count, milliseconds]) => {
            neighbours::beside(workers, capacity, kind, count, milliseconds)
        }
        ("preemption", &[loops, samples]) => computing::preemption(Form::Blocking, loops, samples),
        _ => bail!(
            "there is no program `{program}` with {} numbers",
            numbers.len()
        ),
    }
}

/// What the processes of a program are.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Form {
    Blocking,
    Async,
}

impl Form {
    /// The guest that does this in this form.
    fn guest(self, name: &str) -> String {
        match self {
            Self::Blocking => name.to_owned(),
            Self::Async => format!("{name}_async"),
        }
    }
}

/// The repository's folder.
pub(crate) fn repository() -> &'static Path {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above
        .find(|folder| folder.join("Cargo.lock").is_file())
        .unwrap_or(Path::new("."))
}

/// Makes sure that the guests have been built.
pub(crate) fn check_guests() -> anyhow::Result<()> {
    let file = guest_file("pinger");
    ensure!(
        file.is_file(),
        "the guests are not built ({} is missing): run \
         `transputer build host/benches/guests examples/hello`",
        file.display()
    );
    Ok(())
}

fn guest_file(name: &str) -> PathBuf {
    let built = repository().join("target/guests/wasm32-wasip2/guest/examples");
    built.join(format!("bench_{name}.wasm"))
}

/// A network under construction, and its host.
struct Bench {
    host: Host,
    network: Network,
}

impl Bench {
    /// With the host that users get when they ask for nothing.
    fn new() -> anyhow::Result<Self> {
        Self::with(HostOptions::default())
    }

    fn with(options: HostOptions) -> anyhow::Result<Self> {
        let host = Host::new(options)?;
        let network = host.network("bench");
        Ok(Self { host, network })
    }

    fn component(&self, name: &str) -> anyhow::Result<Component> {
        Ok(self.host.component(guest_file(name))?)
    }

    /// Adds a process that runs the guest of this name.
    fn process(&mut self, name: &str) -> anyhow::Result<transputer::ProcessSettings<'_>> {
        let component = self.component(name)?;
        Ok(self.network.process(name, &component))
    }

    /// Runs the network; its figures are what `process` sends on its port `measured`: how
    /// many nanoseconds so many operations took, and what it computed.
    fn measure(mut self, process: &str, operations: u64) -> anyhow::Result<()> {
        let port = format!("{process}.measured");
        let measured = self.network.output(&port, ChannelOptions::rendezvous())?;
        let running = self.network.start()?;
        let Ok((nanoseconds, check)) = measured.receive_value::<(u64, u64)>() else {
            bail!("the network ended badly: {:?}", running.wait());
        };
        // Like the peers' programs, which end with their main process.
        running.stop("everything is measured");
        running.wait();
        figure(TIME, nanoseconds as f64 / operations as f64);
        figure("check", check);
        Ok(())
    }
}

/// Prints the 50th and the 99th percentile.
fn percentiles([middle, high]: [&str; 2], mut values: Vec<u64>) -> anyhow::Result<()> {
    values.sort_unstable();
    for (name, percent) in [(middle, 50), (high, 99)] {
        let value = values.get(values.len() * percent / 100);
        figure(name, value.context("nothing was measured")?);
    }
    Ok(())
}

fn figure(name: &str, value: impl std::fmt::Display) {
    println!("{name} {value}");
}
