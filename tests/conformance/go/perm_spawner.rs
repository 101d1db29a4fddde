//! perm: ends that point the wrong way when a process is spawned.

use transputer_guest::{Error, Sender, channel, spawn};

/// Tries to spawn `mux` with its ports the wrong way round, and sends why it may not.
#[transputer_guest::process]
fn perm_spawner(refusals: Sender<String>) -> Result<(), Error> {
    let (sender, receiver) = channel::<u64>(0)?;
    for spawn in [
        spawn("mux").input("output", receiver.clone()),
        spawn("mux").output("input", sender.clone()),
    ] {
        match spawn.start() {
            Ok(_) => return Err("a port took an end of the wrong direction".into()),
            Err(error) => refusals.send(error.to_string())?,
        }
    }
    Ok(())
}
