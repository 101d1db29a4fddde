//! Asks a server.

use std::time::Duration;

use transputer_guest::{Client, Error, Options, Request, Sender, channel, open};

/// Asks for the squares of the numbers below `limit`, and passes them on; traps at its end if `trap` is
/// set. Checks before that a call gives up, and that a request which nobody takes is noticed.
#[transputer_guest::process]
fn squares_client(
    limit: u64,
    trap: bool,
    requests: Sender<Request<u64, u64>>,
    squares: Sender<u64>,
) -> Result<(), Error> {
    gives_up()?;
    let server = Client::new(requests);
    for n in 0..limit {
        squares.send(server.call_timeout(n, Duration::MAX)?)?;
    }
    if trap {
        std::process::abort();
    }
    squares.send(server.call(limit)?)
}

fn gives_up() -> Result<(), Error> {
    let (requests, server) = open(Options::bounded(1))?;
    let client = Client::<u64, u64>::new(requests);
    let nothing = Duration::from_millis(1);
    if client.call_timeout(1, nothing) != Err(Error::TimedOut) {
        return Err("a call to nobody came back".into());
    }
    let request: Request<u64, u64> = server.receive()?;
    if request.body != 1 || request.reply(1) != Err(Error::Closed) {
        return Err("a reply went to a client that had given up".into());
    }
    server.close();
    match client.call(1) {
        Err(Error::Closed) => {}
        other => return Err(format!("a call without a server gave {other:?}").into()),
    }
    let (requests, server) = channel(1)?;
    let client = Client::<u64, u64>::new(requests);
    server.poison("closed for today");
    match client.call(1) {
        Err(Error::Poisoned { reason }) if reason == "closed for today" => Ok(()),
        other => Err(format!("a poisoned server gave {other:?}").into()),
    }
}
