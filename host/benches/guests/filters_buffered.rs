//! One prime's filter, where channels hold many.

use transputer_guest::{Error, Receiver, Sender};

/// Passes on what the prime does not divide; many at a time.
#[transputer_guest::process]
fn filters_buffered(
    prime: u64,
    candidates: Receiver<u64>,
    survivors: Sender<u64>,
) -> Result<(), Error> {
    let survivors = survivors.buffered();
    for candidate in candidates {
        if candidate % prime != 0 {
            survivors.send(candidate)?;
        }
    }
    Ok(())
}
