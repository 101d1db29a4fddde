//! Opens a barrier.

use std::time::Duration;

use transputer_guest::Error;
use transputer_guest::stackless::{Barrier, Sender, channel};

/// Opens a barrier and sends `count` memberships of it; then resigns or, if it `stays`, waits for
/// what never comes.
#[transputer_guest::process]
async fn opens_barrier(count: u32, stays: bool, members: Sender<Barrier>) -> Result<(), Error> {
    let barrier = Barrier::new()?;
    checks(&barrier).await?;
    for _ in 0..count {
        let member = barrier.enrol()?;
        members.send(&member).await?;
        if member.sync().await != Err(Error::Moved) {
            return Err("a membership that has moved still syncs".into());
        }
    }
    members.close();
    if stays {
        let (_sender, never) = channel::<u64>(0)?;
        never.receive().await?;
    }
    Ok(())
}

/// What one process can see of a barrier by itself.
async fn checks(barrier: &Barrier) -> Result<(), Error> {
    barrier.sync().await?;
    let other = barrier.enrol()?;
    if barrier.sync_by(transputer_guest::now()).await != Err(Error::TimedOut)
        || barrier.sync_timeout(Duration::from_millis(1)).await != Err(Error::TimedOut)
        || barrier.members() != 2
    {
        return Err("a barrier did not wait for its other member".into());
    }
    other.resign();
    barrier.sync().await?;
    let poisoned = Barrier::new()?;
    poisoned.poison("enough");
    match poisoned.sync().await {
        Err(Error::Poisoned { reason }) if reason == "enough" => Ok(()),
        other => Err(format!("a poisoned barrier gave {other:?}").into()),
    }
}
