//! A process that never stops, as an async function.

use std::hint::black_box;

use transputer_guest::Error;

/// Computes for ever.
#[transputer_guest::process]
async fn spins_async() -> Result<(), Error> {
    let mut number: u64 = 0;
    loop {
        number = black_box(number.wrapping_add(1));
    }
}
