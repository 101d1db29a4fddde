//! Has several tasks.

use std::time::Duration;

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender, channel, join, sleep, spawn_local, timeout};

/// Adds up two streams, each in a task of its own; what there is besides waits and is given up.
#[transputer_guest::process]
async fn task_adds(
    mut a: Receiver<u64>,
    mut b: Receiver<u64>,
    sums: Sender<u64>,
) -> Result<(), Error> {
    let (inner, outer) = channel::<u64>(0)?;
    spawn_local(async move {
        sleep(Duration::from_secs(3600)).await;
    });
    let task = spawn_local(async move {
        let mut sum = 0;
        while let Ok(Some(n)) = a.next().await {
            sum += n;
        }
        // To another task of the same process.
        drop(inner.send(sum).await);
    });
    let all_of_b = async {
        let mut sum = 0;
        while let Some(n) = b.next().await? {
            sum += n;
        }
        Ok::<_, Error>(sum)
    };
    let (from_a, from_b) = join(outer.receive(), all_of_b).await;
    task.await;
    sums.send(from_a?).await?;
    sums.send(from_b?).await?;
    let (_never, nothing) = channel::<u64>(0)?;
    let waited = timeout(Duration::from_millis(1), nothing.receive()).await;
    match waited {
        Err(Error::TimedOut) => sums.send(7).await,
        other => Err(Error::Failed(format!("{other:?}"))),
    }
}
