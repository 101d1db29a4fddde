//! select4: only the winner's arm is evaluated.

use transputer_guest::{Error, Receiver, Sender, select};

/// Passes on what waits in one channel, and fails if the other's arm was entered.
#[transputer_guest::process]
fn select4(idle: Receiver<u64>, waiting: Receiver<u64>, got: Sender<u64>) -> Result<(), Error> {
    let mut entered = false;
    let number = select! {
        number = receive(idle) => { entered = true; number? }
        number = receive(waiting) => number?,
    }?;
    if entered {
        return Err("the loser's arm was entered".into());
    }
    got.send(number)
}
