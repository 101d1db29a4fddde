//! Opens channels.

use transputer_guest::{Error, Receiver, Sender, channel};

/// Opens up to `most` channels and keeps them; says how many it has got, and closes them when it
/// is told to.
#[transputer_guest::process]
fn opens_channels(most: u64, opened: Sender<u64>, close: Receiver<()>) -> Result<(), Error> {
    let mut kept = Vec::new();
    while (kept.len() as u64) < most {
        match channel::<u64>(1) {
            Ok(ends) => kept.push(ends),
            Err(Error::Overloaded) => break,
            Err(error) => return Err(error),
        }
    }
    opened.send(kept.len() as u64)?;
    close.receive()
}
