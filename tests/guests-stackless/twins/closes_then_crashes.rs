//! Gives up an end before it crashes.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender};

/// At 1 closes `out` and panics; at any other number tells what comes of sending it.
#[transputer_guest::process]
async fn closes_then_crashes(
    mut numbers: Receiver<u64>,
    out: Sender<u64>,
    told: Sender<String>,
) -> Result<(), Error> {
    while let Some(number) = numbers.next().await? {
        if number == 1 {
            out.close();
            panic!("without an output");
        }
        let line = match out.send(number).await {
            Ok(()) => "sent".to_owned(),
            Err(error) => error.to_string(),
        };
        told.send(line).await?;
    }
    Ok(())
}
