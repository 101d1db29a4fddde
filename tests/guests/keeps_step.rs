//! A member of a barrier.

use transputer_guest::{Barrier, Error, Receiver, Sender};

/// Takes a membership, and sends the number of each of its `phases` when it begins; traps before
/// phase `trap`.
#[transputer_guest::process]
fn keeps_step(
    phases: u64,
    trap: Option<u64>,
    members: Receiver<Barrier>,
    began: Sender<u64>,
) -> Result<(), Error> {
    let barrier = members.receive()?;
    members.close();
    for phase in 0..phases {
        if Some(phase) == trap {
            std::process::abort();
        }
        barrier.sync()?;
        began.send(phase)?;
    }
    Ok(())
}
