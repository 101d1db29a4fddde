//! Computes for each item, as a plugin does.

use std::hint::black_box;
use std::time::Duration;

use transputer_guest::{Error, Receiver, Sender, now};

/// What an item costs.
const ITEM: Duration = Duration::from_millis(30);

/// Computes 30 ms for each number.
#[transputer_guest::process]
fn labours(items: Receiver<u64>, done: Sender<u64>) -> Result<(), Error> {
    loop {
        let mut number = items.receive()?;
        let began = now();
        while began.elapsed() < ITEM {
            for _ in 0..10_000 {
                number = black_box(number.wrapping_mul(3) + 1);
            }
        }
        done.send(number)?;
    }
}
