//! Is always ready.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, yield_now};

/// Lets others run, again and again, until `until` is closed: meanwhile no virtual time passes.
#[transputer_guest::process]
async fn yields(until: Receiver<()>) {
    while matches!(until.try_receive(), Err(Error::WouldBlock)) {
        yield_now().await;
    }
}
