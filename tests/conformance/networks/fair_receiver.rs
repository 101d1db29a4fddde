//! An alternation between channels that always have a message.

use transputer_guest::{Error, Receiver, Sender, select};

/// Chooses `trials` times, by priority or fairly, and sends how often `a` won and how often
/// `b`. The two idle channels never do.
#[transputer_guest::process]
fn fair_receiver(
    trials: u32,
    by_priority: bool,
    a: Receiver<()>,
    b: Receiver<()>,
    idle: Receiver<()>,
    idle_too: Receiver<()>,
    wins: Sender<(u32, u32)>,
) -> Result<(), Error> {
    const IDLE: &str = "an idle channel won";
    let (mut a_wins, mut b_wins) = (0, 0);
    for _ in 0..trials {
        if by_priority {
            select! {
                priority;
                _ = receive(idle) => return Err(IDLE.into()),
                won = receive(a) => { won?; a_wins += 1 }
                won = receive(b) => { won?; b_wins += 1 }
                _ = receive(idle_too) => return Err(IDLE.into()),
            }?;
        } else {
            select! {
                _ = receive(idle) => return Err(IDLE.into()),
                won = receive(a) => { won?; a_wins += 1 }
                won = receive(b) => { won?; b_wins += 1 }
                _ = receive(idle_too) => return Err(IDLE.into()),
            }?;
        }
    }
    wins.send((a_wins, b_wins))
}
