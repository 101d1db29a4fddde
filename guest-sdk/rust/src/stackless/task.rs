//! Several tasks in one process.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::executor;
use crate::error::Error;

/// Adds a task to this process. It runs while the others wait, and ends with the process's function at the
/// latest.
///
/// What it comes to is that of the [`Task`], which can be awaited. Dropping that lets the task run on.
///
/// ```no_run
/// use transputer_guest::Error;
/// use transputer_guest::stackless::{Receiver, Sender, spawn_local};
///
/// # async fn process(mut a: Receiver<u64>, mut b: Receiver<u64>) -> Result<(), Error> {
/// let sum = spawn_local(async move {
///     let mut sum = 0;
///     while let Ok(Some(n)) = a.next().await {
///         sum += n;
///     }
///     sum
/// });
/// while let Some(n) = b.next().await? { /* ... */ }
/// println!("{}", sum.await);
/// # Ok(())
/// # }
/// ```
pub fn spawn_local<T: 'static>(future: impl Future<Output = T> + 'static) -> Task<T> {
    let shared = Rc::new(RefCell::new(Shared {
        output: None,
        waker: None,
    }));
    let told = shared.clone();
    executor::spawn(Box::pin(async move {
        let output = future.await;
        let mut shared = told.borrow_mut();
        shared.output = Some(output);
        if let Some(waker) = shared.waker.take() {
            waker.wake();
        }
    }));
    Task(shared)
}

/// A task that was spawned; its output, if it is awaited.
pub struct Task<T>(Rc<RefCell<Shared<T>>>);

struct Shared<T> {
    output: Option<T>,
    waker: Option<Waker>,
}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut shared = self.0.borrow_mut();
        match shared.output.take() {
            Some(output) => Poll::Ready(output),
            None => {
                shared.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}

/// A block of a `par!`.
type Block<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// Waits for all blocks of a `par!`; the first failure among them, in their order.
pub async fn all<const N: usize>(mut blocks: [Block<'_>; N]) -> Result<(), Error> {
    let mut ended: [Option<Result<(), Error>>; N] = [const { None }; N];
    poll_fn(|context| {
        for (block, ended) in blocks.iter_mut().zip(&mut ended) {
            if ended.is_none()
                && let Poll::Ready(output) = block.as_mut().poll(context)
            {
                *ended = Some(output);
            }
        }
        match ended.iter().all(Option::is_some) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    ended.into_iter().flatten().collect()
}

/// Waits for two futures at once, until both are ready.
pub async fn join<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut from_a, mut from_b) = (None, None);
    poll_fn(|context| {
        if from_a.is_none()
            && let Poll::Ready(output) = a.as_mut().poll(context)
        {
            from_a = Some(output);
        }
        if from_b.is_none()
            && let Poll::Ready(output) = b.as_mut().poll(context)
        {
            from_b = Some(output);
        }
        match (from_a.take(), from_b.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (from_a, from_b) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}
