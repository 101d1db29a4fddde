//! Filters a stream.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Passes on the numbers that `prime` does not divide.
#[transputer_guest::process]
async fn task_filters(
    prime: u64,
    mut candidates: Receiver<u64>,
    survivors: Sender<u64>,
) -> Result<(), Error> {
    while let Some(n) = candidates.next().await? {
        if n % prime != 0 {
            survivors.send(n).await?;
        }
    }
    Ok(())
}
