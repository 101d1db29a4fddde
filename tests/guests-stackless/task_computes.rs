//! Never gives way of itself.

use transputer_guest::Error;
use transputer_guest::stackless::Sender;

/// Says that it begins, and computes without end.
#[transputer_guest::process]
async fn task_computes(begun: Sender<u64>) -> Result<(), Error> {
    begun.send(1).await?;
    let mut number = 1_u64;
    loop {
        number = std::hint::black_box(number.wrapping_mul(3).wrapping_add(1));
    }
}
