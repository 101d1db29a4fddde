//! Passes numbers on with a mark.

use transputer_guest::{Error, Receiver, Sender};

/// Passes numbers on with their highest bit set: what `relays` is replaced by.
#[transputer_guest::process]
fn relays_marked(numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    for number in numbers {
        out.send(number | 1 << 63)?;
    }
    Ok(())
}
