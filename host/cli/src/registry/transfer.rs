//! How far a transfer is, for whoever waits for it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use indicatif::HumanBytes;

use crate::progress::{Progress, Step};

/// From here on a transfer tells each tenth, where no spinner shows it.
const LONG: u64 = 32 << 20;

/// The most bytes that are handed over at once.
const PART: usize = 256 << 10;

/// Bytes on their way, of which some have arrived. Cloning it is cheap; all clones count together.
#[derive(Clone)]
pub(super) struct Transfer(Arc<Inner>);

struct Inner {
    step: Step,
    doing: String,
    total: u64,
    moved: AtomicU64,
    /// How many tenths have been told.
    told: AtomicU64,
}

impl Transfer {
    /// Begins one of so many bytes; `doing` says which.
    pub(super) fn begin(progress: Progress, doing: String, total: u64) -> Self {
        let step = progress.step(format_args!("{doing} ({})", HumanBytes(total)));
        Self(Arc::new(Inner {
            step,
            doing,
            total,
            moved: AtomicU64::new(0),
            told: AtomicU64::new(0),
        }))
    }

    /// One that nobody needs to see, such as of a manifest.
    pub(super) fn small() -> Self {
        Self::begin(Progress::Quiet, String::new(), 0)
    }

    /// How many bytes have moved.
    pub(super) fn moved(&self) -> u64 {
        self.0.moved.load(Ordering::Relaxed)
    }

    /// So many more bytes have moved, or need not move.
    pub(super) fn move_on(&self, bytes: usize) {
        self.0.moved.fetch_add(bytes as u64, Ordering::Relaxed);
        self.show();
    }

    /// Shows how far it is.
    fn show(&self) {
        let Inner {
            step,
            doing,
            total,
            told,
            ..
        } = &*self.0;
        let moved = self.moved();
        step.now(format_args!(
            "{doing} ({} of {})",
            HumanBytes(moved),
            HumanBytes(*total)
        ));
        let tenths = tenths(moved, *total);
        if *total >= LONG && told.fetch_max(tenths, Ordering::Relaxed) < tenths {
            step.progressed(format_args!("{doing}: {}%", tenths * 10));
        }
    }

    /// Says what was done.
    pub(super) fn finish(&self, done: &str) {
        self.0.step.done(done);
    }

    /// A body of a request that counts what has been sent of it.
    pub(super) fn body(&self, bytes: Bytes) -> reqwest::Body {
        reqwest::Body::wrap(Counted {
            left: bytes,
            transfer: self.clone(),
        })
    }
}

fn tenths(moved: u64, total: u64) -> u64 {
    moved.min(total) / (total / 10).max(1)
}

struct Counted {
    left: Bytes,
    transfer: Transfer,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.left.len().min(PART);
        let part = self.left.split_to(length);
        self.transfer.move_on(length);
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::tenths;

    #[test]
    fn tenths_end_with_the_last_byte_and_never_exceed_it() {
        assert_eq!(
            (tenths(0, 100), tenths(99, 100), tenths(100, 100)),
            (0, 9, 10)
        );
        assert_eq!((tenths(500, 100), tenths(0, 0)), (10, 0));
    }
}
