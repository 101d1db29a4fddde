//! Time, as futures.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use super::call::Call;
use super::{after_event, raw};
use crate::error::Error;
use crate::process::{Instant, now};

/// Waits for this long.
pub async fn sleep(duration: Duration) {
    sleep_until(now() + duration).await;
}

/// Waits until this time; not at all if it has passed.
pub async fn sleep_until(time: Instant) {
    after_event();
    Nothing::new(|| raw::sleep(time.nanoseconds())).await;
}

/// Lets other processes run before this one goes on.
pub async fn yield_now() {
    after_event();
    Nothing::new(raw::let_others_run).await;
}

/// Waits for `future`, for at most this long.
///
/// # Errors
///
/// [`Error::TimedOut`]; the future is dropped then, which loses nothing.
pub async fn timeout<F: Future>(duration: Duration, future: F) -> Result<F::Output, Error> {
    timeout_at(now() + duration, future).await
}

/// Waits for `future`, until this time at most.
///
/// # Errors
///
/// As [`timeout`].
pub async fn timeout_at<F: Future>(deadline: Instant, future: F) -> Result<F::Output, Error> {
    let mut future = pin!(future);
    let mut sleep = pin!(sleep_until(deadline));
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        sleep.as_mut().poll(context).map(|()| Err(Error::TimedOut))
    })
    .await
}

/// The future of a call without a result.
pub(super) struct Nothing<F>(Call<0>, F);

impl<F> Nothing<F> {
    pub(super) fn new(begin: F) -> Self {
        Nothing(Call::new(), begin)
    }
}

impl<F: FnMut() -> u32> Future for Nothing<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (call, begin) = super::project_two(self, |this| (&mut this.0, &mut this.1));
        call.poll(context, |_| begin()).map(|_| ())
    }
}
