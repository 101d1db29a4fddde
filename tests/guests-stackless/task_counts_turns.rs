//! A call begins in the turn in which another one is told, before its end is looked at.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender, join};

/// Adds up pairs. It asks for the second when the first has come, just before it looks at that.
#[transputer_guest::process]
async fn task_counts_turns(
    first: Receiver<u64>,
    second: Receiver<u64>,
    sums: Sender<u64>,
) -> Result<(), Error> {
    loop {
        let mut polled = false;
        let second = async {
            let waits = poll_fn(|_| match std::mem::replace(&mut polled, true) {
                false => Poll::Pending,
                true => Poll::Ready(()),
            });
            waits.await;
            second.receive().await
        };
        let first = async {
            let mut receive = pin!(first.receive());
            poll_fn(|context| {
                let received = receive.as_mut().poll(context);
                if received.is_ready() {
                    // The other must be polled once more, if this was at the first time.
                    context.waker().wake_by_ref();
                }
                received
            })
            .await
        };
        match join(second, first).await {
            (Ok(second), Ok(first)) => sums.send(first + second).await?,
            (Err(Error::Closed), Err(Error::Closed)) => return Ok(()),
            (Err(error), _) | (_, Err(error)) => return Err(error),
        }
    }
}
