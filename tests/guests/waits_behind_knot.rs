//! Waits for something that lies where nobody can get at it.

use transputer_guest::bindings::transputer::csp::channel::{
    End, Options, Overflow, Patience, open,
};
use transputer_guest::{Error, Receiver, Sender};

/// Puts the sender of a channel into a message of one of two channels, each of which carries the
/// other's receiver; then receives from the channel, which ends when the message is dropped.
#[transputer_guest::process]
fn waits_behind_knot(closed: Sender<bool>, go_on: Receiver<()>) -> Result<(), Error> {
    let options = Options {
        capacity: 1,
        overflow: Overflow::Block,
    };
    let failed = |error| Error::Failed(format!("{error:?}"));
    let (first, first_out) = open(options).map_err(failed)?;
    let (second, second_out) = open(options).map_err(failed)?;
    let (hope, hoped) = open(options).map_err(failed)?;
    let ends = vec![End::Receiver(second_out), End::Sender(hope)];
    let sent = first.send_ends(&[], ends, Patience::Never);
    sent.map_err(|refused| failed(refused.error))?;
    let sent = second.send_ends(&[], vec![End::Receiver(first_out)], Patience::Never);
    sent.map_err(|refused| failed(refused.error))?;
    drop((first, second));
    let ended = hoped.receive().is_err();
    drop(hoped);
    closed.send(ended)?;
    go_on.receive()
}
