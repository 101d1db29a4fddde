//! What processes cost.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use transputer::{ChannelOptions, HostOptions, Limits, Verdict};

use super::{Bench, figure};

pub(super) fn spawn(count: u64) -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let exits = bench.component("exits")?;
    bench
        .process("spawns")?
        .argument("count", count)
        .may_spawn("exits", &exits);
    bench.measure("spawns", count)
}

pub(super) fn parked(processes: u64, samples: u64) -> anyhow::Result<()> {
    let channels = u32::try_from(processes)?.saturating_add(16);
    let mut bench = Bench::with(HostOptions {
        // As by default, unless that is too few.
        max_processes: channels.max(HostOptions::default().max_processes),
        ..HostOptions::default()
    })?;
    let parks = bench.component("parks")?;
    bench
        .process("parker")?
        .argument("processes", processes)
        .argument("samples", samples)
        .may_spawn("parks", &parks)
        .limits(Limits {
            channels: Some(channels),
            children: Some(channels),
            ..Limits::default()
        });
    let rendezvous = ChannelOptions::rendezvous();
    let parked = bench.network.output("parker.parked", rendezvous)?;
    let wake = bench.network.input("parker.wake", rendezvous)?;
    let delays = bench.network.output("parker.delays", rendezvous)?;
    let before = Usage::now()?;
    let running = bench.network.start()?;
    let each = |all: u64| all as f64 / processes as f64;
    let taken = parked.receive_value::<u64>();
    let Ok(taken) = taken else {
        anyhow::bail!("the processes could not be started: {:?}", running.wait());
    };
    let after = Usage::now()?;
    wake.send_value(&0_u64)?;
    let mut delays = delays.receive_value::<Vec<u64>>()?;
    running.stop("everything is measured");
    running.wait();
    figure("start", each(taken));
    figure("bytes", each(after.bytes.saturating_sub(before.bytes)));
    let mappings = after.mappings.saturating_sub(before.mappings);
    figure("mappings", each(mappings));
    delays.sort_unstable();
    let percentile = |percent: usize| delays.get(delays.len() * percent / 100);
    figure("p50", percentile(50).context("no delays")?);
    figure("p99", percentile(99).context("no delays")?);
    Ok(())
}

/// What this program takes from the kernel.
struct Usage {
    bytes: u64,
    mappings: u64,
}

impl Usage {
    fn now() -> anyhow::Result<Self> {
        let rollup = std::fs::read_to_string("/proc/self/smaps_rollup")?;
        let resident = rollup.lines().find_map(|line| line.strip_prefix("Rss:"));
        let kilobytes: u64 = resident
            .and_then(|text| text.split_whitespace().next())
            .context("no Rss in /proc/self/smaps_rollup")?
            .parse()?;
        let maps = std::fs::read_to_string("/proc/self/maps")?;
        Ok(Self {
            bytes: kilobytes << 10,
            mappings: maps.lines().count() as u64,
        })
    }
}

pub(super) fn cpu(rounds: u64) -> anyhow::Result<()> {
    let alone = two_processes(1, rounds)?;
    let together = two_processes(2, rounds)?;
    figure("speed-up", alone.as_secs_f64() / together.as_secs_f64());
    Ok(())
}

/// How long two processes compute on so many workers.
fn two_processes(workers: usize, rounds: u64) -> anyhow::Result<Duration> {
    let mut bench = Bench::with(HostOptions {
        workers: Some(workers),
        ..HostOptions::default()
    })?;
    let computes = bench.component("computes")?;
    let mut ends = Vec::new();
    for name in ["first", "second"] {
        bench
            .network
            .process(name, &computes)
            .argument("rounds", rounds);
        let port = format!("{name}.last");
        let end = bench.network.output(&port, ChannelOptions::rendezvous())?;
        ends.push(end);
    }
    let start = Instant::now();
    let running = bench.network.start()?;
    for end in ends {
        end.receive_value::<u64>()?;
    }
    let elapsed = start.elapsed();
    let report = running.wait();
    ensure!(
        report.verdict() == Verdict::Succeeded,
        "the network ended badly: {report:?}"
    );
    Ok(elapsed)
}
