//! The sieve's head.

use transputer_guest::{Error, Sender, channel, now, spawn};

/// Finds so many primes. Each one's filter is joined to those before it by a channel of
/// this capacity; with one above 0, processes send many numbers at a time.
#[transputer_guest::process]
fn sieve(count: u64, capacity: u32, measured: Sender<(u64, u64)>) -> Result<(), Error> {
    let (generator, filter) = match capacity {
        0 => ("generates", "filters"),
        _ => ("generates_buffered", "filters_buffered"),
    };
    let start = now();
    let (numbers, mut candidates) = channel::<u64>(capacity)?;
    spawn(generator).output("numbers", numbers).start()?;
    let mut prime = 0;
    for _ in 0..count {
        prime = candidates.receive()?;
        let (survivors, next) = channel(capacity)?;
        spawn(filter)
            .argument("prime", prime)
            .input("candidates", candidates)
            .output("survivors", survivors)
            .start()?;
        candidates = next;
    }
    let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
    measured.send((nanoseconds, prime))
}
