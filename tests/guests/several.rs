//! Several processes in one component.

use transputer_guest::{Error, Receiver, Sender, channel, process, spawn};

/// Sends so many numbers, from 0.
#[process]
fn numbers(count: u64, numbers: Sender<u64>) -> Result<(), Error> {
    (0..count).try_for_each(|number| numbers.send(number))
}

/// Sends each number twice as large.
#[process]
fn doubles(numbers: Receiver<u64>, doubled: Sender<u64>) -> Result<(), Error> {
    numbers
        .into_iter()
        .try_for_each(|number| doubled.send(2 * number))
}

/// Has another process of this component double a number.
#[process]
fn asks(number: u64, answer: Sender<u64>) -> Result<(), Box<dyn std::error::Error>> {
    let (give, numbers) = channel(0)?;
    let (doubled, take) = channel::<u64>(0)?;
    spawn("doubles")
        .input("numbers", numbers)
        .output("doubled", doubled)
        .start()?;
    give.send(number)?;
    Ok(answer.send(take.receive()?)?)
}
