//! sieve2: all odd composites in order, from a process per prime.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use transputer_guest::{Error, Receiver, Sender, channel, spawn};

/// Merges the multiples of every prime that it receives. A prime's own come only once they
/// can be the next, which is at its square.
#[transputer_guest::process]
fn sieve2_merge(primes: Receiver<u64>, composites: Sender<u64>) -> Result<(), Error> {
    let mut sources: Vec<Receiver<u64>> = Vec::new();
    let mut heads = BinaryHeap::new();
    let mut next = primes.receive()?;
    let mut last = 0;
    loop {
        let due = match heads.peek() {
            Some(&Reverse((head, _))) => head < next * next,
            None => false,
        };
        if !due {
            let (sender, multiples) = channel(10)?;
            spawn("multiples")
                .argument("prime", next)
                .output("multiples", sender)
                .start()?;
            heads.push(Reverse((multiples.receive()?, sources.len())));
            sources.push(multiples);
            next = primes.receive()?;
            continue;
        }
        if let Some(Reverse((head, source))) = heads.pop() {
            heads.push(Reverse((sources[source].receive()?, source)));
            if head != last {
                composites.send(head)?;
                last = head;
            }
        }
    }
}
