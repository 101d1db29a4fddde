//! select5: the order in which the parts of an alternation are evaluated.

use std::cell::RefCell;

use transputer_guest::{Error, Sender, channel, select};

/// Sends the numbers of the parts in the order in which they were evaluated, once for every
/// guard that can win.
#[transputer_guest::process]
fn select5(orders: Sender<Vec<u8>>) -> Result<(), Error> {
    for winner in ["send", "receive", "skip"] {
        let order = RefCell::new(Vec::new());
        let (free, _free) = channel::<u8>(1)?;
        let (filled, full) = channel::<u8>(1)?;
        let (_idle, none) = channel::<u8>(1)?;
        filled.send(1)?;
        // A sender of a full channel, or a receiver of an empty one, cannot win.
        let to = if winner == "send" { &free } else { &filled };
        let from = if winner == "receive" { &full } else { &none };
        let part = |number| order.borrow_mut().push(number);
        select! {
            sent = send(*{ part(1); to }, { part(2); &7 }) => { sent?; part(10) }
            got = receive(*{ part(3); from }) => { got?; part(11) }
            skip if { part(4); true } => part(12),
        }?;
        let taken = order.take();
        orders.send(&taken)?;
    }
    Ok(())
}
