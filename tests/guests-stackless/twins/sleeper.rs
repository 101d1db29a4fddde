//! Sleeps.

use std::time::Duration;

use transputer_guest::stackless::{Sender, sleep};
use transputer_guest::{Error, now};

/// Sleeps for so many milliseconds, and sends how many it was.
#[transputer_guest::process]
async fn sleeper(milliseconds: u64, slept: Sender<u64>) -> Result<(), Error> {
    let start = now();
    sleep(Duration::from_millis(milliseconds)).await;
    slept
        .send(u64::try_from(start.elapsed().as_millis())?)
        .await
}
