//! sendstmt: a channel that carries channels.

use transputer_guest::{Error, Sender, channel};

/// Gives a sender away, and expects 2 at the other end.
#[transputer_guest::process]
fn sendstmt_giver(channels: Sender<Sender<u64>>) -> Result<(), Error> {
    let (sender, receiver) = channel(1)?;
    channels.send(&sender)?;
    match receiver.receive()? {
        2 => Ok(()),
        other => Err(format!("{other} came instead of 2").into()),
    }
}
