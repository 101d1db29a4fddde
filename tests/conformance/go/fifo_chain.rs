//! fifo: one of the processes that take their turn at one channel.

use transputer_guest::{Error, Receiver, Sender};

/// When its turn comes, receives a number, which must be `expected`, and gives the turn on.
#[transputer_guest::process]
fn fifo_chain(
    expected: u64,
    numbers: Receiver<u64>,
    turn: Receiver<()>,
    next: Sender<()>,
) -> Result<(), Error> {
    turn.receive()?;
    let number = numbers.receive()?;
    if number != expected {
        return Err(format!("{number} came instead of {expected}").into());
    }
    next.send(())
}
