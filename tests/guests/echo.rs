//! Passes lines on as they are.

use transputer_guest::{Bytes, Error, Receiver, Sender};

/// Passes lines on as they are.
#[transputer_guest::process]
fn echo(lines: Receiver<Bytes>, out: Sender<Bytes>) -> Result<(), Error> {
    for line in lines {
        out.send(&line)?;
    }
    Ok(())
}
