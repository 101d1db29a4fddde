//! Futures polled by hand: tests that wait for nothing and depend on no thread.
#![allow(dead_code, reason = "each suite uses a part of it")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use transputer_core::{Options, Poison, PoisonKind, Receiver, Sender};

/// Counts how often it is woken.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A future, and the wake-ups that it got.
pub(crate) struct Polled<F> {
    future: Pin<Box<F>>,
    wakes: Arc<Wakes>,
}

impl<F: Future> Polled<F> {
    pub(crate) fn new(future: F) -> Self {
        Polled {
            future: Box::pin(future),
            wakes: Arc::default(),
        }
    }

    pub(crate) fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    pub(crate) fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::SeqCst)
    }

    /// The output of a future that must be ready now.
    #[track_caller]
    pub(crate) fn ready(&mut self) -> F::Output {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("the operation waits"),
        }
    }

    /// The output of a future that was woken exactly once since it began to wait.
    #[track_caller]
    pub(crate) fn woken(&mut self) -> F::Output {
        assert_eq!(self.wakes(), 1, "wake-ups");
        self.ready()
    }

    #[track_caller]
    pub(crate) fn waits(&mut self) {
        assert!(self.poll().is_pending(), "the operation does not wait");
        assert_eq!(self.wakes(), 0, "wake-ups");
    }
}

/// A future that waits.
#[track_caller]
pub(crate) fn parked<F: Future>(future: F) -> Polled<F> {
    let mut polled = Polled::new(future);
    polled.waits();
    polled
}

/// The output of a future that need not wait.
#[track_caller]
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    Polled::new(future).ready()
}

pub(crate) fn rendezvous() -> (Sender<u64>, Receiver<u64>) {
    transputer_core::channel(Options::rendezvous())
}

pub(crate) fn bounded(capacity: usize) -> (Sender<u64>, Receiver<u64>) {
    transputer_core::channel(Options::bounded(capacity))
}

pub(crate) fn poison(reason: &str) -> Poison {
    Poison::new(PoisonKind::Poisoned, reason)
}
