//! doubleselect: the process whose send guards are all ready at once.

use transputer_guest::{Error, Sender, select};

/// Sends the numbers below `limit`, each through whichever channel takes it.
#[transputer_guest::process]
fn doubleselect_sender(
    limit: u64,
    a: Sender<u64>,
    b: Sender<u64>,
    c: Sender<u64>,
    d: Sender<u64>,
) -> Result<(), Error> {
    for number in 0..limit {
        select! {
            sent = send(a, &number) => sent?,
            sent = send(b, &number) => sent?,
            sent = send(c, &number) => sent?,
            sent = send(d, &number) => sent?,
        }?;
    }
    Ok(())
}
