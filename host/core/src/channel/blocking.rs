//! Operations for host ends that park the calling thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    /// One waker for each thread, so that blocking operations allocate none.
    static WAKER: Waker = Waker::from(Arc::new(Unpark(thread::current())));
}

/// The waker that unparks this thread; a new one while the thread ends.
fn waker() -> Waker {
    WAKER
        .try_with(Waker::clone)
        .unwrap_or_else(|_| Waker::from(Arc::new(Unpark(thread::current()))))
}

/// Runs `future` on this thread, which is parked while the future waits. Not for a thread that is
/// a scheduler's worker.
pub fn block_on<F: Future + Unpin>(mut future: F) -> F::Output {
    let waker = waker();
    let mut context = Context::from_waker(&waker);
    loop {
        // A wake-up between the poll and the park makes the park return at once.
        match Pin::new(&mut future).poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Like [`block_on`], but gives up at `deadline`; waits for ever if there is none.
pub(crate) fn block_on_until<F: Future + Unpin>(
    future: &mut F,
    deadline: Option<Instant>,
) -> Option<F::Output> {
    let Some(deadline) = deadline else {
        return Some(block_on(future));
    };
    let waker = waker();
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = Pin::new(&mut *future).poll(&mut context) {
            return Some(output);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}
