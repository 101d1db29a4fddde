//! Send guards, times and skip.

use std::time::Duration;

use transputer_guest::stackless::{Receiver, Sender, select};
use transputer_guest::{Error, now};

/// A buffer of one number: offers what it has, and takes the newest. Sends the
/// number of offers that found nobody to `missed`.
#[transputer_guest::process]
async fn selects_send(
    numbers: Receiver<u64>,
    newest: Sender<u64>,
    missed: Sender<u64>,
) -> Result<(), Error> {
    let mut latest: Option<u64> = None;
    let mut misses = 0;
    loop {
        let offered = latest.unwrap_or_default();
        let open = select! {
            priority;
            sent = send(newest, &offered) if latest.is_some() => {
                sent?;
                latest = None;
                true
            }
            number = receive(numbers) => match number {
                Err(Error::Closed) => false,
                number => {
                    misses += u64::from(latest.replace(number?).is_some());
                    true
                }
            },
            at(now() + Duration::from_secs(3600)) => return Err("nothing for an hour".into()),
        }?;
        if !open {
            break;
        }
    }
    let skipped = select! {
        _ = receive(numbers) if false => false,
        skip => true,
    }?;
    if !skipped {
        return Err("a guard that was switched off won".into());
    }
    missed.send(misses).await
}
