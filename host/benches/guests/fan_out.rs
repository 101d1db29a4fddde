//! One sender, many receivers.

use transputer_guest::{Error, Sender, channel, now, spawn};

/// Sends `each` numbers a worker through one channel, of which every worker takes what it
/// can get, and waits for the workers' sums.
#[transputer_guest::process]
fn fan_out(workers: u32, each: u64, measured: Sender<(u64, u64)>) -> Result<(), Error> {
    let (source, numbers) = channel::<u64>(0)?;
    let (total, totals) = channel::<u64>(0)?;
    for _ in 0..workers {
        spawn("adds")
            .input("numbers", numbers.clone())
            .output("total", total.clone())
            .start()?;
    }
    numbers.close();
    total.close();
    let start = now();
    for number in 0..each * u64::from(workers) {
        source.send(number)?;
    }
    source.close();
    let sum = totals.into_iter().sum();
    let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
    measured.send((nanoseconds, sum))
}
