//! Waits.

use transputer_guest::Error;
use transputer_guest::stackless::Receiver;

/// Waits for one message, which it ignores.
#[transputer_guest::process]
async fn parks(input: Receiver<u64>) -> Result<(), Error> {
    input.receive().await.map(drop)
}
