//! Alternation over many channels.

use transputer_guest::{Error, Prepared, Receiver, Sender, channel, now, spawn};

/// Takes whatever comes first from so many sources, each of which sends `each` numbers.
#[transputer_guest::process]
fn alternates(channels: u32, each: u64, measured: Sender<(u64, u64)>) -> Result<(), Error> {
    let mut sources: Vec<Receiver<u64>> = Vec::new();
    for _ in 0..channels {
        let (numbers, source) = channel(0)?;
        spawn("counts")
            .argument("count", each)
            .output("numbers", numbers)
            .start()?;
        sources.push(source);
    }
    let mut alternation = Prepared::fair()?;
    let guards = sources
        .iter()
        .map(|source| alternation.receive(source))
        .collect::<Result<Vec<_>, _>>()?;
    let mut sum = 0;
    let mut left = guards.len();
    let start = now();
    while left > 0 {
        let mut chosen = alternation.wait()?;
        let guard = &guards[chosen.index()];
        match chosen.received(guard) {
            Some(Err(Error::Closed)) => {
                alternation.switch(guard, false);
                left -= 1;
            }
            Some(number) => sum += number?,
            None => return Err("the guard that was chosen received nothing".into()),
        }
    }
    let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
    measured.send((nanoseconds, sum))
}
