//! Waits, in one of several ways.

use std::time::Duration;

use transputer_guest::Error;
use transputer_guest::stackless::{Alternation, Barrier, Receiver, Sender, sleep};

/// Waits the way it is told: to `send`, to `receive`, in an `alternation`, at a `barrier`, or by
/// `sleep`ing; a barrier after it has received a number. With `milliseconds` its own patience ends then, else never.
#[transputer_guest::process]
async fn stalls(
    way: String,
    milliseconds: Option<u64>,
    never: Receiver<u64>,
    nowhere: Sender<u64>,
) -> Result<(), Error> {
    let patience = milliseconds.map(Duration::from_millis);
    match (way.as_str(), patience) {
        ("send", _) => nowhere.send(1).await,
        ("receive", Some(patience)) => never.receive_timeout(patience).await.map(drop),
        ("receive", None) => never.receive().await.map(drop),
        ("alternation", _) => {
            let mut alternation = Alternation::fair();
            alternation.receive(&never);
            alternation.send(&nowhere, 1);
            alternation.wait().await.map(drop)
        }
        ("barrier", _) => {
            never.receive().await?;
            let barrier = Barrier::new()?;
            // Whoever holds an end of the other channels could still hold this.
            let _absent = barrier.enrol()?;
            barrier.sync().await
        }
        ("sleep", patience) => {
            sleep(patience.unwrap_or_default()).await;
            Ok(())
        }
        (other, _) => Err(Error::Failed(format!("no way to wait is called `{other}`"))),
    }
}
