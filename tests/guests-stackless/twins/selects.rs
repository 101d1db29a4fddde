//! Merges two streams.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender, select};

/// Passes on whatever comes first, until both inputs are closed.
#[transputer_guest::process]
async fn selects(a: Receiver<u64>, b: Receiver<u64>, merged: Sender<u64>) -> Result<(), Error> {
    let (mut a_open, mut b_open) = (true, true);
    while a_open || b_open {
        select! {
            number = receive(a) if a_open => match number {
                Err(Error::Closed) => a_open = false,
                number => merged.send(number?).await?,
            },
            number = receive(b) if b_open => match number {
                Err(Error::Closed) => b_open = false,
                number => merged.send(number?).await?,
            },
        }?;
    }
    Ok(())
}
