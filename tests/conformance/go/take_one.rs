//! select6: a process that takes part in one communication only.

use transputer_guest::{Error, Receiver};

/// Receives once.
#[transputer_guest::process]
fn take_one(input: Receiver<()>) -> Result<(), Error> {
    input.receive()
}
