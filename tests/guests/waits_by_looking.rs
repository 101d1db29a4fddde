//! Waits for a time by looking at the clock again and again.

use std::time::{Duration, Instant, SystemTime};

use transputer_guest::{Error, Sender, now};

const LONG: Duration = Duration::from_millis(10);

/// Looks at each clock until ten milliseconds have passed, and sends after how many looks that was:
/// at the network's, at the monotonic one of WASI, and at its wall clock, if that is granted.
#[transputer_guest::process]
fn waits_by_looking(wall: bool, looks: Sender<u64>) -> Result<(), Error> {
    let start = now();
    looks.send(looks_until(|| now().since(start) >= LONG))?;
    let start = Instant::now();
    looks.send(looks_until(|| start.elapsed() >= LONG))?;
    if wall {
        let start = SystemTime::now();
        let passed = || start.elapsed().is_ok_and(|passed| passed >= LONG);
        looks.send(looks_until(passed))?;
    }
    Ok(())
}

fn looks_until(mut over: impl FnMut() -> bool) -> u64 {
    let mut looks = 1;
    while !over() {
        looks += 1;
    }
    looks
}
