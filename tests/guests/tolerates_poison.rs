//! Takes over the responsibility for how its input ends.

use transputer_guest::{Error, Receiver, Sender};

/// Sends the sum of what came before the input ended, however it ended, and the error's text.
#[transputer_guest::process]
fn tolerates_poison(numbers: Receiver<u64>, result: Sender<(u64, String)>) -> Result<(), Error> {
    let mut sum = 0;
    for n in &numbers {
        sum += n;
    }
    let text = match numbers.ended() {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    };
    result.send(&(sum, text))
}
