//! One process of a ring, as an async function.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Passes every token on, one higher.
#[transputer_guest::process]
async fn passes_async(mut tokens: Receiver<u64>, next: Sender<u64>) -> Result<(), Error> {
    while let Some(token) = tokens.next().await? {
        next.send(token + 1).await?;
    }
    Ok(())
}
