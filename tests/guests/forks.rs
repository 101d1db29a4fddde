//! Goes on in copies of itself.

use std::hint::black_box;

use transputer_guest::{Child, Error, process, spawn, yield_now};

/// `chain` computes, and leaves the rest to a copy; `stubborn` makes copies for ever; `nest` waits for a copy that waits for another one, `depth` of them.
#[process]
fn forks(way: String, depth: u32) -> Result<(), Error> {
    match way.as_str() {
        "chain" => {
            compute();
            copy(&way, depth)?;
        }
        "stubborn" => loop {
            // It is refused more often than not.
            let _ = copy(&way, depth);
            yield_now();
        },
        "nest" if depth > 0 => {
            copy(&way, depth - 1)?.wait().ok()?;
        }
        _ => {}
    }
    Ok(())
}

fn copy(way: &str, depth: u32) -> Result<Child, Error> {
    let copy = spawn("forks")
        .argument("way", way.to_owned())
        .argument("depth", depth);
    Ok(copy.start()?)
}

fn compute() {
    let mut x = 1_u64;
    for _ in 0..10_000_000 {
        x = black_box(x.wrapping_mul(3) + 1);
    }
}
