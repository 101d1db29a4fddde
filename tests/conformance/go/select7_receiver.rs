//! select7: every way to receive.

use transputer_guest::{Error, Receiver, channel, select};

/// Receives once: plainly (1), in an alternation of one guard (2), or of two (3).
#[transputer_guest::process]
fn select7_receiver(way: u32, input: Receiver<u64>) -> Result<(), Error> {
    let (_idle, other) = channel::<u64>(0)?;
    let number = match way {
        1 => input.receive()?,
        2 => select! { number = receive(input) => number? }?,
        _ => select! {
            number = receive(input) => number?,
            _ = receive(other) => return Err("the idle channel won".into()),
        }?,
    };
    match number {
        1 => Ok(()),
        other => Err(format!("{other} came instead of 1").into()),
    }
}
