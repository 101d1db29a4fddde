//! Writes to the log.

use transputer_guest::{Error, Level, Sender, debug, error, id, info, log, name, trace, warn};

/// Writes a line at each level, and sends its own name and number.
#[transputer_guest::process]
fn logs(identity: Sender<(String, u64)>) -> Result<(), Error> {
    trace!("at level {}", "trace");
    debug!("at level {}", "debug");
    info!("at level {}", "info");
    warn!("at level {}", "warn");
    error!("at level {}", "error");
    log(Level::Info, "plain");
    identity.send(&(name(), id()))
}
