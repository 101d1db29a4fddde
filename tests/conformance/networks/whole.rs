//! Messages of any size, as they come.

use transputer_guest::{Bytes, Error, Receiver, Sender};

/// Sends every message back.
#[transputer_guest::process]
fn whole(input: Receiver<Bytes>, output: Sender<Bytes>) -> Result<(), Error> {
    loop {
        output.send(&input.receive()?)?;
    }
}
