//! Sleeps.

use std::time::Duration;

use transputer_guest::{Error, Sender, now, sleep};

/// Sleeps for so many milliseconds, and sends how many it was.
#[transputer_guest::process]
fn sleeper(milliseconds: u64, slept: Sender<u64>) -> Result<(), Error> {
    let start = now();
    sleep(Duration::from_millis(milliseconds));
    slept.send(u64::try_from(start.elapsed().as_millis())?)
}
