//! Gives up an end before it crashes.

use transputer_guest::{Error, Receiver, Sender};

/// At 1 closes `out` and panics; at any other number tells what comes of sending it.
#[transputer_guest::process]
fn closes_then_crashes(
    numbers: Receiver<u64>,
    out: Sender<u64>,
    told: Sender<String>,
) -> Result<(), Error> {
    for number in numbers {
        if number == 1 {
            out.close();
            panic!("without an output");
        }
        told.send(&match out.send(number) {
            Ok(()) => "sent".to_owned(),
            Err(error) => error.to_string(),
        })?;
    }
    Ok(())
}
