//! Two buffered senders at once, over channels that fill up at different times.

use transputer_guest::{Error, Receiver, Sender};

/// Sends even numbers one way and odd ones the other, many at a time; says when it has
/// sent everything, which proves that nothing is held back while it waits.
#[transputer_guest::process]
fn fork_buffered(numbers: Receiver<u64>, even: Sender<u64>, odd: Sender<u64>) -> Result<(), Error> {
    let (even, odd) = (even.buffered(), odd.buffered());
    for n in numbers {
        if n % 2 == 0 { &even } else { &odd }.send(n)?;
    }
    Ok(())
}
