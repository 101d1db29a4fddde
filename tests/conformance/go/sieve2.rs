//! sieve2: the odd numbers that are not composite.

use transputer_guest::{Error, Receiver, Sender};

/// Sends the primes until nobody wants more. Those whose multiples are needed go to `found`;
/// odd composites come back from there in order.
#[transputer_guest::process]
fn sieve2(composites: Receiver<u64>, found: Sender<u64>, primes: Sender<u64>) -> Result<(), Error> {
    for prime in [2, 3, 5] {
        primes.send(prime)?;
    }
    // The composites up to the square of the last prime but one need no further prime.
    found.send(3)?;
    found.send(5)?;
    let mut composite = composites.receive()?;
    for odd in (7..).step_by(2) {
        if odd == composite {
            composite = composites.receive()?;
        } else {
            primes.send(odd)?;
            found.send(odd)?;
        }
    }
    Ok(())
}
