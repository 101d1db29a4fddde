//! A worker.

use transputer_guest::{Error, Receiver, Sender};

/// Adds all numbers up, and sends the sum when there are no more.
#[transputer_guest::process]
fn adds(numbers: Receiver<u64>, total: Sender<u64>) -> Result<(), Error> {
    total.send(numbers.into_iter().sum::<u64>())
}
