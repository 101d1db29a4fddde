//! Adds up, and names what was not understood.

use transputer_guest::{Error, Receiver, Sender, process};

/// Writes the amounts with their total, then the orders of which nothing could be made.
#[process]
fn ledger(
    amounts: Receiver<u64>,
    refused: Receiver<String>,
    lines: Sender<String>,
) -> Result<(), Error> {
    let mut total = 0;
    for amount in amounts {
        lines.send(format!("{amount:>5}"))?;
        total += amount;
    }
    lines.send(format!("{total:>5} in total"))?;
    for order in refused {
        lines.send(format!("not understood: {order}"))?;
    }
    Ok(())
}
