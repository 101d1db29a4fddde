//! An alternation between channels that always have room.

use transputer_guest::{Error, Sender, select};

/// Chooses `trials` times, and sends how often `a` won and how often `b`.
#[transputer_guest::process]
fn fair_sender(
    trials: u32,
    a: Sender<()>,
    b: Sender<()>,
    wins: Sender<(u32, u32)>,
) -> Result<(), Error> {
    let (mut a_wins, mut b_wins) = (0, 0);
    for _ in 0..trials {
        select! {
            won = send(a, &()) => { won?; a_wins += 1 }
            won = send(b, &()) => { won?; b_wins += 1 }
        }?;
    }
    wins.send((a_wins, b_wins))
}
