//! select2: where the messages come from.

use transputer_guest::{Error, Sender};

/// Sends so many ones.
#[transputer_guest::process]
fn select2_sender(count: u64, ones: Sender<u64>) -> Result<(), Error> {
    for _ in 0..count {
        ones.send(1)?;
    }
    Ok(())
}
