//! Poisons its channels.

use transputer_guest::{Error, Receiver, Sender};

/// Passes numbers on up to the first that is not below `limit`, and poisons both channels there.
#[transputer_guest::process]
fn poisons(limit: u64, numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    for n in &numbers {
        if n >= limit {
            let reason = format!("{n} is not below {limit}");
            numbers.poison(&reason);
            out.poison(&reason);
            return Ok(());
        }
        out.send(n)?;
    }
    Ok(())
}
