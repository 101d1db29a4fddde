//! Doubles numbers.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Doubles every number; fails where that is too large for 64 bits.
#[transputer_guest::process]
async fn double(mut numbers: Receiver<u64>, doubled: Sender<u64>) -> Result<(), Error> {
    while let Some(n) = numbers.next().await? {
        let twice = n
            .checked_mul(2)
            .ok_or_else(|| format!("{n} is too large to double"))?;
        doubled.send(twice).await?;
    }
    Ok(())
}
