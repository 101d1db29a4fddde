//! Works on one item.

use transputer_guest::stackless::{Receiver, Sender};
use transputer_guest::{Bytes, Error};

/// Tells the size of an item, and works on it until there is nothing more to come. Fails at once over an
/// empty one.
#[transputer_guest::process]
async fn keeps_item(
    items: Receiver<Bytes>,
    told: Sender<u64>,
    mut end: Receiver<u64>,
) -> Result<(), Error> {
    let item = items.receive().await?;
    if item.0.is_empty() {
        return Err("nothing in it".into());
    }
    told.send(item.0.len() as u64).await?;
    while end.next().await?.is_some() {}
    Ok(())
}
