//! Waits at a channel that it has given a name.

use transputer_guest::{Error, Options, open_named};

/// Waits for a message that only it could send.
#[transputer_guest::process]
fn names_channel() -> Result<(), Error> {
    let (_sender, receiver) = open_named::<u64>("questions", Options::rendezvous())?;
    receiver.receive().map(drop)
}
