//! Counts from 0.

use transputer_guest::Error;
use transputer_guest::stackless::Sender;

/// Sends the numbers from 0 up to, but not including, `limit`.
#[transputer_guest::process]
async fn count(limit: u64, numbers: Sender<u64>) -> Result<(), Error> {
    for n in 0..limit {
        numbers.send(n).await?;
    }
    Ok(())
}
