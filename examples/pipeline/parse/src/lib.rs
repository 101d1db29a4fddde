//! Lines of an access log in the combined format, as records.

use transputer_guest::{Bytes, Error, Message, Receiver, Sender, process, warn};

/// One request, as far as the pipeline cares.
#[derive(Message)]
struct Visit {
    path: String,
    status: u16,
    bytes: u64,
    agent: String,
}

/// Parses each line; those that are not of the format are counted, and left out.
#[process]
fn parse(lines: Receiver<Bytes>, visits: Sender<Visit>) -> Result<(), Error> {
    let mut odd = 0_u64;
    for line in lines {
        match visit(&String::from_utf8_lossy(&line)) {
            Some(visit) => visits.send(&visit)?,
            None => odd += 1,
        }
    }
    if odd > 0 {
        warn!("{odd} lines are not of the combined log format");
    }
    Ok(())
}

/// `address ident user [time] "METHOD path protocol" status bytes "referrer" "agent"`
fn visit(line: &str) -> Option<Visit> {
    let mut quoted = line.split('"');
    let (_who, request) = (quoted.next()?, quoted.next()?);
    let mut numbers = quoted.next()?.split_whitespace();
    let (_referrer, _between, agent) = (quoted.next()?, quoted.next()?, quoted.next()?);
    let path = request.split_whitespace().nth(1)?;
    Some(Visit {
        path: path.split('?').next()?.to_owned(),
        status: numbers.next()?.parse().ok()?,
        // A dash stands for no body.
        bytes: numbers.next()?.parse().unwrap_or(0),
        agent: agent.to_owned(),
    })
}
