//! A philosopher, who thinks with a fork in hand.

use std::time::Duration;

use transputer_guest::{Error, Sender, process, sleep};

/// What is said to a fork.
const TAKE: bool = true;
const PUT_DOWN: bool = false;

/// Eats so many meals, with two forks each, and hands the plates back.
#[process]
fn philosopher(
    meals: u64,
    first: Sender<bool>,
    second: Sender<bool>,
    plates: Sender<u64>,
) -> Result<(), Error> {
    for meal in 0..meals {
        first.send(TAKE)?;
        if meal == 0 {
            // Long enough for everybody to take a first fork.
            sleep(Duration::from_millis(5));
        }
        second.send(TAKE)?;
        second.send(PUT_DOWN)?;
        first.send(PUT_DOWN)?;
    }
    plates.send(meals)
}
