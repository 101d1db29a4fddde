//! A process that lets others run, or says so.

use transputer_guest::{Error, channel, yield_now};

/// Lets others run for ever; or asks for a message that never comes.
#[transputer_guest::process]
fn yields(polls: bool) -> Result<(), Error> {
    let (sender, receiver) = channel::<u64>(1)?;
    loop {
        if !polls {
            yield_now();
        } else if receiver.try_receive().is_ok() {
            break;
        }
    }
    drop(sender);
    Ok(())
}
