//! The first process of a ring.

use transputer_guest::{Error, Sender, channel, now, spawn};

/// Sends a token round a ring of so many processes.
#[transputer_guest::process]
fn ring(processes: u32, laps: u64, measured: Sender<(u64, u64)>) -> Result<(), Error> {
    let (first, mut last) = channel::<u64>(0)?;
    for _ in 1..processes {
        let (sender, receiver) = channel(0)?;
        spawn("passes")
            .input("tokens", last)
            .output("next", sender)
            .start()?;
        last = receiver;
    }
    let mut token = 0;
    let start = now();
    for _ in 0..laps {
        first.send(token)?;
        token = last.receive()?;
    }
    let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
    measured.send((nanoseconds, token))
}
