//! One prime's filter.

use transputer_guest::{Error, Receiver, Sender};

/// Passes on what the prime does not divide.
#[transputer_guest::process]
fn filters(prime: u64, candidates: Receiver<u64>, survivors: Sender<u64>) -> Result<(), Error> {
    for candidate in candidates {
        if candidate % prime != 0 {
            survivors.send(candidate)?;
        }
    }
    Ok(())
}
