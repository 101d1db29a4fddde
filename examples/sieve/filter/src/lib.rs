//! One prime's filter.

use transputer_guest::{Error, Receiver, Sender, process};

/// Passes on what the prime does not divide.
#[process]
fn filter(prime: u64, candidates: Receiver<u64>, survivors: Sender<u64>) -> Result<(), Error> {
    for candidate in candidates {
        if candidate % prime != 0 {
            survivors.send(candidate)?;
        }
    }
    Ok(())
}
