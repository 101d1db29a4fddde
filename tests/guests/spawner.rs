//! Spawns a chain of processes.

use transputer_guest::{Bytes, Error, Receiver, Sender, channel, spawn};

/// Passes lines through a chain of `length` processes that it spawns from `component`, each with
/// an input `lines` and an output `out`; then waits for all of them.
#[transputer_guest::process]
fn spawner(
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
            .start()?;
        children.push(child);
        last = receiver;
    }
    for line in last {
        out.send(&line)?;
    }
    for child in children {
        child.wait().ok()?;
    }
    Ok(())
}
