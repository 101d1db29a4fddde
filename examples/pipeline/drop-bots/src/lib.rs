//! A plugin that keeps people and drops machines.

use transputer_guest::{Error, Message, Receiver, Sender, process};

/// One request.
#[derive(Message)]
struct Visit {
    path: String,
    status: u16,
    bytes: u64,
    agent: String,
}

/// How machines call themselves.
const MACHINES: [&str; 6] = ["bot", "crawler", "spider", "curl", "wget", "monitor"];

/// Passes on the visits of people.
#[process]
fn drop_bots(visits: Receiver<Visit>, people: Sender<Visit>) -> Result<(), Error> {
    for visit in visits {
        let agent = visit.agent.to_lowercase();
        if !MACHINES.iter().any(|machine| agent.contains(machine)) {
            people.send(&visit)?;
        }
    }
    Ok(())
}
