//! sieve2: one prime's multiples.

use transputer_guest::{Error, Sender};

/// Sends the odd multiples of an odd prime, from its square on.
#[transputer_guest::process]
fn sieve2_multiples(prime: u64, multiples: Sender<u64>) -> Result<(), Error> {
    let mut multiple = prime * prime;
    loop {
        multiples.send(multiple)?;
        multiple += 2 * prime;
    }
}
