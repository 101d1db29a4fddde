//! Broadcasts numbers.

use transputer_guest::{Broadcast, Error, Receiver, Sender};

/// Sends every number to all who have subscribed.
#[transputer_guest::process]
fn broadcasts(numbers: Receiver<u64>, subscriptions: Receiver<Sender<u64>>) -> Result<(), Error> {
    let mut broadcast = Broadcast::new();
    let mut first = broadcast.subscribe(1)?;
    let second = broadcast.subscribe(1)?;
    if broadcast.send(1)? != 2 || first.receive()? != 1 || second.receive()? != 1 {
        return Err("two subscribers, and not both got it".into());
    }
    second.close();
    if broadcast.send(2)? != 1 || broadcast.subscribers() != 1 || first.receive()? != 2 {
        return Err("one has gone, and the other not got it".into());
    }
    first.poison("no more");
    if broadcast.send(3)? != 0 || broadcast.take_lost().len() != 1 {
        return Err("one that poisoned its channel is not left out".into());
    }
    first = broadcast.subscribe(1)?;
    first.close();
    broadcast.relay(&numbers, &subscriptions)
}
