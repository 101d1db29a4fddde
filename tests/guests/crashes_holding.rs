//! Crashes with a message in hand that is of one port, while it waits at another.

use transputer_guest::{Error, Receiver, Sender};

/// Adds up pairs, one of each port; panics over a pair of which the second is 666.
#[transputer_guest::process]
fn crashes_holding(
    first: Receiver<u64>,
    second: Receiver<u64>,
    sums: Sender<u64>,
) -> Result<(), Error> {
    for a in first {
        let b = second.receive()?;
        if b == 666 {
            panic!("a bad pair");
        }
        sums.send(a + b)?;
    }
    Ok(())
}
