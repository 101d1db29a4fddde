//! Lets others run once, and tells who has.

use transputer_guest::{Error, Receiver, Sender, yield_now};

/// So many rounds: each leaves a process that was woken, a sender whose message was taken and one that computes
/// ready to run, lets others run once, and looks whether all three have.
#[transputer_guest::process]
fn lets_others_run(
    rounds: u64,
    to_woken: Sender<u64>,
    from_woken: Receiver<u64>,
    from_sender: Receiver<u64>,
    from_computing: Receiver<u64>,
) -> Result<(), String> {
    let failed = |error: Error| error.to_string();
    // All of them have begun.
    to_woken.send(0).map_err(failed)?;
    for from in [&from_woken, &from_computing] {
        from.receive().map_err(failed)?;
    }
    while !took(&from_sender, "a sender")? {
        yield_now();
    }
    for round in 0..rounds {
        took(&from_computing, "one that computes")?;
        to_woken.send(round).map_err(failed)?;
        yield_now();
        for (from, who) in [
            (&from_woken, "one that was woken"),
            (&from_sender, "a sender"),
            (&from_computing, "one that computes"),
        ] {
            if !took(from, who)? {
                return Err(format!("in round {round}, {who} has not run"));
            }
        }
    }
    Ok(())
}

/// Whether a message was there.
fn took(from: &Receiver<u64>, who: &str) -> Result<bool, String> {
    match from.try_receive() {
        Ok(_) => Ok(true),
        Err(Error::WouldBlock) => Ok(false),
        Err(error) => Err(format!("{who}: {error}")),
    }
}
