//! sieve2: a buffer that grows, so that whoever sends to it never waits for long.

use std::collections::VecDeque;

use transputer_guest::{Error, Receiver, Sender, select};

/// Passes everything on in order, and takes new messages meanwhile.
#[transputer_guest::process]
fn sieve2_proxy(input: Receiver<u64>, output: Sender<u64>) -> Result<(), Error> {
    let mut queue = VecDeque::new();
    loop {
        let head = queue.front().copied().unwrap_or_default();
        select! {
            number = receive(input) => queue.push_back(number?),
            sent = send(output, &head) if !queue.is_empty() => { sent?; queue.pop_front(); }
        }?;
    }
}
