//! The other half of ping-pong.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Sends back every number, as long as there is one.
#[transputer_guest::process]
async fn ponger(ping: Receiver<u64>, pong: Sender<u64>) -> Result<(), Error> {
    loop {
        pong.send(ping.receive().await?).await?;
    }
}
