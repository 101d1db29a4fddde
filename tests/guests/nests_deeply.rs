//! Puts ends of channels into messages of channels whose ends are in messages, and so on.

use transputer_guest::Error;
use transputer_guest::bindings::transputer::csp::channel::{
    End, Options, Overflow, Patience, open,
};

/// Makes a chain of `depth` channels, each receiver in a message of the one before, and drops the
/// first.
#[transputer_guest::process]
fn nests_deeply(depth: u32) -> Result<(), Error> {
    let options = Options {
        capacity: 1,
        overflow: Overflow::Block,
    };
    let failed = |error| Error::Failed(format!("{error:?}"));
    let (_, mut last) = open(options).map_err(failed)?;
    for _ in 0..depth {
        let (sender, receiver) = open(options).map_err(failed)?;
        let sent = sender.send_ends(&[], vec![End::Receiver(last)], Patience::Never);
        sent.map_err(|refused| failed(refused.error))?;
        last = receiver;
    }
    drop(last);
    Ok(())
}
