//! Panics while it drops what it holds.

use transputer_guest::{Error, Receiver, Sender, channel};

/// A channel, and a message in it that carries an end of another.
type Loaded = (Sender<Sender<u64>>, Receiver<Sender<u64>>);

struct Bomb(Vec<Loaded>);

impl Drop for Bomb {
    fn drop(&mut self) {
        drop(self.0.pop());
        panic!("dropped with {} channels", self.0.len());
    }
}

/// Says when it holds everything. Some of it is dropped before the panic, the rest never.
#[transputer_guest::process]
fn panics_in_drop(told: Sender<u64>) -> Result<(), Error> {
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut channels = Vec::new();
        for _ in 0..10 {
            let (sender, receiver) = channel(1)?;
            sender.send(&channel(0)?.0)?;
            channels.push((sender, receiver));
        }
        held.push(Bomb(channels));
    }
    told.send(10)?;
    drop(held);
    Ok(())
}
