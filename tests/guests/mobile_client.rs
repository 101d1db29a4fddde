//! Sends an end of a channel through a channel.

use transputer_guest::{Error, Message, Sender, channel};

/// A number, and where its square is to go.
#[derive(Message)]
struct Request {
    number: u64,
    reply: Sender<u64>,
}

/// Asks for the squares of the numbers below `limit`, each through a channel of its own, and checks
/// that a sender that has moved is of no more use here.
#[transputer_guest::process]
fn mobile_client(limit: u64, requests: Sender<Request>, squares: Sender<u64>) -> Result<(), Error> {
    for number in 0..limit {
        let (reply, answers) = channel(0)?;
        let request = Request { number, reply };
        requests.send(&request)?;
        if request.reply.send(0) != Err(Error::Moved) {
            return Err("a sender that has moved still sends".into());
        }
        squares.send(answers.receive()?)?;
    }
    Ok(())
}
