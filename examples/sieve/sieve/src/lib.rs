//! The sieve's head: whatever passes all filters is prime, and gets a filter of its own.

use transputer_guest::{Error, Receiver, Sender, channel, process, spawn};

/// Finds so many primes. Each one's filter is joined to those before it by a channel of
/// this capacity.
#[process]
fn sieve(
    count: u64,
    capacity: u32,
    mut candidates: Receiver<u64>,
    primes: Sender<u64>,
) -> Result<(), Error> {
    for _ in 0..count {
        let prime = candidates.receive()?;
        primes.send(prime)?;
        let (survivors, next) = channel(capacity)?;
        spawn("filter")
            .name(&format!("filter-{prime}"))
            .argument("prime", prime)
            .input("candidates", candidates)
            .output("survivors", survivors)
            .start()?;
        candidates = next;
    }
    Ok(())
}
