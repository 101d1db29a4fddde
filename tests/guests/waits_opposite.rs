//! Waits at the other side of an end that another process has.

use std::fmt::Debug;

use transputer_guest::{Barrier, Bytes, Error, Receiver, Sender, channel};

/// Waits opposite of `end`, and tells what it got. The ports are called after the ends at their
/// other sides, which `parks_at` has.
#[allow(clippy::too_many_arguments)]
#[transputer_guest::process]
fn waits_opposite(
    end: String,
    taken: Sender<Bytes>,
    given: Receiver<Bytes>,
    members: Sender<Barrier>,
    arrivals: Sender<Sender<u64>>,
    carrier: Receiver<Sender<u64>>,
    arrived: Receiver<u64>,
    enrolled: Receiver<Barrier>,
    told: Sender<String>,
) -> Result<(), Error> {
    let says = match end.as_str() {
        "taken" => says(taken.send(Bytes::from("unwanted"))),
        "given" => says(given.receive()),
        "members" => says(members.send(&Barrier::new()?)),
        "arrivals" => says(arrivals.send(&channel(0)?.0)),
        "carrier" => says(carrier.receive()),
        "arrived" => says(arrived.receive()),
        "barrier" => says(enrolled.receive()?.sync()),
        other => return Err(format!("no such end: {other}").into()),
    };
    told.send(&says)
}

fn says<T: Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::PeerKilled { reason, .. }) => format!("killed: {reason}"),
        other => format!("{other:?}"),
    }
}
