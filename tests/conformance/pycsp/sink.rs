//! The races of PyCSP: one of the processes that read.

use transputer_guest::{Error, Receiver, Sender};

/// Passes every line on until the channel ends, one way or the other.
#[transputer_guest::process]
fn sink(lines: Receiver<String>, printed: Sender<String>) -> Result<(), Error> {
    loop {
        match lines.receive() {
            Err(Error::Closed | Error::Poisoned { .. }) => return Ok(()),
            line => printed.send(&line?)?,
        }
    }
}
