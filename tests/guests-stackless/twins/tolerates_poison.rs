//! Takes over the responsibility for how its input ends.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// Sends the sum of what came before the input ended, however it ended, and the error's text.
#[transputer_guest::process]
async fn tolerates_poison(
    mut numbers: Receiver<u64>,
    result: Sender<(u64, String)>,
) -> Result<(), Error> {
    let mut sum = 0;
    let text = loop {
        match numbers.next().await {
            Ok(Some(n)) => sum += n,
            Ok(None) => break String::new(),
            Err(error) => break error.to_string(),
        }
    };
    result.send(&(sum, text)).await
}
