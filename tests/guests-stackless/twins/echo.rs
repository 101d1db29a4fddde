//! Passes lines on as they are.

use transputer_guest::stackless::{Receiver, Sender};
use transputer_guest::{Bytes, Error};

/// Passes lines on as they are.
#[transputer_guest::process]
async fn echo(mut lines: Receiver<Bytes>, out: Sender<Bytes>) -> Result<(), Error> {
    while let Some(line) = lines.next().await? {
        out.send(&line).await?;
    }
    Ok(())
}
