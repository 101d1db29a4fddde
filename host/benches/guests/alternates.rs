//! Alternation over many channels.

use transputer_guest::{Error, Receiver, Sender, channel, now, receive_any, spawn};

/// Takes whatever comes first from so many sources, each of which sends `each` numbers.
#[transputer_guest::process]
fn alternates(channels: u32, each: u64, measured: Sender<(u64, u64)>) -> Result<(), Error> {
    let mut sources: Vec<Receiver<u64>> = Vec::new();
    for _ in 0..channels {
        let (numbers, source) = channel(0)?;
        spawn("counts")
            .argument("count", &each)
            .output("numbers", numbers)
            .start()?;
        sources.push(source);
    }
    let mut sum = 0;
    let start = now();
    while !sources.is_empty() {
        let (index, number) = receive_any(&sources)?;
        match number {
            Err(Error::Closed) => drop(sources.swap_remove(index)),
            number => sum += number?,
        }
    }
    let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
    measured.send(&(nanoseconds, sum))
}
