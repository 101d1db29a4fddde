//! Dining philosophers: one of them.

use transputer_guest::{Error, Receiver, Sender};

/// Asks for its forks and gives them back, for every meal.
#[transputer_guest::process]
fn philosopher(
    seat: u32,
    meals: u32,
    granted: Receiver<()>,
    requests: Sender<(u32, bool)>,
) -> Result<(), Error> {
    for _ in 0..meals {
        requests.send((seat, true))?;
        granted.receive()?;
        requests.send((seat, false))?;
    }
    Ok(())
}
