//! Sieve: one link of a chain that grows as primes are found.

use transputer_guest::{Error, Receiver, Sender, channel, spawn};

/// What a link sends on its survivors through.
trait Link {
    fn send(&self, number: u64) -> Result<(), Error>;
}

impl Link for Sender<u64> {
    fn send(&self, number: u64) -> Result<(), Error> {
        Sender::send(self, number)
    }
}

impl Link for transputer_guest::Buffered<u64> {
    fn send(&self, number: u64) -> Result<(), Error> {
        transputer_guest::Buffered::send(self, number)
    }
}

/// Keeps the first `most` numbers that none of its own divides; the others go to a link that it
/// spawns, by a channel of this capacity. In the end sends how many primes it keeps.
#[transputer_guest::process]
fn sieve_link(
    most: u32,
    capacity: u32,
    numbers: Receiver<u64>,
    counts: Sender<u64>,
) -> Result<(), Error> {
    let mut primes: Vec<u64> = Vec::new();
    let mut next: Option<Box<dyn Link>> = None;
    for number in &numbers {
        if primes.iter().any(|prime| number % prime == 0) {
            continue;
        }
        if let Some(next) = &next {
            next.send(number)?;
            continue;
        }
        if primes.len() < most as usize {
            primes.push(number);
            continue;
        }
        let (survivors, candidates) = channel(capacity)?;
        spawn("link")
            .argument("most", most)
            .argument("capacity", capacity)
            .input("numbers", candidates)
            .output("counts", counts.clone())
            .start()?;
        let link: Box<dyn Link> = match capacity {
            0 => Box::new(survivors),
            _ => Box::new(survivors.buffered()),
        };
        link.send(number)?;
        next = Some(link);
    }
    numbers.ended()?;
    counts.send(primes.len() as u64)
}
