//! A source of numbers.

use transputer_guest::{Error, Sender};

/// Sends the numbers from 0 up to, but not including, `count`.
#[transputer_guest::process]
fn counts(count: u64, numbers: Sender<u64>) -> Result<(), Error> {
    for number in 0..count {
        numbers.send(number)?;
    }
    Ok(())
}
