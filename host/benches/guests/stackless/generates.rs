//! The sieve's source, as an async function.

use transputer_guest::Error;
use transputer_guest::stackless::Sender;

/// Sends the numbers from 2 on.
#[transputer_guest::process]
async fn generates_async(numbers: Sender<u64>) -> Result<(), Error> {
    for number in 2.. {
        numbers.send(number).await?;
    }
    Ok(())
}
