//! Measures how fast a stream is.

use std::time::Duration;

use transputer_guest::{Error, Receiver, Sender, now};

/// Messages between two looks at the clock.
const MESSAGES: u64 = 16;

/// Receives for so long, after a fourth of it to warm up; sends how many nanoseconds passed, and how
/// many messages.
#[transputer_guest::process]
fn rates(
    milliseconds: u64,
    numbers: Receiver<u64>,
    measured: Sender<(u64, u64)>,
) -> Result<(), Error> {
    let span = Duration::from_millis(milliseconds);
    let mut began = now();
    let (mut messages, mut warm) = (0, false);
    for _ in &numbers {
        messages += 1;
        if messages % MESSAGES != 0 {
            continue;
        }
        if !warm && began.elapsed() >= span / 4 {
            (messages, warm, began) = (0, true, now());
        }
        if warm && began.elapsed() >= span {
            break;
        }
    }
    let nanoseconds = u64::try_from(began.elapsed().as_nanos())?;
    measured.send((nanoseconds, messages))
}
