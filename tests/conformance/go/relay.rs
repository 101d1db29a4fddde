//! goroutines: one link of a long chain.

use transputer_guest::{Error, Receiver, Sender};

/// Passes one number from right to left.
#[transputer_guest::process]
fn relay(right: Receiver<u64>, left: Sender<u64>) -> Result<(), Error> {
    left.send(right.receive()?)
}
