//! Who wants to be on time, whatever others do, as an async function.

use std::time::Duration;

use transputer_guest::stackless::{Receiver, Sender, sleep_until};
use transputer_guest::{Error, now};

/// How long each wait is.
const PAUSE: Duration = Duration::from_millis(1);

/// Waits for a time and then exchanges a message, so many times. Sends how late it was
/// each time, and how long each exchange took, in nanoseconds.
#[transputer_guest::process]
async fn keeps_time_async(
    samples: u64,
    ping: Sender<u64>,
    pong: Receiver<u64>,
    measured: Sender<Vec<(u64, u64)>>,
) -> Result<(), Error> {
    let mut times = Vec::new();
    for sample in 0..samples {
        let due = now() + PAUSE;
        sleep_until(due).await;
        let woken = now();
        ping.send(sample).await?;
        pong.receive().await?;
        let late = woken.since(due);
        times.push((
            u64::try_from(late.as_nanos())?,
            u64::try_from(woken.elapsed().as_nanos())?,
        ));
    }
    measured.send(&times).await
}
