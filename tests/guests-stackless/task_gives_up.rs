//! Fails.

use transputer_guest::Error;
use transputer_guest::stackless::Receiver;

/// Fails with this text once it has a number.
#[transputer_guest::process]
async fn task_gives_up(text: String, mut numbers: Receiver<u64>) -> Result<(), Error> {
    numbers.next().await?;
    Err(Error::Failed(text))
}
