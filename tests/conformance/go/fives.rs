//! select8: where the fives come from.

use transputer_guest::{Error, Sender};

/// Sends fives until nobody wants more.
#[transputer_guest::process]
fn fives(fives: Sender<u64>) -> Result<(), Error> {
    loop {
        fives.send(5)?;
    }
}
