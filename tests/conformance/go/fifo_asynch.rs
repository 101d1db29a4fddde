//! fifo: a channel that one process fills and empties.

use transputer_guest::{Error, channel};

/// Puts `length` numbers into a channel of that capacity, and takes them out again.
#[transputer_guest::process]
fn fifo_asynch(length: u32) -> Result<(), Error> {
    let (sender, receiver) = channel(length)?;
    for number in 0..length {
        sender.send(number)?;
    }
    for number in 0..length {
        let taken = receiver.receive()?;
        if taken != number {
            return Err(format!("{taken} came instead of {number}").into());
        }
    }
    Ok(())
}
