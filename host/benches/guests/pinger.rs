//! One half of ping-pong.

use transputer_guest::{Error, Receiver, Sender, now};

/// Sends so many numbers, each after the answer to the last.
#[transputer_guest::process]
fn pinger(
    rounds: u64,
    ping: Sender<u64>,
    pong: Receiver<u64>,
    measured: Sender<(u64, u64)>,
) -> Result<(), Error> {
    let mut sum = 0;
    let start = now();
    for round in 0..rounds {
        ping.send(round)?;
        sum += pong.receive()?;
    }
    let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
    measured.send((nanoseconds, sum))
}
