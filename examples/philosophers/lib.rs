//! Philosophers who share forks: each fork lies between two of them, and each of them needs two forks.

use std::time::Duration;

use transputer_guest::{Error, Receiver, Sender, channel, process, select, sleep, spawn};

/// Lays the table, waits until everybody has eaten, and tells how it went.
///
/// Every fork can be taken from its left and from its right. If the guests are polite, the
/// last of them takes the forks in the other order: then no circle of waiting can close.
#[process]
fn table(seats: u32, meals: u64, polite: bool, news: Sender<String>) -> Result<(), Error> {
    let mut to_the_right = Vec::new();
    let mut to_the_left = Vec::new();
    for seat in 0..seats {
        let (from_left, left) = channel::<bool>(0)?;
        let (from_right, right) = channel::<bool>(0)?;
        spawn("fork")
            .name(&format!("fork-{seat}"))
            .input("left", left)
            .input("right", right)
            .start()?;
        // Philosopher n sits between fork n on the left and fork n + 1 on the right.
        to_the_left.push(from_right);
        to_the_right.push(from_left);
    }
    to_the_right.rotate_left(1);
    let (plates, eaten) = channel::<u64>(0)?;
    for (seat, (left, right)) in (1..).zip(to_the_left.into_iter().zip(to_the_right)) {
        let turned = polite && seat == seats;
        let (first, second) = if turned { (right, left) } else { (left, right) };
        spawn("philosopher")
            .name(&format!("philosopher-{seat}"))
            .argument("meals", meals)
            .output("first", first)
            .output("second", second)
            .output("plates", plates.clone())
            .start()?;
    }
    drop(plates);
    let total = count(eaten);
    news.send(format!("{seats} philosophers have eaten {total} meals"))
}

fn count(eaten: Receiver<u64>) -> u64 {
    eaten.into_iter().sum()
}

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

/// Waits for either neighbour to take it, then for the same one to put it down.
#[process]
fn fork(left: Receiver<bool>, right: Receiver<bool>) -> Result<(), Error> {
    let (mut at_left, mut at_right) = (true, true);
    while at_left || at_right {
        select! {
            taken = receive(left) if at_left => at_left = held(&left, taken)?,
            taken = receive(right) if at_right => at_right = held(&right, taken)?,
        }?;
    }
    Ok(())
}

/// Waits until a fork that was taken is put down; false if its neighbour has left the table.
fn held(hand: &Receiver<bool>, taken: Result<bool, Error>) -> Result<bool, Error> {
    match taken.and_then(|_| hand.receive()) {
        Err(Error::Closed) => Ok(false),
        put_down => put_down.map(|_| true),
    }
}
