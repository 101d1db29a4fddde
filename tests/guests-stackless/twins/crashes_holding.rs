//! Crashes with a message in hand that is of one port, while it waits at another.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Adds up pairs, one of each port; panics over a pair of which the second is 666.
#[transputer_guest::process]
async fn crashes_holding(
    mut first: Receiver<u64>,
    second: Receiver<u64>,
    sums: Sender<u64>,
) -> Result<(), Error> {
    while let Some(a) = first.next().await? {
        let b = second.receive().await?;
        if b == 666 {
            panic!("a bad pair");
        }
        sums.send(a + b).await?;
    }
    Ok(())
}
