//! Sends ends away.

use transputer_guest::Error;
use transputer_guest::stackless::{Sender, channel};

/// Sends a channel's sender away, and gets numbers back through it.
#[transputer_guest::process]
async fn task_asks(requests: Sender<Sender<u64>>, sums: Sender<u64>) -> Result<(), Error> {
    let mut sum = 0;
    for _ in 0..100 {
        let (reply, answer) = channel::<u64>(0)?;
        requests.send(&reply).await?;
        drop(reply);
        sum += answer.receive().await?;
    }
    sums.send(sum).await
}
