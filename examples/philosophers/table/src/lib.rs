//! A table that is laid with forks, and philosophers who sit down at it.

use transputer_guest::{Error, Receiver, Sender, channel, process, spawn};

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
