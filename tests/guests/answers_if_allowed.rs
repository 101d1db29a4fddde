//! Answers requests, unless it crashes over them.

use transputer_guest::{Error, Receiver, Request};

/// Answers a request with its square once it is allowed to; panics if it is not.
#[transputer_guest::process]
fn answers_if_allowed(
    requests: Receiver<Request<u64, u64>>,
    allowed: Receiver<bool>,
) -> Result<(), Error> {
    for request in requests {
        if !allowed.receive()? {
            panic!("not allowed");
        }
        let square = request.body * request.body;
        request.reply(square)?;
    }
    Ok(())
}
