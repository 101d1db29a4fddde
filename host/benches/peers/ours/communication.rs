//! Two processes, and one with many channels.

use transputer::ChannelOptions;

use super::Bench;

pub(super) fn ping_pong(rounds: u64) -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    bench.process("pinger")?.argument("rounds", rounds);
    bench.process("ponger")?;
    let network = &mut bench.network;
    network.connect("pinger.ping", "ponger.ping", ChannelOptions::rendezvous())?;
    network.connect("ponger.pong", "pinger.pong", ChannelOptions::rendezvous())?;
    bench.measure("pinger", rounds)
}

pub(super) fn stream(capacity: u64, size: u64, messages: u64) -> anyhow::Result<()> {
    let capacity = ChannelOptions::bounded(usize::try_from(capacity)?);
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
    if size != 8 {
        settings.argument("size", size);
    }
    bench.process(sink)?;
    let (from, to) = (format!("{source}.{port}"), format!("{sink}.{port}"));
    bench.network.connect(&from, &to, capacity)?;
    bench.measure(sink, messages)
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
