//! Poisons its channels.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Passes numbers on up to the first that is not below `limit`, and poisons both channels there.
#[transputer_guest::process]
async fn poisons(limit: u64, mut numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    while let Some(n) = numbers.next().await? {
        if n >= limit {
            let reason = format!("{n} is not below {limit}");
            numbers.poison(&reason);
            out.poison(&reason);
            return Ok(());
        }
        out.send(n).await?;
    }
    Ok(())
}
