//! fifo: the process that feeds the others.

use transputer_guest::{Error, Receiver, Sender};

/// Gives the first turn, then the numbers below `length`, then waits for the last turn.
#[transputer_guest::process]
fn fifo_main(
    length: u64,
    first: Sender<()>,
    numbers: Sender<u64>,
    last: Receiver<()>,
) -> Result<(), Error> {
    first.send(())?;
    for number in 0..length {
        numbers.send(number)?;
    }
    last.receive()
}
