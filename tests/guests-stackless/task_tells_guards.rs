//! Chooses among a receive, a time and a skip.

use std::time::Duration;

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender, select, sleep};

/// Says by numbers which guards have won: a time, then a skip, then a message of a loop.
#[transputer_guest::process]
async fn task_tells_guards(mut numbers: Receiver<u64>, guards: Sender<u64>) -> Result<(), Error> {
    let first = select! {
        _ = receive(numbers) => 1,
        after(Duration::from_millis(1)) => 2,
    }?;
    guards.send(first).await?;
    let second = select! {
        priority;
        _ = receive(numbers) => 1,
        skip => 3,
    }?;
    guards.send(second).await?;
    // What a loop takes in advance is what an alternation finds first.
    let number = numbers.next().await?;
    sleep(Duration::from_millis(1)).await;
    let third = select! {
        next = receive(numbers) => next?,
        after(Duration::from_secs(60)) => 0,
    }?;
    guards.send(number.unwrap_or_default() + third).await
}
