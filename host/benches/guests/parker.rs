//! Many processes that wait.

use transputer_guest::{Error, Receiver, Sender, channel, now, spawn};

/// Apart enough that neighbours in memory are not woken one after the other.
const STRIDE: usize = 7919;

/// Spawns so many processes and wakes each once; then tells how long that took. When it is
/// told to go on, it wakes some of them, one at a time, and sends how long each took to run.
#[transputer_guest::process]
fn parker(
    processes: u32,
    samples: u32,
    parked: Sender<u64>,
    wake: Receiver<u64>,
    delays: Sender<Vec<u64>>,
) -> Result<(), Error> {
    let (answer, answers) = channel::<u64>(0)?;
    let mut sleepers: Vec<Sender<u64>> = Vec::new();
    let start = now();
    for _ in 0..processes {
        let (sleeper, times) = channel(0)?;
        spawn("parks")
            .input("times", times)
            .output("delays", answer.clone())
            .start()?;
        sleepers.push(sleeper);
    }
    for sleeper in &sleepers {
        sleeper.send(now().nanoseconds())?;
        answers.receive()?;
    }
    parked.send(u64::try_from(start.elapsed().as_nanos())?)?;
    wake.receive()?;
    let mut measured = Vec::new();
    for sample in 0..usize::try_from(samples)? {
        sleepers[sample * STRIDE % sleepers.len()].send(now().nanoseconds())?;
        measured.push(answers.receive()?);
    }
    delays.send(&measured)
}
