//! A process that mostly waits.

use transputer_guest::{Error, Receiver, Sender, now};

/// Answers each time that it is sent with how long ago that was, in nanoseconds.
#[transputer_guest::process]
fn parks(times: Receiver<u64>, delays: Sender<u64>) -> Result<(), Error> {
    loop {
        let sent = times.receive()?;
        delays.send(now().nanoseconds().saturating_sub(sent))?;
    }
}
