//! Doubles numbers.

use transputer_guest::{Error, Receiver, Sender};

/// Doubles every number; fails where that is too large for 64 bits.
#[transputer_guest::process]
fn double(numbers: Receiver<u64>, doubled: Sender<u64>) -> Result<(), Error> {
    for n in numbers {
        let twice = n
            .checked_mul(2)
            .ok_or_else(|| format!("{n} is too large to double"))?;
        doubled.send(twice)?;
    }
    Ok(())
}
