//! Adds numbers up.

use transputer_guest::{Error, Receiver, Sender};

/// Adds all the numbers up and sends the sum once, when the stream has ended.
#[transputer_guest::process]
fn sum(numbers: Receiver<u64>, total: Sender<u64>) -> Result<(), Error> {
    let mut sum: u64 = 0;
    for n in numbers.messages() {
        sum = sum.checked_add(n?).ok_or("the sum is over 64 bits")?;
    }
    total.send(sum)
}
