//! Waits for a message that only it could send.

use transputer_guest::{Error, channel};

#[transputer_guest::process]
fn waits_for_itself() -> Result<(), Error> {
    let (_sender, receiver) = channel::<u64>(0)?;
    receiver.receive().map(drop)
}
