//! Dropping what a channel has buffered, in steps.
//!
//! A channel may have buffered a million messages when it is poisoned, or when its last receiver
//! goes. To drop them takes a while, for which no other task of that worker could run, and nobody
//! could preempt the one that happens to do it. So after the first step the rest becomes a task of
//! its own, which lets others run after each.
//!
//! Invariant: as long as anything of a channel's is being disposed of, the channel counts as within
//! reach of the host (see `inspect`): ends inside those messages are on their way to be closed,
//! so nobody who waits for them is stuck.

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use super::buffer::Buffer;
use super::error::Poison;
use super::options::Payload;
use crate::scheduler;

/// Messages, or batches of them, in one step.
pub(super) const STEP: usize = 1_024;

/// What is left of a channel's buffer, whatever its messages are.
pub(crate) trait Remains: Send {
    /// Drops some; whether any are left.
    fn drop_some(&mut self) -> bool;

    /// Shows each of them.
    fn show(&mut self, see: &mut dyn FnMut(&dyn Any));
}

/// The messages of one channel.
pub(super) struct Leftover<T: Payload> {
    pub(super) buffer: Buffer<T>,
    /// Why nobody will receive them, if it was that.
    pub(super) poison: Option<Poison>,
    pub(super) _counted: Disposing,
}

impl<T: Payload> Remains for Leftover<T> {
    fn drop_some(&mut self) -> bool {
        self.buffer.drop_some(STEP, self.poison.as_ref())
    }

    fn show(&mut self, see: &mut dyn FnMut(&dyn Any)) {
        self.buffer.show(see);
    }
}

/// Counts what of a channel's is being disposed of.
#[derive(Default)]
pub(super) struct Disposals(Option<Arc<AtomicUsize>>);

/// One of them; counted until it is dropped.
pub(super) struct Disposing(Arc<AtomicUsize>);

impl Disposals {
    pub(super) fn begin(&mut self) -> Disposing {
        let count = self.0.get_or_insert_default();
        count.fetch_add(1, Ordering::AcqRel);
        Disposing(count.clone())
    }

    pub(super) fn under_way(&self) -> bool {
        let count = self.0.as_ref();
        count.is_some_and(|count| count.load(Ordering::Acquire) > 0)
    }
}

impl Drop for Disposing {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Drops remains: the first of them here, and where that is a worker's thread, the others in a task of
/// their own. No lock may be held.
pub(super) fn dispose(mut remains: Vec<Box<dyn Remains>>) {
    remains.retain_mut(|remains| remains.drop_some());
    if remains.is_empty() {
        return;
    }
    // Elsewhere nobody waits for this thread, which does it here.
    drop(scheduler::spawn_here(Disposal(remains)));
}

struct Disposal(Vec<Box<dyn Remains>>);

impl Drop for Disposal {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|it| while it.drop_some() {});
    }
}

impl Future for Disposal {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let remains = &mut self.0;
        if remains.last_mut().is_some_and(|last| !last.drop_some()) {
            remains.pop();
        }
        if remains.is_empty() {
            return Poll::Ready(());
        }
        scheduler::preempted();
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
