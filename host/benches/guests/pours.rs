//! A stream without end.

use transputer_guest::{Error, Sender};

/// Sends numbers for ever; collects them, if it is told to.
#[transputer_guest::process]
fn pours(buffered: bool, numbers: Sender<u64>) -> Result<(), Error> {
    if buffered {
        let numbers = numbers.buffered();
        for number in 0.. {
            numbers.send(number)?;
        }
    } else {
        for number in 0.. {
            numbers.send(number)?;
        }
    }
    Ok(())
}
