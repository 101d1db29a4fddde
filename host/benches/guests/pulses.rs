//! A sender that computes between its messages.

use std::time::Duration;

use transputer_guest::{Error, Instant, Sender, now};

/// Long enough for the receiver to have everything and to wait again.
const PAUSE: Duration = Duration::from_micros(200);

/// Sends so many times when it was, computing in between; through a buffer that collects
/// messages or without one.
#[transputer_guest::process]
fn pulses(count: u64, buffered: bool, times: Sender<u64>) -> Result<(), Error> {
    match buffered {
        true => {
            let times = times.buffered();
            beat(count, |time| times.send(time))
        }
        false => beat(count, |time| times.send(time)),
    }
}

fn beat(count: u64, send: impl Fn(&u64) -> Result<(), Error>) -> Result<(), Error> {
    for _ in 0..count {
        let sent = now();
        send(&sent.nanoseconds())?;
        compute_until(sent + PAUSE);
    }
    Ok(())
}

fn compute_until(time: Instant) {
    while now() < time {
        std::hint::spin_loop();
    }
}
