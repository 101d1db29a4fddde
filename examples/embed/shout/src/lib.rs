//! A plugin.

use transputer_guest::{Error, Receiver, Sender, process};

/// Answers each word louder.
#[process]
fn shout(words: Receiver<String>, answers: Sender<String>) -> Result<(), Error> {
    for word in words {
        answers.send(format!("{}!", word.to_uppercase()))?;
    }
    Ok(())
}
