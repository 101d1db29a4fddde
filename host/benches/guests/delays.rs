//! A receiver that waits.

use transputer_guest::{Error, Receiver, Sender, now};

/// Notes how long ago each message was sent, in nanoseconds, and sends all of them in the end.
#[transputer_guest::process]
fn delays(times: Receiver<u64>, measured: Sender<Vec<u64>>) -> Result<(), Error> {
    let mut delays = Vec::new();
    loop {
        match times.receive() {
            Ok(sent) => delays.push(now().nanoseconds().saturating_sub(sent)),
            Err(Error::Closed) => return measured.send(&delays),
            Err(error) => return Err(error),
        }
    }
}
