//! Two processes, and one with many channels.

use std::hint::black_box;
use std::time::Instant;

use anyhow::bail;
use transputer::{ChannelOptions, Limits};

use super::{Bench, Form, figure, percentiles};
use crate::case::TIME;

pub(super) fn ping_pong(form: Form, rounds: u64) -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let (pinger, ponger) = (form.guest("pinger"), form.guest("ponger"));
    bench.process(&pinger)?.argument("rounds", rounds);
    bench.process(&ponger)?;
    let network = &mut bench.network;
    for (from, to, port) in [(&pinger, &ponger, "ping"), (&ponger, &pinger, "pong")] {
        let (from, to) = (format!("{from}.{port}"), format!("{to}.{port}"));
        network.connect(&from, &to, ChannelOptions::rendezvous())?;
    }
    bench.measure(&pinger, rounds)
}

/// A stream of numbers between async functions, one at a time.
pub(super) fn numbers(capacity: u64, messages: u64) -> anyhow::Result<()> {
    let capacity = ChannelOptions::bounded(usize::try_from(capacity)?);
    let mut bench = Bench::new()?;
    bench.process("counts_async")?.argument("count", messages);
    bench.process("sums_async")?;
    let network = &mut bench.network;
    network.connect("counts_async.numbers", "sums_async.numbers", capacity)?;
    bench.measure("sums_async", messages)
}

/// Bytes that a process may have by default.
const MEMORY: u64 = 64 << 20;

pub(super) fn stream(capacity: u64, size: u64, messages: u64) -> anyhow::Result<()> {
    let capacity = ChannelOptions::bounded(usize::try_from(capacity)?);
    // The most that can lie in the channel, and as much again for both processes.
    let memory = MEMORY.max(2 * size * capacity.capacity as u64);
    let limits = Limits::default().memory(memory);
    let mut bench = Bench::new()?;
    // Where the channel holds only one message there is nothing to collect.
    let (source, port, sink) = match (size, capacity.capacity) {
        (8, 1) => ("counts", "numbers", "sums"),
        (8, _) => ("counts_buffered", "numbers", "sums"),
        (_, 1) => ("blocks", "blocks", "takes_blocks"),
        _ => ("blocks_buffered", "blocks", "takes_blocks"),
    };
    let mut settings = bench.process(source)?;
    settings.argument("count", messages);
    settings.limits(limits);
    if size != 8 {
        settings.argument("size", size);
    }
    bench.process(sink)?.limits(limits);
    let (from, to) = (format!("{source}.{port}"), format!("{sink}.{port}"));
    bench.network.connect(&from, &to, capacity)?;
    bench.measure(sink, messages)
}

/// Copies a block into so many others in turn, as a channel of that capacity would at least.
pub(super) fn memcpy(blocks: u64, size: u64, count: u64) -> anyhow::Result<()> {
    let size = usize::try_from(size)?;
    let source = vec![1_u8; size];
    let mut blocks = vec![vec![2_u8; size]; usize::try_from(blocks)?];
    let most = blocks.len();
    let start = Instant::now();
    for number in 0..usize::try_from(count)? {
        let block = &mut blocks[number % most];
        block.copy_from_slice(black_box(&source));
        black_box(block);
    }
    figure(TIME, start.elapsed().as_nanos() as f64 / count as f64);
    Ok(())
}

/// How long messages take to one who waits for them, from a sender that computes between them.
pub(super) fn latency(buffered: bool, messages: u64) -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    bench
        .process("pulses")?
        .argument("count", messages)
        .argument("buffered", buffered);
    bench.process("delays")?;
    let capacity = ChannelOptions::bounded(128);
    bench
        .network
        .connect("pulses.times", "delays.times", capacity)?;
    let rendezvous = ChannelOptions::rendezvous();
    let measured = bench.network.output("delays.measured", rendezvous)?;
    let running = bench.network.start()?;
    let Ok(delays) = measured.receive_value::<Vec<u64>>() else {
        bail!("the network ended badly: {:?}", running.wait());
    };
    running.wait();
    percentiles(["p50", "p99"], delays)
}

pub(super) fn alternation(channels: u64, each: u64) -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let counts = bench.component("counts")?;
    bench
        .process("alternates")?
        .argument("channels", channels)
        .argument("each", each)
        .may_spawn("counts", &counts);
    bench.measure("alternates", channels * each)
}
