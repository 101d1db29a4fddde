//! Gets ends.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Sends a number to each sender that it gets.
#[transputer_guest::process]
async fn task_answers(mut requests: Receiver<Sender<u64>>) -> Result<(), Error> {
    let mut number = 0;
    while let Some(reply) = requests.next().await? {
        reply.send(number).await?;
        number += 1;
    }
    Ok(())
}
