//! Exhausts its stack.

use std::hint::black_box;

use transputer_guest::{Error, Receiver, Sender};

/// Recurses to each depth that it is sent, and answers it.
#[transputer_guest::process]
fn exhausts_stack(depths: Receiver<u64>, reached: Sender<u64>) -> Result<(), Error> {
    for depth in depths {
        reached.send(recurse(depth))?;
    }
    Ok(())
}

/// Needs stack for every level: what is behind the call keeps it from becoming a loop.
fn recurse(depth: u64) -> u64 {
    let level = black_box([depth; 16]);
    if depth == 0 {
        return 0;
    }
    recurse(depth - 1) + black_box(level)[0] / depth
}
