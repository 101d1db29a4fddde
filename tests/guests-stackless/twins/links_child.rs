//! Shares its child's lot.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender, channel, spawn};

/// Spawns `component`, linked; gives it the number that it receives, and waits for ever. If it
/// is to fail itself, fails instead.
#[transputer_guest::process]
async fn links_child(
    component: String,
    fails: bool,
    numbers: Receiver<u64>,
    started: Sender<()>,
) -> Result<(), Error> {
    let (to_child, input) = channel::<u64>(1)?;
    let (output, from_child) = channel::<u64>(1)?;
    let child = spawn(&component)
        .input("numbers", input)
        .output("out", output)
        .start_linked()
        .await?;
    started.send(()).await?;
    let number = numbers.receive().await?;
    if fails {
        return Err("tired".into());
    }
    to_child.send(number).await?;
    // Nothing will come, and the child's failure shows here only as poison.
    let _ = from_child.receive().await;
    let _ = child.wait().await;
    numbers.receive().await?;
    Ok(())
}
