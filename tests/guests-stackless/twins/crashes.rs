//! Crashes when it is told to.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Passes numbers on, but panics over 666, fails over 667, and returns after 1000.
#[transputer_guest::process]
async fn crashes(mut numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    while let Some(number) = numbers.next().await? {
        match number {
            666 => panic!("a bad number"),
            667 => return Err("no such number".into()),
            1000 => return Ok(()),
            _ => out.send(number).await?,
        }
    }
    Ok(())
}
