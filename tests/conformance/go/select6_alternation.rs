//! select6: a loser that leaves a queue in which somebody stands before it.

use transputer_guest::{Error, Receiver, Sender, select};

/// Waits on both channels, of which the second must win; tells so, then receives from the first.
#[transputer_guest::process]
fn select6_alternation(
    first: Receiver<()>,
    second: Receiver<()>,
    won: Sender<()>,
) -> Result<(), Error> {
    select! {
        _ = receive(first) => return Err("the first channel won".into()),
        message = receive(second) => { message?; won.send(())? }
    }?;
    first.receive()
}
