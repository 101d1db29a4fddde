//! Asks one question.

use transputer_guest::{Client, Error, Request, Sender};

/// Asks for the square of 7, and tells it.
#[transputer_guest::process]
fn asks_once(requests: Sender<Request<u64, u64>>, square: Sender<u64>) -> Result<(), Error> {
    square.send(Client::new(requests).call(7)?)
}
