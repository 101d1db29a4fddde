//! Arriving at a barrier, as futures.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Barrier, SyncError, SyncTimeoutError};
use crate::clock::Sleep;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    Waiting,
    Done,
}

/// The future of [`Barrier::sync`].
///
/// # Cancel safety
///
/// Dropping it takes the arrival back, unless all have arrived already: they went on then,
/// and this member counts as absent from the next phase.
///
/// # Panics
///
/// If it is polled after it was ready.
#[derive(Debug)]
#[must_use = "it arrives when it is awaited"]
pub struct BarrierFuture<'a> {
    barrier: &'a Barrier,
    timed: bool,
    stage: Stage,
}

impl<'a> BarrierFuture<'a> {
    pub(super) fn new(barrier: &'a Barrier, timed: bool) -> Self {
        BarrierFuture {
            barrier,
            timed,
            stage: Stage::Start,
        }
    }

    /// Gives up. If all have arrived already, that wins.
    fn time_out(&mut self) -> Result<(), SyncTimeoutError> {
        let key = self.barrier.key;
        self.stage = Stage::Done;
        let shared = &self.barrier.shared;
        match shared.with(|state, later| state.withdraw(key, later)) {
            Some(synced) => synced.map_err(SyncTimeoutError::from),
            None => Err(SyncTimeoutError::TimedOut),
        }
    }
}

impl Future for BarrierFuture<'_> {
    type Output = Result<(), SyncError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (key, timed, waker) = (self.barrier.key, self.timed, context.waker());
        let outcome = self.barrier.shared.with(|state, later| match self.stage {
            Stage::Start => state.arrive(key, waker, timed, later),
            Stage::Waiting => state.poll(key, waker, later),
            Stage::Done => panic!("a sync was polled after it was done"),
        });
        match outcome {
            Some(outcome) => {
                self.stage = Stage::Done;
                Poll::Ready(outcome)
            }
            None => {
                self.stage = Stage::Waiting;
                Poll::Pending
            }
        }
    }
}

impl Drop for BarrierFuture<'_> {
    fn drop(&mut self) {
        if self.stage == Stage::Waiting {
            let key = self.barrier.key;
            self.barrier
                .shared
                .with(|state, later| state.withdraw(key, later));
        }
    }
}

/// The future of [`Barrier::sync_by`].
///
/// # Cancel safety
///
/// As [`BarrierFuture`].
#[derive(Debug)]
#[must_use = "it arrives when it is awaited"]
pub struct BarrierDeadline<'a> {
    pub(super) sync: BarrierFuture<'a>,
    pub(super) deadline: Sleep,
}

impl Future for BarrierDeadline<'_> {
    type Output = Result<(), SyncTimeoutError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(synced) = Pin::new(&mut self.sync).poll(context) {
            return Poll::Ready(synced.map_err(SyncTimeoutError::from));
        }
        let elapsed = Pin::new(&mut self.deadline).poll(context);
        elapsed.map(|()| self.sync.time_out())
    }
}
