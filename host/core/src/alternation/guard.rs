//! What an alternation waits for, and what becomes of it.

use super::GuardError;
use crate::channel::{Payload, Receiver, Sender};
use crate::clock::Sleep;

/// How to choose when several guards are ready.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Each with the same probability.
    Fair,
    /// The one that comes first in the list.
    Priority,
}

/// What an alternation can wait for.
///
/// A barrier cannot be a guard: all members of all barriers concerned would have to agree on one choice,
/// and there is no order of priority that suits everybody.
///
/// ```compile_fail,E0599
/// use transputer_core::{Barrier, Guard};
///
/// let barrier = Barrier::new("phase");
/// let guard: Guard<'_, u64> = Guard::Sync(&barrier);
/// ```
#[derive(Debug)]
pub enum Guard<'a, T: Payload> {
    /// A message can be received, or the channel has ended.
    Receive(&'a Receiver<T>),
    /// This message can be sent, or the channel has ended.
    Send(&'a Sender<T>, T),
    /// The clock has reached this time. A communication that is possible by then is preferred.
    After(Sleep),
    /// Chosen when nothing else is ready; makes the alternation non-blocking.
    Skip,
}

/// What became of the guard that won.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// This message was received.
    Received(T),
    /// The guard's message was sent.
    Sent,
    /// The time of an [`After`](Guard::After) guard came.
    Elapsed,
    /// The [`Skip`](Guard::Skip) guard.
    Skipped,
    /// The guard's channel has ended, or refuses this message or one more operation. The
    /// message of a send guard is in [`Chosen::unsent`].
    Failed(GuardError),
}

/// Which guard won, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chosen<T> {
    /// The guard that won, counted from 0.
    pub guard: usize,
    /// What became of it.
    pub outcome: Outcome<T>,
    /// The messages of send guards that were not sent, with the guards' numbers.
    pub unsent: Vec<(usize, T)>,
}
