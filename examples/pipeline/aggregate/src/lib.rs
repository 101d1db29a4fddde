//! A plugin that counts.

use std::collections::BTreeMap;

use transputer_guest::{Error, Message, Receiver, Sender, process};

/// One request.
#[derive(Message)]
struct Visit {
    path: String,
    status: u16,
    bytes: u64,
    agent: String,
}

/// What is known of a path.
#[derive(Default)]
struct Total {
    visits: u64,
    failed: u64,
    bytes: u64,
}

/// Adds up visits by path; at the end, sends the totals as lines, the busiest path first.
#[process]
fn aggregate(visits: Receiver<Visit>, totals: Sender<String>) -> Result<(), Error> {
    let mut paths: BTreeMap<String, Total> = BTreeMap::new();
    for visit in visits {
        let total = paths.entry(visit.path).or_default();
        total.visits += 1;
        total.failed += u64::from(visit.status >= 400);
        total.bytes += visit.bytes;
    }
    let mut ranking: Vec<_> = paths.into_iter().collect();
    ranking.sort_by_key(|(_, total)| std::cmp::Reverse(total.visits));
    totals.send(format!(
        "{:>7} {:>7} {:>12}  path",
        "visits", "failed", "bytes"
    ))?;
    for (path, total) in ranking {
        let Total {
            visits,
            failed,
            bytes,
        } = total;
        totals.send(format!("{visits:>7} {failed:>7} {bytes:>12}  {path}"))?;
    }
    Ok(())
}
