//! Prime numbers, with a process of its own for each: four processes in one file.

use transputer_guest::{Error, Receiver, Sender, channel, process, spawn};

/// Sends 2, 3, 4 and so on, until nobody wants more.
#[process]
fn generator(numbers: Sender<u64>) -> Result<(), Error> {
    for number in 2.. {
        numbers.send(number)?;
    }
    Ok(())
}

/// Finds so many primes. Each one's filter is joined to those before it by a channel of
/// this capacity.
#[process]
fn sieve(
    count: u64,
    capacity: u32,
    mut candidates: Receiver<u64>,
    primes: Sender<u64>,
) -> Result<(), Error> {
    for _ in 0..count {
        let prime = candidates.receive()?;
        primes.send(prime)?;
        let (survivors, next) = channel(capacity)?;
        spawn("filter")
            .name(&format!("filter-{prime}"))
            .argument("prime", prime)
            .input("candidates", candidates)
            .output("survivors", survivors)
            .start()?;
        candidates = next;
    }
    Ok(())
}

/// Passes on what the prime does not divide.
#[process]
fn filter(prime: u64, candidates: Receiver<u64>, survivors: Sender<u64>) -> Result<(), Error> {
    for candidate in candidates {
        if candidate % prime != 0 {
            survivors.send(candidate)?;
        }
    }
    Ok(())
}

/// Writes each prime on a line.
#[process]
fn printer(primes: Receiver<u64>, lines: Sender<String>) -> Result<(), Error> {
    for prime in primes {
        lines.send(prime.to_string())?;
    }
    Ok(())
}
