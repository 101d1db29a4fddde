//! One process of a ring.

use transputer_guest::{Error, Receiver, Sender};

/// Passes every token on, one higher.
#[transputer_guest::process]
fn passes(tokens: Receiver<u64>, next: Sender<u64>) -> Result<(), Error> {
    for token in tokens {
        next.send(token + 1)?;
    }
    Ok(())
}
