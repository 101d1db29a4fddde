//! sieve1: the head of the daisy chain.

use transputer_guest::{Error, Receiver, Sender, channel, spawn};

/// Sends primes until nobody wants more, and spawns a filter for each.
#[transputer_guest::process]
fn sieve1(mut numbers: Receiver<u64>, primes: Sender<u64>) -> Result<(), Error> {
    loop {
        let prime = numbers.receive()?;
        primes.send(prime)?;
        let (output, next) = channel(0)?;
        spawn("filter")
            .argument("prime", prime)
            .input("input", numbers)
            .output("output", output)
            .start()?;
        numbers = next;
    }
}
