//! Puts ends of channels where nobody can get at them.

use transputer_guest::bindings::transputer::csp::channel::{
    End, Options, Overflow, Patience, Receiver as RawReceiver, Sender as RawSender, open,
};
use transputer_guest::{Error, Receiver, Sender};

/// Ties `count` knots of channels each of which carries the receiver of the next, and the last
/// that of the first, with messages of `bytes` bytes; `width` channels in each. Says when it has
/// let go of all of them, and goes on when it is told to.
#[transputer_guest::process]
fn ties_knots(
    count: u32,
    width: u32,
    bytes: u32,
    tied: Sender<u64>,
    go_on: Receiver<()>,
) -> Result<(), Error> {
    for _ in 0..count {
        knot(width, bytes as usize)?;
    }
    tied.send(u64::from(count))?;
    go_on.receive()
}

fn channel() -> Result<(RawSender, RawReceiver), Error> {
    let options = Options {
        capacity: 1,
        overflow: Overflow::Block,
    };
    open(options).map_err(|error| Error::Failed(format!("no channel: {error:?}")))
}

fn knot(width: u32, bytes: usize) -> Result<(), Error> {
    let mut senders = Vec::new();
    let mut receivers = Vec::new();
    for _ in 0..width {
        let (sender, receiver) = channel()?;
        senders.push(sender);
        receivers.push(receiver);
    }
    receivers.rotate_left(1);
    for (sender, receiver) in senders.iter().zip(receivers) {
        let message = vec![1; bytes];
        let end = End::Receiver(receiver);
        if let Err(refused) = sender.send_ends(&message, vec![end], Patience::Never) {
            return Err(Error::Failed(format!("not sent: {:?}", refused.error)));
        }
    }
    Ok(())
}
