//! Adds numbers up.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Adds all the numbers up and sends the sum once, when the stream has ended.
#[transputer_guest::process]
async fn sum(mut numbers: Receiver<u64>, total: Sender<u64>) -> Result<(), Error> {
    let mut sum: u64 = 0;
    while let Some(n) = numbers.next().await? {
        sum = sum.checked_add(n).ok_or("the sum is over 64 bits")?;
    }
    total.send(sum).await
}
