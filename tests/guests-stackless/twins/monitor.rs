//! Watches a child.

use transputer_guest::Error;
use transputer_guest::stackless::{Sender, select, spawn};

/// Spawns `component`, which has no ports, and sends how it ended.
#[transputer_guest::process]
async fn monitor(component: String, ended: Sender<String>) -> Result<(), Error> {
    let child = spawn(&component).start().await?;
    let monitor = child.monitor();
    let outcome = select! {
        outcome = receive(monitor) => outcome?.0,
    }?;
    ended.send(&outcome).await?;
    ended.send(child.wait().await.to_string()).await
}
