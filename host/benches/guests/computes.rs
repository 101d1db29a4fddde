//! A process that only computes.

use transputer_guest::{Error, Sender};

/// Computes so many numbers of a sequence, each from the last, and sends the last.
#[transputer_guest::process]
fn computes(rounds: u64, last: Sender<u64>) -> Result<(), Error> {
    let mut number: u64 = 1;
    for _ in 0..rounds {
        number = (number * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    }
    last.send(number)
}
