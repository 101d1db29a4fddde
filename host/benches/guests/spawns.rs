//! Short lives.

use transputer_guest::{Error, Sender, now, spawn};

/// Spawns so many processes, each when the one before has ended.
#[transputer_guest::process]
fn spawns(count: u64, measured: Sender<(u64, u64)>) -> Result<(), Error> {
    let start = now();
    for _ in 0..count {
        spawn("exits").start()?.wait().ok()?;
    }
    let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
    measured.send((nanoseconds, count))
}
