//! A buffered sender that never comes back to what it has collected.

use transputer_guest::{Error, Sender};

/// Sends one number, and computes for ever.
#[transputer_guest::process]
fn sends_and_computes(numbers: Sender<u64>) -> Result<(), Error> {
    let numbers = numbers.buffered();
    numbers.send(7)?;
    loop {
        std::hint::black_box(&numbers);
    }
}
