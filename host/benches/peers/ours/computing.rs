//! Processes that compute, and what they leave for others.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use transputer::{ChannelOptions, HostOptions, Verdict};

use super::{Bench, Form, figure, percentiles};

pub(super) fn cpu(rounds: u64) -> anyhow::Result<()> {
    let alone = two_processes(1, rounds)?;
    let together = two_processes(2, rounds)?;
    figure("speed-up", alone.as_secs_f64() / together.as_secs_f64());
    Ok(())
}

/// How long two processes compute on so many workers.
fn two_processes(workers: usize, rounds: u64) -> anyhow::Result<Duration> {
    let mut bench = Bench::with(HostOptions::default().workers(workers))?;
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

/// Two processes that wait for times and exchange messages, while so many others never stop.
pub(super) fn preemption(form: Form, loops: u64, samples: u64) -> anyhow::Result<()> {
    let mut bench = Bench::with(HostOptions::default().workers(2))?;
    let spins = bench.component(&form.guest("spins"))?;
    for number in 0..loops {
        bench.network.process(&format!("loop{number}"), &spins);
    }
    let keeps_time = bench.component(&form.guest("keeps_time"))?;
    let ponger = bench.component(&form.guest("ponger"))?;
    let network = &mut bench.network;
    network
        .process("keeps_time", &keeps_time)
        .argument("samples", samples);
    network.process("ponger", &ponger);
    network.connect(
        "keeps_time.ping",
        "ponger.ping",
        ChannelOptions::rendezvous(),
    )?;
    network.connect(
        "ponger.pong",
        "keeps_time.pong",
        ChannelOptions::rendezvous(),
    )?;
    let measured = network.output("keeps_time.measured", ChannelOptions::rendezvous())?;
    let running = bench.network.start()?;
    let Ok(samples) = measured.receive_value::<Vec<(u64, u64)>>() else {
        running.stop("the measurement failed");
        bail!("the network ended badly: {:?}", running.wait());
    };
    running.stop("everything is measured");
    running.wait();
    let (late, exchanges) = samples.into_iter().unzip();
    percentiles(["late-p50", "late-p99"], late)?;
    percentiles(["p50", "p99"], exchanges)
}
