//! Numbers as lines.

use transputer_guest::{Error, Receiver, Sender, process};

/// Writes each prime on a line.
#[process]
fn printer(primes: Receiver<u64>, lines: Sender<String>) -> Result<(), Error> {
    for prime in primes {
        lines.send(prime.to_string())?;
    }
    Ok(())
}
