//! A process with nothing to do.

use transputer_guest::Error;

/// Ends at once.
#[transputer_guest::process]
fn exits() -> Result<(), Error> {
    Ok(())
}
