//! Watches a child.

use transputer_guest::{Error, Sender, select, spawn};

/// Spawns `component`, which has no ports, and sends how it ended.
#[transputer_guest::process]
fn monitor(component: String, ended: Sender<String>) -> Result<(), Error> {
    let child = spawn(&component).start()?;
    let monitor = child.monitor();
    let outcome = select! {
        outcome = receive(monitor) => outcome?.0,
    }?;
    ended.send(&outcome)?;
    ended.send(child.wait().to_string())
}
