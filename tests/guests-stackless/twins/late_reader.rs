//! Reads when it is told to.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Waits for `go`, then passes on everything that has come in meanwhile.
#[transputer_guest::process]
async fn late_reader(
    go: Receiver<()>,
    mut numbers: Receiver<u64>,
    out: Sender<u64>,
) -> Result<(), Error> {
    go.receive().await?;
    while let Some(n) = numbers.next().await? {
        out.send(n).await?;
    }
    Ok(())
}
