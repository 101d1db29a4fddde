//! A source of numbers, as an async function.

use transputer_guest::Error;
use transputer_guest::stackless::Sender;

/// Sends the numbers from 0 up to, but not including, `count`.
#[transputer_guest::process]
async fn counts_async(count: u64, numbers: Sender<u64>) -> Result<(), Error> {
    for number in 0..count {
        numbers.send(number).await?;
    }
    Ok(())
}
