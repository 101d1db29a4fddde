//! Chooses among receives and a send.

use std::time::Duration;

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender, select};

/// Merges two streams until both have ended; buffers one number, and offers it while it receives.
#[transputer_guest::process]
async fn task_merges(a: Receiver<u64>, b: Receiver<u64>, merged: Sender<u64>) -> Result<(), Error> {
    let (mut a_open, mut b_open, mut held) = (true, true, None);
    while a_open || b_open || held.is_some() {
        let empty = held.is_none();
        let offer = held.unwrap_or_default();
        select! {
            number = receive(a) if a_open && empty => match number {
                Err(Error::Closed) => a_open = false,
                number => held = Some(number?),
            },
            number = receive(b) if b_open && empty => match number {
                Err(Error::Closed) => b_open = false,
                number => held = Some(number?),
            },
            sent = send(merged, offer) if !empty => {
                sent?;
                held = None;
            },
            after(Duration::from_secs(60)) => return Err("nothing for a minute".into()),
        }?;
    }
    Ok(())
}
