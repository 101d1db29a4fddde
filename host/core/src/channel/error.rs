//! Why an operation on a channel did not happen.

use std::fmt;
use std::sync::Arc;

/// Who or what poisoned a channel.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PoisonKind {
    /// The holder of an end asked for it.
    Poisoned,
    /// A process that held an end trapped.
    PeerTrapped,
    /// A process that held an end returned an error.
    PeerFailed,
    /// The host killed a process that held an end.
    PeerKilled,
    /// Every process that could help waits as well.
    Deadlock,
}

/// The abnormal end of a channel, with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Poison {
    /// Who or what poisoned the channel.
    pub kind: PoisonKind,
    /// The reason, for people.
    pub reason: Arc<str>,
}

impl Poison {
    /// A poison of this kind, with this reason.
    pub fn new(kind: PoisonKind, reason: impl Into<Arc<str>>) -> Self {
        Poison {
            kind,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Poison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            PoisonKind::Poisoned => "the channel is poisoned",
            PoisonKind::PeerTrapped => "a process at this channel trapped",
            PoisonKind::PeerFailed => "a process at this channel failed",
            PoisonKind::PeerKilled => "a process at this channel was killed",
            PoisonKind::Deadlock => "deadlock",
        };
        write!(f, "{what}: {}", self.reason)
    }
}

/// Why an operation on a channel did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The other side is gone, and nothing is left to receive: the normal end.
    #[error("the channel is closed: no end is left on the other side")]
    Closed,
    /// The channel came to an abnormal end.
    #[error("{0}")]
    Poisoned(Poison),
    /// The operation would have to wait, and was asked not to.
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
    #[error("{limit} operations wait on this side of the channel already, the most that may")]
    Overloaded {
        /// The channel's [`max_waiting`](crate::Options::max_waiting).
        limit: usize,
    },
}

/// A message that could not be sent, given back with the reason.
#[derive(Clone, PartialEq, Eq)]
pub struct SendError<T> {
    /// The message.
    pub message: T,
    /// The reason.
    pub error: ChannelError,
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the message was not sent: {}", self.error)
    }
}

impl<T> std::error::Error for SendError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
