//! Sieve: where the candidates come from.

use transputer_guest::{Error, Sender};

/// Sends the numbers from 2 to below `limit`, singly or through a buffer.
#[transputer_guest::process]
fn numbers(limit: u64, buffered: bool, numbers: Sender<u64>) -> Result<(), Error> {
    if !buffered {
        return (2..limit).try_for_each(|number| numbers.send(number));
    }
    let numbers = numbers.buffered();
    (2..limit).try_for_each(|number| numbers.send(number))
}
