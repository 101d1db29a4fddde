//! Where the sieve's candidates come from, where channels hold many.

use transputer_guest::{Error, Sender};

/// Sends 2, 3, 4 and so on, until nobody wants more; many at a time.
#[transputer_guest::process]
fn generates_buffered(numbers: Sender<u64>) -> Result<(), Error> {
    let numbers = numbers.buffered();
    for number in 2.. {
        numbers.send(number)?;
    }
    Ok(())
}
