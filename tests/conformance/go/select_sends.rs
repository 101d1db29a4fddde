//! select: guards that are switched off one by one.

use std::cell::Cell;

use transputer_guest::{Error, Receiver, Sender, select};

/// Sends powers of two through both channels until neither takes part, then how many went and
/// how many messages were evaluated for it; then, after `again`, the same through the first alone.
#[transputer_guest::process]
fn select_sends(
    a: Sender<u64>,
    b: Sender<u64>,
    again: Receiver<()>,
    counts: Sender<(u64, u64)>,
) -> Result<(), Error> {
    let (evaluated, shift) = (Cell::new(0), Cell::new(0));
    let value = || {
        evaluated.set(evaluated.get() + 1);
        1_u64 << shift.get()
    };
    for with_b in [true, false] {
        let (mut a_on, mut b_on, mut sent) = (true, with_b, 0);
        loop {
            let again = select! {
                went = send(a, &value()) if a_on => { went?; a_on = false; true }
                went = send(b, &value()) if b_on => { went?; b_on = false; true }
                skip => false,
            }?;
            if !again {
                break;
            }
            sent += 1;
            shift.set(shift.get() + 1);
        }
        counts.send((sent, evaluated.get()))?;
        if with_b {
            again.receive()?;
        }
    }
    Ok(())
}
