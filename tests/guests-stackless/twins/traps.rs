//! Traps at its first message, in a way that is not a panic.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Passes numbers on, but traps at 0: aborting executes wasm's `unreachable`.
#[transputer_guest::process]
async fn traps(mut numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    while let Some(n) = numbers.next().await? {
        if n == 0 {
            std::process::abort();
        }
        out.send(n).await?;
    }
    Ok(())
}
