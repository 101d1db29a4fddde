//! Drops futures that wait.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender, channel, yield_now};

/// What comes of a future in one poll; then it is dropped.
fn once<F: Future>(future: F) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Receives numbers, and gives up each receive that has to wait; so many before the first. Sends the sum, how many
/// numbers were not one more than the one before, and how many receives were given up.
#[transputer_guest::process]
async fn task_cancels(
    cancelled: u64,
    mut numbers: Receiver<u64>,
    sums: Sender<u64>,
) -> Result<(), Error> {
    let (mut given_up, mut sum, mut next, mut out_of_order) = (0, 0, 0, 0);
    // However fast the sender is, so many are given up.
    let (_silent, nothing) = channel::<u64>(0)?;
    while given_up < cancelled {
        given_up += u64::from(once(nothing.receive()).is_none());
    }
    loop {
        let received = once(numbers.next());
        match received {
            Some(number) => {
                let Some(number) = number? else { break };
                sum += number;
                out_of_order += u64::from(number != next);
                next = number + 1;
            }
            None => {
                given_up += 1;
                // Some are given up in the same turn, and some in the next.
                if given_up % 3 == 0 {
                    yield_now().await;
                }
            }
        }
    }
    sums.send(sum).await?;
    sums.send(out_of_order).await?;
    sums.send(given_up).await
}
