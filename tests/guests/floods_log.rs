//! Writes a lot to the log.

use transputer_guest::{Error, Level, log};

/// Logs so many lines as fast as it can.
#[transputer_guest::process]
fn floods_log(lines: u64) -> Result<(), Error> {
    for n in 0..lines {
        log(Level::Info, &format!("line {n}"));
    }
    Ok(())
}
