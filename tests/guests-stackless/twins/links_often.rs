//! Links itself with others, again and again.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender, channel, spawn};

/// Spawns so many children that wait, links itself with each of them so often, says so, and waits for the
/// end.
#[transputer_guest::process]
async fn links_often(
    children: u32,
    times: u32,
    told: Sender<u64>,
    mut end: Receiver<u64>,
) -> Result<(), Error> {
    let mut all = Vec::new();
    for _ in 0..children {
        let (sender, receiver) = channel::<u64>(0)?;
        let child = spawn("parks").input("input", receiver).start().await?;
        for _ in 0..times {
            child.link();
        }
        all.push((child, sender));
    }
    told.send(all.len() as u64).await?;
    while end.next().await?.is_some() {}
    Ok(())
}
