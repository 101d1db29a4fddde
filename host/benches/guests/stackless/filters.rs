//! One prime's filter, as an async function.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Passes on what the prime does not divide.
#[transputer_guest::process]
async fn filters_async(
    prime: u64,
    mut candidates: Receiver<u64>,
    survivors: Sender<u64>,
) -> Result<(), Error> {
    while let Some(candidate) = candidates.next().await? {
        if candidate % prime != 0 {
            survivors.send(candidate).await?;
        }
    }
    Ok(())
}
