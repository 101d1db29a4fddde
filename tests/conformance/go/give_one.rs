//! select6: a process that takes part in one communication only.

use transputer_guest::{Error, Sender};

/// Sends once.
#[transputer_guest::process]
fn give_one(output: Sender<()>) -> Result<(), Error> {
    output.send(())
}
