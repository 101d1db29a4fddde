//! Networks of many processes.

use super::{Bench, Form};

pub(super) fn ring(form: Form, processes: u64, laps: u64) -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let passes = bench.component(&form.guest("passes"))?;
    bench
        .process("ring")?
        .argument("processes", processes)
        .argument("laps", laps)
        .may_spawn("passes", &passes);
    bench.measure("ring", processes * laps)
}

pub(super) fn sieve(form: Form, primes: u64, capacity: u64) -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let spawnable = [
        "generates",
        "generates_buffered",
        "filters",
        "filters_buffered",
    ];
    let guest = |name: &str| match form {
        Form::Blocking => name.to_owned(),
        // Async functions collect nothing.
        Form::Async => form.guest(name.trim_end_matches("_buffered")),
    };
    let components = spawnable
        .iter()
        .map(|name| bench.component(&guest(name)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut sieve = bench.process("sieve")?;
    sieve
        .argument("count", primes)
        .argument("capacity", capacity);
    for (name, component) in spawnable.iter().zip(&components) {
        sieve.may_spawn(name, component);
    }
    bench.measure("sieve", 1)
}

/// Many workers at one channel.
pub(super) fn fan(head: &str, worker: &str, workers: u64, each: u64) -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let component = bench.component(worker)?;
    bench
        .process(head)?
        .argument("workers", workers)
        .argument("each", each)
        .may_spawn(worker, &component);
    bench.measure(head, workers * each)
}
