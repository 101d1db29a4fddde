//! The end of a stream of numbers, as an async function.

use transputer_guest::stackless::{Receiver, Sender};
use transputer_guest::{Error, now};

/// Adds all numbers up.
#[transputer_guest::process]
async fn sums_async(mut numbers: Receiver<u64>, measured: Sender<(u64, u64)>) -> Result<(), Error> {
    let start = now();
    let mut sum = 0;
    while let Some(number) = numbers.next().await? {
        sum += number;
    }
    let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
    measured.send((nanoseconds, sum)).await
}
