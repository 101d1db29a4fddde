//! Works on one item.

use transputer_guest::{Bytes, Error, Receiver, Sender};

/// Tells the size of an item, and works on it until there is nothing more to come. Fails at once over an
/// empty one.
#[transputer_guest::process]
fn keeps_item(items: Receiver<Bytes>, told: Sender<u64>, end: Receiver<u64>) -> Result<(), Error> {
    let item = items.receive()?;
    if item.0.is_empty() {
        return Err("nothing in it".into());
    }
    told.send(item.0.len() as u64)?;
    for _ in &end {}
    Ok(())
}
