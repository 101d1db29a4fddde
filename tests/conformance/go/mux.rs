//! doubleselect: one of the processes that lead several channels into one.

use transputer_guest::{Error, Receiver, Sender};

/// Passes on whatever comes.
#[transputer_guest::process]
fn mux(input: Receiver<u64>, output: Sender<u64>) -> Result<(), Error> {
    for number in input {
        output.send(number)?;
    }
    Ok(())
}
