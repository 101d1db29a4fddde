//! Why nothing was received.

use thiserror::Error;

use super::Poison;

/// Why [`Receiver::receive`](crate::Receiver::receive) received nothing.
///
/// ```
/// use transputer_core::{Options, Poison, PoisonKind, ReceiveError, channel};
///
/// let (sender, receiver) = channel::<u64>(Options::bounded(1));
/// sender.poison(Poison::new(PoisonKind::Poisoned, "the disk is full"));
/// match receiver.receive_blocking() {
///     Ok(number) => println!("{number}"),
///     Err(ReceiveError::Closed) => println!("that is all"),
///     Err(error) => assert_eq!(error.to_string(), "the channel is poisoned: the disk is full"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// No sender is left, and every message has been taken: the normal end.
    #[error("the channel is closed: no sender and no message is left")]
    Closed,
    /// The channel came to an abnormal end.
    #[error("{0}")]
    Poisoned(Poison),
    /// Too many receivers wait already.
    #[error("{limit} operations wait to receive already, which is the most allowed")]
    Overloaded {
        /// The channel's [`max_waiting`](crate::Options::max_waiting).
        limit: usize,
    },
}

/// Why [`Receiver::try_receive`](crate::Receiver::try_receive) received nothing.
///
/// ```
/// use transputer_core::{Options, TryReceiveError, channel};
///
/// let (sender, receiver) = channel::<u64>(Options::bounded(1));
/// assert_eq!(receiver.try_receive(), Err(TryReceiveError::Empty));
/// drop(sender);
/// assert_eq!(receiver.try_receive(), Err(TryReceiveError::Closed));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TryReceiveError {
    /// There is no message now. At a rendezvous: no sender waits.
    #[error("the channel is empty")]
    Empty,
    /// No sender is left, and every message has been taken: the normal end.
    #[error("the channel is closed: no sender and no message is left")]
    Closed,
    /// The channel came to an abnormal end.
    #[error("{0}")]
    Poisoned(Poison),
}

/// Why [`Receiver::receive_timeout`](crate::Receiver::receive_timeout) or
/// [`receive_by`](crate::Receiver::receive_by) received nothing.
///
/// ```
/// use std::time::Duration;
/// use transputer_core::{Options, ReceiveTimeoutError, channel};
///
/// let (_sender, receiver) = channel::<u64>(Options::rendezvous());
/// let received = receiver.receive_timeout(Duration::from_millis(1));
/// assert_eq!(received, Err(ReceiveTimeoutError::TimedOut));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiveTimeoutError {
    /// No message came in time.
    #[error("the deadline passed before a message came")]
    TimedOut,
    /// No sender is left, and every message has been taken: the normal end.
    #[error("the channel is closed: no sender and no message is left")]
    Closed,
    /// The channel came to an abnormal end.
    #[error("{0}")]
    Poisoned(Poison),
    /// Too many receivers wait already.
    #[error("{limit} operations wait to receive already, which is the most allowed")]
    Overloaded {
        /// The channel's [`max_waiting`](crate::Options::max_waiting).
        limit: usize,
    },
}

impl From<ReceiveError> for ReceiveTimeoutError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Closed => Self::Closed,
            ReceiveError::Poisoned(poison) => Self::Poisoned(poison),
            ReceiveError::Overloaded { limit } => Self::Overloaded { limit },
        }
    }
}

impl TryReceiveError {
    /// What a receive that may wait fails with; nothing if it would wait.
    #[inline]
    pub(crate) fn unless_empty(self) -> Option<ReceiveError> {
        match self {
            Self::Empty => None,
            Self::Closed => Some(ReceiveError::Closed),
            Self::Poisoned(poison) => Some(ReceiveError::Poisoned(poison)),
        }
    }
}
