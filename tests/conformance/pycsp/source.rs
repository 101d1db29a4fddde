//! The races of PyCSP: one of the processes that write.

use transputer_guest::{Error, Sender};

/// Sends ten lines, and then either retires or poisons the channel for everybody.
#[transputer_guest::process]
fn source(poisons: bool, lines: Sender<String>) -> Result<(), Error> {
    for number in 0..10 {
        match lines.send(format!("Hello world ({number})\n")) {
            Err(Error::Poisoned { .. }) => return Ok(()),
            sent => sent?,
        }
    }
    if poisons {
        lines.poison("ten lines are enough");
    }
    Ok(())
}
