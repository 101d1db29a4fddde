//! An alternation for a loop, which keeps its memory from one wait to the next.

use std::fmt;

use super::wait::Kept;
use super::{Alternation, AlternationFuture, Chosen, Guard, Order};
use crate::channel::{Payload, block_on};

/// An [`Alternation`] that allocates nothing once it has warmed up, as long as its guards name
/// at most 8 channels and no send guard loses.
///
/// Each wait is given the guards anew, so that no ends are held in between. A guard that is `None` is
/// switched off for this wait, and keeps its number.
///
/// ```
/// use transputer_core::{Guard, Options, Order, Outcome, Prepared, channel};
///
/// let (requests, incoming) = channel(Options::bounded(8));
/// let (outgoing, replies) = channel(Options::bounded(1));
/// for n in 1..=3u64 {
///     requests.try_send(n).unwrap();
/// }
/// drop(requests);
///
/// // A buffer of one: it receives only while it is empty, and sends only while it is not.
/// let mut prepared = Prepared::new(Order::Fair);
/// let mut held = None;
/// let mut passed = Vec::new();
/// loop {
///     let guards = [
///         held.is_none().then_some(Guard::Receive(&incoming)),
///         held.map(|n| Guard::Send(&outgoing, n)),
///     ];
///     match prepared.wait_blocking(guards).outcome {
///         Outcome::Received(n) => held = Some(n),
///         Outcome::Sent => {
///             held = None;
///             passed.push(replies.try_receive().unwrap());
///         }
///         _ => break,
///     }
/// }
/// assert_eq!(passed, [1, 2, 3]);
/// ```
pub struct Prepared<T: Payload> {
    alternation: Alternation,
    kept: Kept<T>,
}

impl<T: Payload> Prepared<T> {
    /// An alternation whose fair choice is seeded at random.
    pub fn new(order: Order) -> Self {
        Alternation::new(order).into()
    }

    /// An alternation whose fair choice is repeatable.
    pub fn seeded(order: Order, seed: u64) -> Self {
        Alternation::seeded(order, seed).into()
    }

    /// Waits until one of the guards that are on can go, and lets exactly one go; otherwise like
    /// [`Alternation::wait`].
    ///
    /// # Cancel safety
    ///
    /// As [`Alternation::wait`].
    pub fn wait<'a, 'ends: 'a>(
        &'a mut self,
        guards: impl IntoIterator<Item = Option<Guard<'ends, T>>>,
    ) -> AlternationFuture<'a, T> {
        AlternationFuture::prepared(&mut self.alternation, &mut self.kept, guards.into_iter())
    }

    /// Like [`wait`](Self::wait), parking the calling thread. Not for code that runs on a
    /// scheduler's worker.
    pub fn wait_blocking<'ends>(
        &mut self,
        guards: impl IntoIterator<Item = Option<Guard<'ends, T>>>,
    ) -> Chosen<T> {
        block_on(self.wait(guards))
    }
}

impl<T: Payload> From<Alternation> for Prepared<T> {
    /// Goes on with the order and the random state of `alternation`.
    fn from(alternation: Alternation) -> Self {
        Prepared {
            alternation,
            kept: Kept::new(),
        }
    }
}

impl<T: Payload> fmt::Debug for Prepared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("alternation", &self.alternation)
            .finish_non_exhaustive()
    }
}
