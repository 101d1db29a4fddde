//! Answers through senders that come inside the requests.

use transputer_guest::{Error, Message, Receiver, Sender};

/// A number, and where its square is to go.
#[derive(Message)]
struct Request {
    number: u64,
    reply: Sender<u64>,
}

/// Answers every request through the sender in it.
#[transputer_guest::process]
fn mobile_server(requests: Receiver<Request>) -> Result<(), Error> {
    for request in requests {
        match request.reply.send(request.number * request.number) {
            // That client has gone; the others have not.
            Err(Error::Closed) => {}
            sent => sent?,
        }
    }
    Ok(())
}
