//! sieve1: one prime's filter.

use transputer_guest::{Error, Receiver, Sender};

/// Passes on what the prime does not divide.
#[transputer_guest::process]
fn sieve1_filter(prime: u64, input: Receiver<u64>, output: Sender<u64>) -> Result<(), Error> {
    for number in input {
        if number % prime != 0 {
            output.send(number)?;
        }
    }
    Ok(())
}
