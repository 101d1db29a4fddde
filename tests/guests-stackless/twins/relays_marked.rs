//! Passes numbers on with a mark.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Passes numbers on with their highest bit set: what `relays` is replaced by.
#[transputer_guest::process]
async fn relays_marked(mut numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    while let Some(number) = numbers.next().await? {
        out.send(number | 1 << 63).await?;
    }
    Ok(())
}
