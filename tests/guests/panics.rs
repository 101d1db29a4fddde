//! Panics at its first message.

use transputer_guest::{Error, Receiver, Sender};

/// Passes on the letter at each index, and panics behind the last.
#[transputer_guest::process]
fn panics(indices: Receiver<u32>, letters: Sender<char>) -> Result<(), Error> {
    let alphabet: Vec<char> = ('a'..='z').collect();
    for index in indices {
        letters.send(alphabet[index as usize])?;
    }
    Ok(())
}
