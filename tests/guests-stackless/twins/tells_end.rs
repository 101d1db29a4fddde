//! Tells how a child has ended, from what the types say.

use transputer_guest::stackless::{Sender, channel, spawn};
use transputer_guest::{Error, Outcome};

/// Spawns `greedy`, which takes memory until it gets no more. Tells whether what its channel says of
/// it is what its handle says, and which limit it went over.
#[transputer_guest::process]
async fn tells_end(told: Sender<String>) -> Result<(), Error> {
    let (takes, taken) = channel::<u64>(0)?;
    let child = spawn("greedy")
        .argument("mebibytes", 100_u64)
        .output("taken", takes)
        .start()
        .await?;
    let error = loop {
        if let Err(error) = taken.receive().await {
            break error;
        }
    };
    let outcome = child.wait().await;
    let peer = error.peer().ok_or("no process is named")?;
    let line = format!(
        "its name: {}, its number: {}, its end: {}",
        peer.name == child.name(),
        peer.id == child.id(),
        peer.outcome == outcome
    );
    told.send(line).await?;
    let Outcome::Killed(overrun) = outcome else {
        return told.send(format!("{outcome:?}")).await;
    };
    let line = format!(
        "{:?} of {:?}, {} allowed, asked for more: {}",
        overrun.limit,
        overrun.owner,
        overrun.allowed,
        overrun.asked > overrun.allowed
    );
    told.send(line).await
}
