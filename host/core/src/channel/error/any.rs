//! All the errors in one type.

use thiserror::Error;

use super::{Poison, ReceiveError, ReceiveTimeoutError, TryReceiveError};
use crate::alternation::GuardError;
use crate::barrier::{SyncError, SyncTimeoutError};

/// Why an operation did not happen, whatever the operation: every error of one operation converts to it,
/// without the message. For functions in which several operations may fail, and for code that treats
/// all alike.
///
/// ```
/// use transputer_core::{ChannelError, Receiver, Sender};
///
/// fn pass_one_on(from: &Receiver<u64>, to: &Sender<u64>) -> Result<(), ChannelError> {
///     to.try_send(from.receive_blocking()?)?;
///     Ok(())
/// }
/// # use transputer_core::{Options, channel};
/// # let (sender, receiver) = channel(Options::bounded(2));
/// # sender.try_send(1).unwrap();
/// # sender.try_send(2).unwrap();
/// assert_eq!(pass_one_on(&receiver, &sender), Ok(()));
/// drop(sender);
/// # let (full, _receiver) = channel(Options::rendezvous());
/// assert_eq!(pass_one_on(&receiver, &full), Err(ChannelError::WouldBlock));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The other side is gone, and nothing is left to receive: the normal end.
    #[error("the channel is closed: no end is left on the other side")]
    Closed,
    /// The channel came to an abnormal end.
    #[error("{0}")]
    Poisoned(Poison),
    /// The operation would have to wait, and was asked not to: [`TrySendError::Full`](super::TrySendError::Full) or
    /// [`TryReceiveError::Empty`].
    #[error("the operation would have to wait")]
    WouldBlock,
    /// The deadline came first.
    #[error("the deadline passed before the operation could be done")]
    TimedOut,
    /// The message can never fit.
    #[error("the message has {size} bytes, but the channel holds {limit} at most")]
    TooLarge {
        /// The size of the message in bytes.
        size: usize,
        /// The channel's [`max_bytes`](crate::Options::max_bytes).
        limit: usize,
    },
    /// Too many operations wait on this side already.
    #[error(
        "{limit} operations wait on this side of the channel already, which is the most allowed"
    )]
    Overloaded {
        /// The channel's [`max_waiting`](crate::Options::max_waiting).
        limit: usize,
    },
}

impl From<ReceiveError> for ChannelError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Closed => Self::Closed,
            ReceiveError::Poisoned(poison) => Self::Poisoned(poison),
            ReceiveError::Overloaded { limit } => Self::Overloaded { limit },
        }
    }
}

impl From<TryReceiveError> for ChannelError {
    fn from(error: TryReceiveError) -> Self {
        match error {
            TryReceiveError::Empty => Self::WouldBlock,
            TryReceiveError::Closed => Self::Closed,
            TryReceiveError::Poisoned(poison) => Self::Poisoned(poison),
        }
    }
}

impl From<ReceiveTimeoutError> for ChannelError {
    fn from(error: ReceiveTimeoutError) -> Self {
        match error {
            ReceiveTimeoutError::TimedOut => Self::TimedOut,
            ReceiveTimeoutError::Closed => Self::Closed,
            ReceiveTimeoutError::Poisoned(poison) => Self::Poisoned(poison),
            ReceiveTimeoutError::Overloaded { limit } => Self::Overloaded { limit },
        }
    }
}

impl From<GuardError> for ChannelError {
    fn from(error: GuardError) -> Self {
        match error {
            GuardError::Closed => Self::Closed,
            GuardError::Poisoned(poison) => Self::Poisoned(poison),
            GuardError::TooLarge { size, limit } => Self::TooLarge { size, limit },
            GuardError::Overloaded { limit } => Self::Overloaded { limit },
        }
    }
}

impl From<SyncError> for ChannelError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Poisoned(poison) => Self::Poisoned(poison),
            SyncError::Overloaded => Self::Overloaded { limit: 1 },
        }
    }
}

impl From<SyncTimeoutError> for ChannelError {
    fn from(error: SyncTimeoutError) -> Self {
        match error {
            SyncTimeoutError::TimedOut => Self::TimedOut,
            SyncTimeoutError::Poisoned(poison) => Self::Poisoned(poison),
            SyncTimeoutError::Overloaded => Self::Overloaded { limit: 1 },
        }
    }
}
