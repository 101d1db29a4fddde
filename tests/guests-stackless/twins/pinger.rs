//! One half of ping-pong.

use transputer_guest::stackless::{Receiver, Sender};
use transputer_guest::{Error, now};

/// Sends `rounds` numbers, each after the answer to the last; sends how many nanoseconds
/// all of it took.
#[transputer_guest::process]
async fn pinger(
    rounds: u64,
    ping: Sender<u64>,
    pong: Receiver<u64>,
    elapsed: Sender<u64>,
) -> Result<(), Error> {
    let start = now();
    for round in 0..rounds {
        ping.send(round).await?;
        let answer = pong.receive().await?;
        if answer != round {
            return Err(format!("sent {round}, got {answer}").into());
        }
    }
    let nanoseconds = start.elapsed().as_nanos();
    elapsed.send(u64::try_from(nanoseconds)?).await
}
