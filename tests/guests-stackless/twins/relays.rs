//! Passes numbers on.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Passes numbers on as they are.
#[transputer_guest::process]
async fn relays(mut numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    while let Some(number) = numbers.next().await? {
        out.send(number).await?;
    }
    Ok(())
}
