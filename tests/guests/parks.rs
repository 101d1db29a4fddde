//! Waits.

use transputer_guest::{Error, Receiver};

/// Waits for one message, which it ignores.
#[transputer_guest::process]
fn parks(input: Receiver<u64>) -> Result<(), Error> {
    input.receive().map(drop)
}
