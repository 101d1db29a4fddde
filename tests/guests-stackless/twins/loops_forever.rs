//! Computes without end.

use std::hint::black_box;

use transputer_guest::stackless::Sender;

/// Says that it is about to, and computes without end.
#[transputer_guest::process]
async fn loops_forever(started: Sender<()>) -> Result<(), transputer_guest::Error> {
    started.send(()).await?;
    let mut n: u64 = 0;
    loop {
        n = black_box(n.wrapping_add(1));
    }
}
