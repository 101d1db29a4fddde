//! One half of ping-pong, as an async function.

use transputer_guest::stackless::{Receiver, Sender};
use transputer_guest::{Error, now};

/// Sends so many numbers, each after the answer to the last.
#[transputer_guest::process]
async fn pinger_async(
    rounds: u64,
    ping: Sender<u64>,
    pong: Receiver<u64>,
    measured: Sender<(u64, u64)>,
) -> Result<(), Error> {
    let mut sum = 0;
    let start = now();
    for round in 0..rounds {
        ping.send(round).await?;
        sum += pong.receive().await?;
    }
    let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
    measured.send((nanoseconds, sum)).await
}
