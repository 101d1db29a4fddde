//! A process that mostly waits, as an async function.

use transputer_guest::stackless::{Receiver, Sender};
use transputer_guest::{Error, now};

/// Answers each time that it is sent with how long ago that was, in nanoseconds.
#[transputer_guest::process]
async fn parks_async(times: Receiver<u64>, delays: Sender<u64>) -> Result<(), Error> {
    loop {
        let sent = times.receive().await?;
        let delay = now().nanoseconds().saturating_sub(sent);
        delays.send(delay).await?;
    }
}
