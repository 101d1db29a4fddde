//! select6: the process that sends to those who are left in the queue.

use transputer_guest::{Error, Receiver, Sender};

/// Sends twice once the alternation has been decided.
#[transputer_guest::process]
fn select6_main(won: Receiver<()>, output: Sender<()>) -> Result<(), Error> {
    won.receive()?;
    output.send(())?;
    output.send(())
}
