//! zerosize: messages of no bytes.

use transputer_guest::{Bytes, Error, Receiver, Sender};

/// Passes on what has no size.
#[transputer_guest::process]
fn zerosize(
    units: Receiver<()>,
    empties: Receiver<Bytes>,
    units_out: Sender<()>,
    empties_out: Sender<Bytes>,
) -> Result<(), Error> {
    loop {
        units_out.send(units.receive()?)?;
        empties_out.send(&empties.receive()?)?;
    }
}
