//! sendstmt: sending through a channel that has just come.

use transputer_guest::{Error, Receiver, Sender};

/// Sends 2 through the sender that it receives, without waiting.
#[transputer_guest::process]
fn sendstmt_taker(channels: Receiver<Sender<u64>>) -> Result<(), Error> {
    channels.receive()?.try_send(2)
}
