//! Sends one message of a given size.

use transputer_guest::{Bytes, Error, Sender};

/// Sends one message of `size` bytes; if that is refused as too large, an empty one.
#[transputer_guest::process]
fn oversized_message(size: u64, out: Sender<Bytes>) -> Result<(), Error> {
    let size = usize::try_from(size)?;
    match out.send(Bytes(vec![b'x'; size])) {
        Err(Error::TooLarge) => out.send(Bytes::default()),
        other => other,
    }
}
