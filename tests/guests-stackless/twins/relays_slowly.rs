//! Passes numbers on, each after an hour.

use std::time::Duration;

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender, sleep};

/// Passes each number on when an hour has gone by since it came.
#[transputer_guest::process]
async fn relays_slowly(numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    while let Ok(number) = numbers.receive().await {
        sleep(Duration::from_secs(3_600)).await;
        out.send(number).await?;
    }
    Ok(())
}
