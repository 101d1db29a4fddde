//! Takes memory until it gets no more.

use std::hint::black_box;

use transputer_guest::Error;
use transputer_guest::stackless::Sender;

/// Takes memory, a mebibyte at a time, and sends how much it has got before each.
#[transputer_guest::process]
async fn exceeds_memory(mebibytes: u64, taken: Sender<u64>) -> Result<(), Error> {
    let mut memory = Vec::new();
    for n in 0..mebibytes {
        taken.send(n).await?;
        memory.push(black_box(vec![1u8; 1024 * 1024]));
    }
    taken.send(mebibytes).await
}
