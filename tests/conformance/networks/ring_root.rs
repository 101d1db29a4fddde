//! The process of a ring that starts the counter and takes it off again.

use transputer_guest::{Error, Receiver, Sender};

/// Sends the counter round `rounds` times, and then to `total`. Every process, this one too, adds one
/// to it when it sends it on.
#[transputer_guest::process]
fn ring_root(
    rounds: u64,
    input: Receiver<u64>,
    output: Sender<u64>,
    total: Sender<u64>,
) -> Result<(), Error> {
    let mut counter = 0;
    for _ in 0..rounds {
        output.send(counter + 1)?;
        counter = input.receive()?;
    }
    total.send(counter)
}
