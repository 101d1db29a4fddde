//! Panics.

use transputer_guest::stackless::Receiver;

/// Panics once it has a number.
#[transputer_guest::process]
async fn task_panics(mut numbers: Receiver<u64>) {
    let number = numbers.next().await;
    panic!("no use for {number:?}");
}
