//! Waits for answers that its server may not live to give.

use transputer_guest::{Error, Message, Receiver, Sender, channel};

/// A request, with the channel of its answer.
#[derive(Message)]
struct Command {
    n: u64,
    done: Sender<u64>,
}

/// Gives its server two queues, of three requests and of two, and says so when both are in the
/// channel; then tells what each answer is.
#[transputer_guest::process]
fn queues_requests(
    queues: Sender<Receiver<Command>>,
    ready: Sender<()>,
    told: Sender<String>,
) -> Result<(), Error> {
    let mut filled = Vec::new();
    let mut answers = Vec::new();
    for length in [3, 2] {
        let (commands, queue) = channel(length)?;
        for n in 0..u64::from(length) {
            let (done, answer) = channel(1)?;
            commands.send(&Command { n, done })?;
            answers.push(answer);
        }
        filled.push(queue);
    }
    for queue in filled {
        queues.send(&queue)?;
    }
    ready.send(())?;
    for answer in answers {
        told.send(match answer.receive() {
            Ok(n) => n.to_string(),
            Err(Error::Closed) => "closed".to_owned(),
            Err(error) => error.to_string(),
        })?;
    }
    Ok(())
}
