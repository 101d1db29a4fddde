//! A source of numbers for channels that hold many.

use transputer_guest::{Error, Sender};

/// Sends the numbers from 0 up to, but not including, `count`, many at a time.
#[transputer_guest::process]
fn counts_buffered(count: u64, numbers: Sender<u64>) -> Result<(), Error> {
    let numbers = numbers.buffered();
    for number in 0..count {
        numbers.send(number)?;
    }
    Ok(())
}
