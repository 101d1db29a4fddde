//! Why the guard that won did not communicate.

use thiserror::Error;

use crate::channel::{Poison, ReceiveError, SendError};

/// Why the guard that won did not communicate; in [`Outcome::Failed`](super::Outcome::Failed). The
/// message of a send guard is in [`Chosen::unsent`](super::Chosen::unsent).
///
/// ```
/// use transputer_core::{Alternation, Guard, GuardError, Options, Order, Outcome, channel};
///
/// let (sender, receiver) = channel::<u64>(Options::rendezvous());
/// drop(sender);
/// let chosen = Alternation::new(Order::Fair).wait_blocking(vec![Guard::Receive(&receiver)]);
/// assert_eq!(chosen.outcome, Outcome::Failed(GuardError::Closed));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The other side of the guard's channel is gone, and nothing is left to receive.
    #[error("the channel is closed: no end is left on the other side")]
    Closed,
    /// The guard's channel came to an abnormal end.
    #[error("{0}")]
    Poisoned(Poison),
    /// The message of a send guard can never fit.
    #[error("the message has {size} bytes, but the channel holds {limit} at most")]
    TooLarge {
        /// The size of the message in bytes.
        size: usize,
        /// The channel's [`max_bytes`](crate::Options::max_bytes).
        limit: usize,
    },
    /// Too many operations wait on this side of the guard's channel already.
    #[error(
        "{limit} operations wait on this side of the channel already, which is the most allowed"
    )]
    Overloaded {
        /// The channel's [`max_waiting`](crate::Options::max_waiting).
        limit: usize,
    },
}

impl From<ReceiveError> for GuardError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Closed => Self::Closed,
            ReceiveError::Poisoned(poison) => Self::Poisoned(poison),
            ReceiveError::Overloaded { limit } => Self::Overloaded { limit },
        }
    }
}

impl GuardError {
    /// Why a send guard did not send, apart from its message.
    pub(super) fn apart<T>(error: SendError<T>) -> (T, Self) {
        match error {
            SendError::Closed(message) => (message, Self::Closed),
            SendError::Poisoned(message, poison) => (message, Self::Poisoned(poison)),
            SendError::TooLarge {
                message,
                size,
                limit,
            } => (message, Self::TooLarge { size, limit }),
            SendError::Overloaded { message, limit } => (message, Self::Overloaded { limit }),
        }
    }
}
