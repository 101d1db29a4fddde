//! A member of a barrier.

use transputer_guest::Error;
use transputer_guest::stackless::{Barrier, Receiver, Sender};

/// Takes a membership, and sends the number of each of its `phases` when it begins; traps before
/// phase `trap`.
#[transputer_guest::process]
async fn keeps_step(
    phases: u64,
    trap: Option<u64>,
    members: Receiver<Barrier>,
    began: Sender<u64>,
) -> Result<(), Error> {
    let barrier = members.receive().await?;
    members.close();
    for phase in 0..phases {
        if Some(phase) == trap {
            std::process::abort();
        }
        barrier.sync().await?;
        began.send(phase).await?;
    }
    Ok(())
}
