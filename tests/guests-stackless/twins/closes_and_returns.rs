//! Closes an end aloud, and returns at once.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Passes one number on, closes `last` if that was 1, and returns.
#[transputer_guest::process]
async fn closes_and_returns(
    numbers: Receiver<u64>,
    out: Sender<u64>,
    last: Sender<u64>,
) -> Result<(), Error> {
    let number = numbers.receive().await?;
    out.send(number).await?;
    if number == 1 {
        last.close();
    }
    Ok(())
}
