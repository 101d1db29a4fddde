//! Lets messages wait.

use transputer_guest::{Bytes, Error, Sender, channel};

/// Sends itself `messages` messages of `bytes` bytes through a buffered channel, then receives
/// them all, `rounds` times; says how many it has had after each round.
#[transputer_guest::process]
fn hoards(messages: u32, bytes: u32, rounds: u32, had: Sender<u64>) -> Result<(), Error> {
    let message = Bytes(vec![7; bytes as usize]);
    let mut count = 0;
    for _ in 0..rounds {
        let (sender, receiver) = channel(messages)?;
        for _ in 0..messages {
            sender.send(&message)?;
        }
        for _ in 0..messages {
            receiver.receive()?;
            count += 1;
        }
        had.send(count)?;
    }
    Ok(())
}
