//! Passes texts on.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Passes on texts, however long.
#[transputer_guest::process]
async fn task_echoes(mut texts: Receiver<String>, echoes: Sender<String>) -> Result<(), Error> {
    while let Some(text) = texts.next().await? {
        echoes.send(&text).await?;
    }
    Ok(())
}
