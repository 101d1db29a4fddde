//! What processes cost.

use anyhow::Context as _;
use transputer::{ChannelOptions, HostOptions, Limits};

use super::{Bench, Form, figure, percentiles};

pub(super) fn spawn(count: u64) -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let exits = bench.component("exits")?;
    bench
        .process("spawns")?
        .argument("count", count)
        .may_spawn("exits", &exits);
    bench.measure("spawns", count)
}

pub(super) fn parked(form: Form, processes: u64, samples: u64) -> anyhow::Result<()> {
    let channels = u32::try_from(processes)?.saturating_add(16);
    let mut bench = Bench::with(
        HostOptions::default()
            // As by default, unless that is too few.
            .max_processes(channels.max(HostOptions::default().max_processes)),
    )?;
    let parks = bench.component(&form.guest("parks"))?;
    bench
        .process("parker")?
        .argument("processes", processes)
        .argument("samples", samples)
        .may_spawn("parks", &parks)
        .limits(Limits::default().channels(channels).children(channels));
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
    let delays = delays.receive_value::<Vec<u64>>()?;
    running.stop("everything is measured");
    running.wait();
    figure("start", each(taken));
    figure("bytes", each(after.bytes.saturating_sub(before.bytes)));
    let mappings = after.mappings.saturating_sub(before.mappings);
    figure("mappings", each(mappings));
    percentiles(["p50", "p99"], delays)
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
