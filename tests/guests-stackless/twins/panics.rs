//! Panics at its first message.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Passes on the letter at each index, and panics behind the last.
#[transputer_guest::process]
async fn panics(mut indices: Receiver<u32>, letters: Sender<char>) -> Result<(), Error> {
    let alphabet: Vec<char> = ('a'..='z').collect();
    while let Some(index) = indices.next().await? {
        letters.send(alphabet[index as usize]).await?;
    }
    Ok(())
}
