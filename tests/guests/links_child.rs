//! Shares its child's lot.

use transputer_guest::{Error, Receiver, Sender, channel, spawn};

/// Spawns `component`, linked; gives it the number that it receives, and waits for ever. If it
/// is to fail itself, fails instead.
#[transputer_guest::process]
fn links_child(
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
        .start_linked()?;
    started.send(())?;
    let number = numbers.receive()?;
    if fails {
        return Err("tired".into());
    }
    to_child.send(number)?;
    // Nothing will come, and the child's failure shows here only as poison.
    let _ = from_child.receive();
    let _ = child.wait();
    numbers.receive()?;
    Ok(())
}
