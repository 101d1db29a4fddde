//! Counts from 0, in batches.

use transputer_guest::{Error, Sender};

/// Sends the numbers from 0 up to, but not including, `limit`, many at a time.
#[transputer_guest::process]
fn count_buffered(limit: u64, numbers: Sender<u64>) -> Result<(), Error> {
    let numbers = numbers.buffered();
    for n in 0..limit {
        numbers.send(n)?;
    }
    Ok(())
}
