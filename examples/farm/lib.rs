//! A farm of workers, and an array of ports at which their results come together.

use transputer_guest::{Error, Receiver, Sender, debug, process, receive_any};

/// Hands out the numbers as jobs.
#[process]
fn farmer(from: u64, to: u64, jobs: Sender<u64>) -> Result<(), Error> {
    for number in from..=to {
        jobs.send(number)?;
    }
    Ok(())
}

/// How many steps it takes to come from a number to 1, if even ones are halved, and odd ones tripled, plus one.
#[process]
fn worker(number: u32, jobs: Receiver<u64>, results: Sender<(u64, u64)>) -> Result<(), Error> {
    let mut done = 0;
    for start in jobs {
        let (mut now, mut steps) = (start, 0);
        while now != 1 {
            now = if now % 2 == 0 { now / 2 } else { 3 * now + 1 };
            steps += 1;
        }
        results.send((start, steps))?;
        done += 1;
    }
    debug!("worker {number} did {done} jobs");
    Ok(())
}

/// Collects the results of all workers, and tells which number takes longest.
#[process]
fn collector(mut results: Vec<Receiver<(u64, u64)>>, lines: Sender<String>) -> Result<(), Error> {
    let mut longest = (0, 0);
    while !results.is_empty() {
        match receive_any(&results)? {
            (_, Ok((start, steps))) if (steps, start) > (longest.1, longest.0) => {
                longest = (start, steps);
            }
            (_, Ok(_)) => {}
            (ended, Err(Error::Closed)) => drop(results.remove(ended)),
            (_, Err(error)) => return Err(error),
        }
    }
    lines.send(format!("{} takes {} steps", longest.0, longest.1))
}
