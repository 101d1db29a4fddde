//! Kills children, and looks at once what that has left.

use std::collections::BTreeMap;

use transputer_guest::stackless::{Child, Receiver, Sender, channel, spawn, yield_now};
use transputer_guest::{Ended, Error, Outcome, now};

/// Spawns and kills `parks`, `times` over a channel of each capacity from 0 to 3, every other child
/// only when it has had a turn; then `loops_forever`, `computing` times. Tells what there was to see
/// after the kills, each with how often: what a send to the child or a receive from it says, what its
/// monitor holds, and its outcome.
#[transputer_guest::process]
async fn kills_then_sends(times: u64, computing: u64, told: Sender<String>) -> Result<(), Error> {
    let mut seen = BTreeMap::new();
    for n in 0..times {
        for capacity in 0..=3 {
            let (sender, receiver) = channel::<u64>(capacity)?;
            let child = spawn("parks").input("input", receiver).start().await?;
            let monitor = child.monitor();
            if n % 2 == 0 {
                yield_now().await;
            }
            let line = after_kill(&child, &monitor, sender.send(n)).await;
            *seen.entry(format!("send {line}")).or_insert(0_u64) += 1;
        }
    }
    for _ in 0..computing {
        let (starts, started) = channel::<()>(0)?;
        let looping = spawn("loops_forever").output("started", starts);
        let child = looping.start().await?;
        let monitor = child.monitor();
        started.receive().await?;
        let line = after_kill(&child, &monitor, async { started.try_receive() }).await;
        *seen.entry(format!("receive {line}")).or_insert(0) += 1;
    }
    for (line, times) in seen {
        told.send(format!("{times} times: {line}")).await?;
    }
    Ok(())
}

/// Kills the child, and says what there is to see then.
async fn after_kill(
    child: &Child,
    monitor: &Receiver<Ended>,
    uses: impl Future<Output = Result<(), Error>>,
) -> String {
    child.kill("enough").await;
    let used = match uses.await {
        Err(Error::PeerKilled { .. }) => "killed".to_owned(),
        other => format!("{other:?}"),
    };
    let heard = match monitor.try_receive() {
        Ok(ended) => ended.0,
        Err(error) => error.to_string(),
    };
    let outcome = match child.wait_by(now()).await {
        Some(Outcome::Stopped(reason)) => format!("stopped: {reason}"),
        other => format!("{other:?}"),
    };
    format!("{used}, monitor {heard}, wait {outcome}")
}
