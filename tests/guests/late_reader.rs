//! Reads when it is told to.

use transputer_guest::{Error, Receiver, Sender};

/// Waits for `go`, then passes on everything that has come in meanwhile.
#[transputer_guest::process]
fn late_reader(go: Receiver<()>, numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    go.receive()?;
    for n in numbers {
        out.send(n)?;
    }
    Ok(())
}
