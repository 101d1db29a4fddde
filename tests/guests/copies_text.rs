//! Passes lines of text on.

use transputer_guest::{Error, Receiver, Sender};

/// Passes lines on as they are.
#[transputer_guest::process]
fn copies_text(lines: Receiver<String>, out: Sender<String>) -> Result<(), Error> {
    for line in lines {
        out.send(&line)?;
    }
    Ok(())
}
