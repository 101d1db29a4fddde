//! Many senders, one receiver.

use transputer_guest::{Error, Sender, channel, now, spawn};

/// Adds up what so many workers send through one channel, `each` numbers from each.
#[transputer_guest::process]
fn fan_in(workers: u32, each: u64, measured: Sender<(u64, u64)>) -> Result<(), Error> {
    let (numbers, sink) = channel::<u64>(0)?;
    for _ in 0..workers {
        spawn("counts")
            .argument("count", each)
            .output("numbers", numbers.clone())
            .start()?;
    }
    numbers.close();
    let start = now();
    let sum = sink.into_iter().sum();
    let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
    measured.send((nanoseconds, sum))
}
