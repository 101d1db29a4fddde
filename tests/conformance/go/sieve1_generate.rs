//! sieve1: where the candidates come from.

use transputer_guest::{Error, Sender};

/// Sends 2, 3, 4 and so on, until nobody wants more.
#[transputer_guest::process]
fn sieve1_generate(numbers: Sender<u64>) -> Result<(), Error> {
    for number in 2.. {
        numbers.send(number)?;
    }
    Ok(())
}
