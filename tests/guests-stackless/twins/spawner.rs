//! Spawns a chain of processes.

use transputer_guest::stackless::{Receiver, Sender, channel, spawn};
use transputer_guest::{Bytes, Error};

/// Passes lines through a chain of `length` processes that it spawns from `component`, each with
/// an input `lines` and an output `out`; then waits for all of them.
#[transputer_guest::process]
async fn spawner(
    length: u32,
    component: String,
    lines: Receiver<Bytes>,
    out: Sender<Bytes>,
) -> Result<(), Error> {
    let mut children = Vec::new();
    let mut last = lines;
    for n in 0..length {
        let (sender, receiver) = channel(1)?;
        let child = spawn(&component)
            .name(&format!("link {n}"))
            .input("lines", last)
            .output("out", sender)
            .start()
            .await?;
        children.push(child);
        last = receiver;
    }
    while let Some(line) = last.next().await? {
        out.send(&line).await?;
    }
    for child in children {
        child.wait().await.ok()?;
    }
    Ok(())
}
