//! Passes numbers of two inputs on.

use transputer_guest::{Error, Receiver, Sender, select};

/// Passes numbers on as they come, and panics over 666.
#[transputer_guest::process]
fn relays_from_two(a: Receiver<u64>, b: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    loop {
        let number = select! {
            number = receive(a) => number,
            number = receive(b) => number,
        }?;
        match number {
            Ok(666) => panic!("a bad number"),
            Ok(number) => out.send(number)?,
            Err(Error::Closed) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
