//! Subscribes to a broadcast.

use transputer_guest::{Error, Sender, channel};

/// Subscribes, tells so with a 0, then passes on `most` numbers; at a number `trap` it traps.
#[transputer_guest::process]
fn subscribes(
    most: u64,
    trap: Option<u64>,
    subscriptions: Sender<Sender<u64>>,
    out: Sender<u64>,
) -> Result<(), Error> {
    let (subscriber, numbers) = channel(0)?;
    subscriptions.send(&subscriber)?;
    subscriptions.close();
    out.send(0)?;
    for _ in 0..most {
        let number = numbers.receive()?;
        if Some(number) == trap {
            std::process::abort();
        }
        out.send(number)?;
    }
    Ok(())
}
