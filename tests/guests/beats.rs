//! Computes, and shows that it does.

use transputer_guest::{Error, Sender};

/// Sends without ever waiting: a message is there whenever this process has run.
#[transputer_guest::process]
fn beats(beats: Sender<u64>) -> Result<(), Error> {
    loop {
        match beats.try_send(0) {
            Ok(()) | Err(Error::WouldBlock) => {}
            Err(error) => return Err(error),
        }
    }
}
