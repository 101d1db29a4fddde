//! select7: every way to send.

use transputer_guest::{Error, Sender, channel, select, yield_now};

/// Sends once: plainly (1), in an alternation of one guard (2), or of two (3).
#[transputer_guest::process]
fn select7_sender(way: u32, output: Sender<u64>) -> Result<(), Error> {
    let (other, _idle) = channel::<u64>(0)?;
    yield_now();
    match way {
        1 => output.send(1),
        2 => select! { sent = send(output, &1) => sent }?,
        _ => select! {
            sent = send(output, &1) => sent,
            _ = send(other, &1) => Err("the idle channel won".into()),
        }?,
    }
}
