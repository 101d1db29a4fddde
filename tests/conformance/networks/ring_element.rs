//! A process of a ring.

use transputer_guest::{Error, Receiver, Sender};

/// Counts every message that it passes on.
#[transputer_guest::process]
fn ring_element(input: Receiver<u64>, output: Sender<u64>) -> Result<(), Error> {
    for counter in input {
        output.send(counter + 1)?;
    }
    Ok(())
}
