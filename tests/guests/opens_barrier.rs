//! Opens a barrier.

use transputer_guest::{Barrier, Error, Sender, channel};

/// Opens a barrier and sends `count` memberships of it; then resigns or, if it `stays`, waits for
/// what never comes.
#[transputer_guest::process]
fn opens_barrier(count: u32, stays: bool, members: Sender<Barrier>) -> Result<(), Error> {
    let barrier = Barrier::new()?;
    checks(&barrier)?;
    for _ in 0..count {
        let member = barrier.enrol()?;
        members.send(&member)?;
        if member.sync() != Err(Error::Moved) {
            return Err("a membership that has moved still syncs".into());
        }
    }
    members.close();
    if stays {
        let (_sender, never) = channel::<u64>(0)?;
        never.receive()?;
    }
    Ok(())
}

/// What one process can see of a barrier by itself.
fn checks(barrier: &Barrier) -> Result<(), Error> {
    barrier.sync()?;
    let other = barrier.enrol()?;
    if barrier.try_sync() != Err(Error::WouldBlock)
        || barrier.sync_by(transputer_guest::now()) != Err(Error::TimedOut)
        || barrier.members() != 2
    {
        return Err("a barrier did not wait for its other member".into());
    }
    other.resign();
    barrier.sync()?;
    let poisoned = Barrier::new()?;
    poisoned.poison("enough");
    match poisoned.sync() {
        Err(Error::Poisoned { reason }) if reason == "enough" => Ok(()),
        other => Err(format!("a poisoned barrier gave {other:?}").into()),
    }
}
