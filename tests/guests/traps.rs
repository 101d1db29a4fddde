//! Traps at its first message, in a way that is not a panic.

use transputer_guest::{Error, Receiver, Sender};

/// Passes numbers on, but traps at 0: aborting executes wasm's `unreachable`.
#[transputer_guest::process]
fn traps(numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    for n in numbers {
        if n == 0 {
            std::process::abort();
        }
        out.send(n)?;
    }
    Ok(())
}
