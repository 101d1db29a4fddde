//! Tells the seven ways in which an operation can end without a message.

use std::time::Duration;

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender, channel};

/// Receives until there is an error, for no longer than `milliseconds` each time, and sends which
/// it was. If it is `alone` it receives from itself instead.
#[transputer_guest::process]
async fn tells_outcome(
    milliseconds: Option<u64>,
    alone: bool,
    numbers: Receiver<u64>,
    told: Sender<String>,
) -> Result<(), Error> {
    let (_sender, own) = channel(0)?;
    let numbers = if alone { own } else { numbers };
    loop {
        let received = match milliseconds {
            Some(time) => numbers.receive_timeout(Duration::from_millis(time)).await,
            None => numbers.receive().await,
        };
        if let Err(error) = received {
            return told.send(in_words(&error)).await;
        }
    }
}

fn in_words(error: &Error) -> String {
    match error {
        Error::Closed => "closed".into(),
        Error::Poisoned { reason } => format!("poisoned: {reason}"),
        Error::PeerTrapped { .. } => "trapped".into(),
        Error::PeerKilled { .. } => match (error.peer(), error.limit()) {
            (Some(peer), Some(limit)) => format!("killed: `{}`, over its {limit} limit", peer.name),
            other => format!("killed: {other:?}"),
        },
        Error::Undecodable(undecodable) => format!("undecodable: {}", undecodable.expected),
        Error::TimedOut => "timed out".into(),
        Error::Deadlock { .. } => "deadlock".into(),
        other => format!("none of the seven: {other}"),
    }
}
