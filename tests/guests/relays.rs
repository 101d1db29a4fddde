//! Passes numbers on.

use transputer_guest::{Error, Receiver, Sender};

/// Passes numbers on as they are.
#[transputer_guest::process]
fn relays(numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    for number in numbers {
        out.send(number)?;
    }
    Ok(())
}
