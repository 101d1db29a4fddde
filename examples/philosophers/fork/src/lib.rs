//! A fork, which serves one hand at a time.

use transputer_guest::{Error, Receiver, process, select};

/// Waits for either neighbour to take it, then for the same one to put it down.
#[process]
fn fork(left: Receiver<bool>, right: Receiver<bool>) -> Result<(), Error> {
    let (mut at_left, mut at_right) = (true, true);
    while at_left || at_right {
        select! {
            taken = receive(left) if at_left => at_left = held(&left, taken)?,
            taken = receive(right) if at_right => at_right = held(&right, taken)?,
        }?;
    }
    Ok(())
}

/// Waits until a fork that was taken is put down; false if its neighbour has left the table.
fn held(hand: &Receiver<bool>, taken: Result<bool, Error>) -> Result<bool, Error> {
    match taken.and_then(|_| hand.receive()) {
        Err(Error::Closed) => Ok(false),
        put_down => put_down.map(|_| true),
    }
}
