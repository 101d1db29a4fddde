//! Spawns more than there is room for.

use transputer_guest::stackless::{Receiver, Sender, Spawn, channel, spawn};
use transputer_guest::{Error, Refused};

/// Spawns `children` processes of the component `parks`, one after the other, which live until it
/// lets them go; says what became of each. `patience` is what it asks for: `forever`, `now`,
/// milliseconds, or nothing.
#[transputer_guest::process]
async fn crowds(
    children: u32,
    patience: String,
    told: Sender<String>,
    release: Receiver<()>,
) -> Result<(), Error> {
    let mut kept = Vec::new();
    for _ in 0..children {
        let (sender, receiver) = channel::<u64>(0)?;
        let child = patient(spawn("parks"), &patience).input("input", receiver);
        match child.start().await {
            Ok(child) => {
                kept.push((sender, child));
                told.send("started".to_owned()).await?;
            }
            Err(error) => match error.why() {
                Refused::Capacity(text) => told.send(format!("capacity: {text}")).await?,
                _ => return Err(Error::Failed(error.to_string())),
            },
        }
    }
    release.receive().await?;
    for (sender, child) in kept {
        sender.send(1).await?;
        child.wait().await.ok()?;
    }
    Ok(())
}

fn patient(spawn: Spawn, patience: &str) -> Spawn {
    match patience {
        "" => spawn,
        "forever" => spawn.wait_for_capacity(),
        "now" => spawn.fail_at_capacity(),
        time => {
            let time = time.parse().unwrap_or_default();
            spawn.wait_for_capacity_by(
                transputer_guest::now() + std::time::Duration::from_millis(time),
            )
        }
    }
}
