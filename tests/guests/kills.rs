//! Kills a process where it is parked, and tells what that leaves.

use std::fmt::Debug;
use std::time::Duration;

use transputer_guest::{
    Barrier, Bytes, Error, Outcome, Sender, channel, now, sleep, spawn, yield_now,
};

/// Spawns `parks_at` with `point`, and with a channel of `capacity` at its port `given`. In virtual time
/// a sleep ends when nobody else is ready; if the process never parks for good, gives it so many `turns`
/// instead. Then receives `receives` messages of it, kills it, and tells its outcome and what each end at
/// the other side says. Meanwhile a `waits_opposite` waits opposite of each of `ends`; what those got is
/// told last.
#[transputer_guest::process]
fn kills(
    point: String,
    capacity: u32,
    receives: u32,
    turns: u32,
    ends: Vec<String>,
    told: Sender<String>,
) -> Result<(), Error> {
    let (takes, taken) = channel::<Bytes>(0)?;
    let (given, gives) = channel::<Bytes>(capacity)?;
    let (joins, members) = channel::<Barrier>(1)?;
    let (arrives, arrivals) = channel::<Sender<u64>>(0)?;
    let (carrier, carried) = channel::<Sender<u64>>(0)?;
    let barrier = Barrier::new()?;
    joins.send(&barrier.enrol()?)?;
    let (passes, passed) = channel::<u64>(0)?;
    let mut peers = Vec::new();
    for end in &ends {
        let (enrols, enrolled) = channel::<Barrier>(1)?;
        if end == "barrier" {
            enrols.send(&barrier.enrol()?)?;
        }
        let (tells, hears) = channel::<String>(0)?;
        spawn("waits_opposite")
            .name(&format!("opposite {end}"))
            .argument("end", end)
            .output("taken", takes.clone())
            .input("given", gives.clone())
            .output("members", joins.clone())
            .output("arrivals", arrives.clone())
            .input("carrier", carried.clone())
            .input("arrived", passed.clone())
            .input("enrolled", enrolled)
            .output("told", tells)
            .start()
            .map_err(|error| error.to_string())?;
        peers.push(hears);
    }
    settle(0);
    let child = spawn("parks_at")
        .name("victim")
        .argument("point", &point)
        .input("taken", taken)
        .output("given", given)
        .input("members", members)
        .input("arrivals", arrivals)
        .output("carrier", carrier)
        .start()
        .map_err(|error| error.to_string())?;
    if point == "send ends" {
        arrives.send(&passes)?;
    }
    settle(turns);
    for _ in 0..receives {
        gives.receive()?;
        settle(turns);
    }
    if let Some(outcome) = child.try_wait() {
        return Err(format!("it did not park: {outcome}").into());
    }
    child.kill("enough");
    let outcome = child.wait();
    told.send(&match outcome {
        Outcome::Stopped(reason) => format!("stopped: {reason}"),
        other => format!("{other:?}"),
    })?;
    told.send(says(gives.receive()))?;
    told.send(says(takes.send(Bytes::from("late"))))?;
    told.send(says(joins.send(&Barrier::new()?)))?;
    told.send(says(arrives.send(&channel(0)?.0)))?;
    told.send(says(carried.receive()))?;
    // Ends that the process held besides its ports.
    match point.as_str() {
        "sync" | "sync by" => told.send(says(barrier.sync()))?,
        "send ends" => told.send(says(passed.receive()))?,
        _ => told.send("none".to_owned())?,
    }
    let seen = gives.statistics();
    told.send(format!(
        "sent {} received {} dropped {} waiting {}",
        seen.sent, seen.received, seen.dropped, seen.waiting
    ))?;
    peers
        .iter()
        .try_for_each(|peer| told.send(&peer.receive()?))
}

/// Lets everybody park.
fn settle(turns: u32) {
    if turns > 0 {
        (0..turns).for_each(|_| yield_now());
    } else {
        sleep(Duration::from_millis(1));
    }
}

fn says<T: Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::PeerKilled { reason, .. }) => format!("killed: {reason}"),
        other => format!("at {:?}: {other:?}", now()),
    }
}
