//! A stream beside others that take processor time.

use anyhow::bail;
use transputer::{ChannelOptions, HostOptions};

use super::{Bench, figure};

/// Who runs beside it.
#[derive(Copy, Clone)]
enum Beside {
    Nobody,
    /// So many endless loops.
    Loops(u64),
    /// So many that compute 30 ms for each item.
    Labour(u64),
    /// One that only lets others run.
    Yields,
    /// One that asks without end for a message that never comes.
    Polls,
}

/// Measures what part of its fair share a stream gets, of the rate that it has alone.
pub(super) fn beside(
    workers: u64,
    capacity: u64,
    kind: u64,
    count: u64,
    milliseconds: u64,
) -> anyhow::Result<()> {
    let beside = match kind {
        0 => Beside::Loops(count),
        1 => Beside::Labour(count),
        2 => Beside::Yields,
        3 => Beside::Polls,
        _ => bail!("there is no kind {kind} of neighbours"),
    };
    let alone = rate(workers, capacity, Beside::Nobody, milliseconds)?;
    let together = rate(workers, capacity, beside, milliseconds)?;
    let fair = (2.0 * workers as f64 / (2 + count) as f64).min(1.0);
    figure("share", together / (alone * fair));
    Ok(())
}

/// Messages in a nanosecond.
fn rate(workers: u64, capacity: u64, beside: Beside, milliseconds: u64) -> anyhow::Result<f64> {
    let mut bench = Bench::with(HostOptions::default().workers(usize::try_from(workers)?))?;
    bench.process("pours")?.argument("buffered", capacity > 1);
    bench
        .process("rates")?
        .argument("milliseconds", milliseconds);
    let capacity = ChannelOptions::bounded(usize::try_from(capacity)?);
    let network = &mut bench.network;
    network.connect("pours.numbers", "rates.numbers", capacity)?;
    let measured = network.output("rates.measured", ChannelOptions::rendezvous())?;
    add(&mut bench, beside)?;
    let running = bench.network.start()?;
    let Ok((nanoseconds, messages)) = measured.receive_value::<(u64, u64)>() else {
        running.stop("the measurement failed");
        bail!("the network ended badly: {:?}", running.wait());
    };
    running.stop("everything is measured");
    running.wait();
    Ok(messages as f64 / nanoseconds as f64)
}

fn add(bench: &mut Bench, beside: Beside) -> anyhow::Result<()> {
    match beside {
        Beside::Nobody => {}
        Beside::Loops(count) => {
            let spins = bench.component("spins")?;
            for number in 0..count {
                bench.network.process(&format!("spins{number}"), &spins);
            }
        }
        Beside::Labour(count) => {
            let [pours, labours, drains] =
                ["pours", "labours", "drains"].map(|name| bench.component(name));
            let (pours, labours, drains) = (pours?, labours?, drains?);
            for number in 0..count {
                let network = &mut bench.network;
                let mut feed = network.process(&format!("feed{number}"), &pours);
                feed.argument("buffered", false);
                network.process(&format!("labours{number}"), &labours);
                network.process(&format!("drains{number}"), &drains);
                let from = format!("feed{number}.numbers");
                let to = format!("labours{number}.items");
                network.connect(&from, &to, ChannelOptions::bounded(8))?;
                let from = format!("labours{number}.done");
                let to = format!("drains{number}.items");
                network.connect(&from, &to, ChannelOptions::rendezvous())?;
            }
        }
        Beside::Yields | Beside::Polls => {
            let polls = matches!(beside, Beside::Polls);
            bench.process("yields")?.argument("polls", polls);
        }
    }
    Ok(())
}
