//! Takes what comes.

use transputer_guest::{Error, Receiver};

/// Receives for ever.
#[transputer_guest::process]
fn drains(items: Receiver<u64>) -> Result<(), Error> {
    loop {
        items.receive()?;
    }
}
