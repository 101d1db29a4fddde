//! Answers requests.

use transputer_guest::{Error, Receiver, Request, Sender, Server};

/// Answers the requests of two clients with squares, and sends how many of them ended badly.
#[transputer_guest::process]
fn squares_server(
    a: Receiver<Request<u64, u64>>,
    b: Receiver<Request<u64, u64>>,
    lost: Sender<u64>,
) -> Result<(), Error> {
    let mut server = Server::new([a, b]);
    server.serve(|n| n * n)?;
    lost.send(server.take_lost().len() as u64)
}
