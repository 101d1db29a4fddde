//! Ends with requests in its hands, and more in its queues.

use std::hint::black_box;

use transputer_guest::{Error, Message, Receiver, Sender};

/// A request, with the channel of its answer.
#[derive(Message)]
struct Command {
    n: u64,
    done: Sender<u64>,
}

/// Answers the first request of the first queue, and ends over the second, in the given way.
#[transputer_guest::process]
fn ends_over_requests(
    ending: String,
    queues: Receiver<Receiver<Command>>,
    ready: Receiver<()>,
) -> Result<(), Error> {
    ready.receive()?;
    let queue = queues.receive()?;
    let Command { n, done } = queue.receive()?;
    done.send(n)?;
    // What it still held would be poisoned, and the answer with it.
    done.close();
    let second = queue.receive()?;
    match ending.as_str() {
        "return" => Ok(()),
        "fail" => Err("over a request".into()),
        "panic" => panic!("request {}", second.n),
        _ => {
            let mut memory = Vec::new();
            loop {
                memory.push(black_box(vec![1_u8; 1024 * 1024]));
            }
        }
    }
}
