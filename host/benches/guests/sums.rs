//! The end of a stream of numbers.

use transputer_guest::{Error, Receiver, Sender, now};

/// Adds all numbers up.
#[transputer_guest::process]
fn sums(numbers: Receiver<u64>, measured: Sender<(u64, u64)>) -> Result<(), Error> {
    let start = now();
    let sum = numbers.into_iter().sum();
    let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
    measured.send((nanoseconds, sum))
}
