//! Why a message was not sent. Each error gives the message back.

use std::fmt;

use thiserror::Error;

use super::{ChannelError, Poison};

/// Why [`Sender::send`](crate::Sender::send) did not send, with the message.
///
/// ```
/// use transputer_core::{Options, SendError, channel};
///
/// let (sender, receiver) = channel(Options::rendezvous());
/// drop(receiver);
/// let refused = sender.send_blocking("hello").unwrap_err();
/// assert_eq!(refused, SendError::Closed("hello"));
/// assert_eq!(refused.into_message(), "hello");
/// ```
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendError<T> {
    /// No receiver is left: the normal end.
    #[error("the message was not sent: the channel is closed, and no receiver is left")]
    Closed(T),
    /// The channel came to an abnormal end.
    #[error("the message was not sent: {1}")]
    Poisoned(T, Poison),
    /// The message can never fit.
    #[error("the message was not sent: it has {size} bytes, but the channel holds {limit} at most")]
    TooLarge {
        /// The message.
        message: T,
        /// Its size in bytes.
        size: usize,
        /// The channel's [`max_bytes`](crate::Options::max_bytes).
        limit: usize,
    },
    /// Too many senders wait already.
    #[error(
        "the message was not sent: {limit} operations wait to send already, which is the most allowed"
    )]
    Overloaded {
        /// The message.
        message: T,
        /// The channel's [`max_waiting`](crate::Options::max_waiting).
        limit: usize,
    },
}

/// Why [`Sender::try_send`](crate::Sender::try_send) did not send, with the message.
///
/// ```
/// use transputer_core::{Options, TrySendError, channel};
///
/// let (sender, _receiver) = channel(Options::bounded(1));
/// sender.try_send(1_u64)?;
/// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
/// # Ok::<(), TrySendError<u64>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TrySendError<T> {
    /// There is no room for it now. At a rendezvous: no receiver waits.
    #[error("the message was not sent: the channel is full")]
    Full(T),
    /// No receiver is left: the normal end.
    #[error("the message was not sent: the channel is closed, and no receiver is left")]
    Closed(T),
    /// The channel came to an abnormal end.
    #[error("the message was not sent: {1}")]
    Poisoned(T, Poison),
    /// The message can never fit.
    #[error("the message was not sent: it has {size} bytes, but the channel holds {limit} at most")]
    TooLarge {
        /// The message.
        message: T,
        /// Its size in bytes.
        size: usize,
        /// The channel's [`max_bytes`](crate::Options::max_bytes).
        limit: usize,
    },
}

/// Why [`Sender::send_timeout`](crate::Sender::send_timeout) or
/// [`send_by`](crate::Sender::send_by) did not send, with the message.
///
/// ```
/// use std::time::Duration;
/// use transputer_core::{Options, SendTimeoutError, channel};
///
/// let (sender, _receiver) = channel(Options::rendezvous());
/// let sent = sender.send_timeout("hello", Duration::from_millis(1));
/// assert_eq!(sent, Err(SendTimeoutError::TimedOut("hello")));
/// ```
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendTimeoutError<T> {
    /// Nobody took it in time.
    #[error("the message was not sent: the deadline passed before anybody took it")]
    TimedOut(T),
    /// No receiver is left: the normal end.
    #[error("the message was not sent: the channel is closed, and no receiver is left")]
    Closed(T),
    /// The channel came to an abnormal end.
    #[error("the message was not sent: {1}")]
    Poisoned(T, Poison),
    /// The message can never fit.
    #[error("the message was not sent: it has {size} bytes, but the channel holds {limit} at most")]
    TooLarge {
        /// The message.
        message: T,
        /// Its size in bytes.
        size: usize,
        /// The channel's [`max_bytes`](crate::Options::max_bytes).
        limit: usize,
    },
    /// Too many senders wait already.
    #[error(
        "the message was not sent: {limit} operations wait to send already, which is the most allowed"
    )]
    Overloaded {
        /// The message.
        message: T,
        /// The channel's [`max_waiting`](crate::Options::max_waiting).
        limit: usize,
    },
}

/// What the three have in common. Each variant that holds nothing but the message comes with what it is
/// in [`ChannelError`].
macro_rules! gives_message_back {
    ($name:ident: $($plain:ident is $any:ident),* $(; $overloaded:ident)?) => {
        impl<T> $name<T> {
            /// The message that was not sent.
            pub fn message(&self) -> &T {
                match self {
                    $(Self::$plain(message))|* | Self::Poisoned(message, _) => message,
                    Self::TooLarge { message, .. } => message,
                    $(Self::$overloaded { message, .. } => message,)?
                }
            }

            /// Takes the message that was not sent.
            pub fn into_message(self) -> T {
                self.into_parts().0
            }

            /// The message that was not sent, and why.
            pub fn into_parts(self) -> (T, ChannelError) {
                match self {
                    $(Self::$plain(message) => (message, ChannelError::$any),)*
                    Self::Poisoned(message, poison) => (message, ChannelError::Poisoned(poison)),
                    Self::TooLarge { message, size, limit } => {
                        (message, ChannelError::TooLarge { size, limit })
                    }
                    $(Self::$overloaded { message, limit } => {
                        (message, ChannelError::$overloaded { limit })
                    })?
                }
            }

            /// The same error with another message, made of this one.
            pub fn map<U>(self, change: impl FnOnce(T) -> U) -> $name<U> {
                match self {
                    $(Self::$plain(message) => $name::$plain(change(message)),)*
                    Self::Poisoned(message, poison) => $name::Poisoned(change(message), poison),
                    Self::TooLarge { message, size, limit } => {
                        $name::TooLarge { message: change(message), size, limit }
                    }
                    $(Self::$overloaded { message, limit } => {
                        $name::$overloaded { message: change(message), limit }
                    })?
                }
            }
        }

        impl<T> From<$name<T>> for ChannelError {
            fn from(error: $name<T>) -> Self {
                error.into_parts().1
            }
        }

        /// Leaves out the message, which need not have a text.
        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$plain(_) => f.write_str(concat!(stringify!($plain), "(..)")),)*
                    Self::Poisoned(_, poison) => {
                        let message = format_args!("..");
                        f.debug_tuple("Poisoned").field(&message).field(poison).finish()
                    }
                    Self::TooLarge { size, limit, .. } => {
                        let mut fields = f.debug_struct("TooLarge");
                        fields.field("size", size).field("limit", limit).finish_non_exhaustive()
                    }
                    $(Self::$overloaded { limit, .. } => {
                        let mut fields = f.debug_struct(stringify!($overloaded));
                        fields.field("limit", limit).finish_non_exhaustive()
                    })?
                }
            }
        }
    };
}

gives_message_back!(SendError: Closed is Closed; Overloaded);
gives_message_back!(TrySendError: Full is WouldBlock, Closed is Closed);
gives_message_back!(SendTimeoutError: TimedOut is TimedOut, Closed is Closed; Overloaded);

impl<T> From<SendError<T>> for SendTimeoutError<T> {
    fn from(error: SendError<T>) -> Self {
        match error {
            SendError::Closed(message) => Self::Closed(message),
            SendError::Poisoned(message, poison) => Self::Poisoned(message, poison),
            SendError::TooLarge {
                message,
                size,
                limit,
            } => Self::TooLarge {
                message,
                size,
                limit,
            },
            SendError::Overloaded { message, limit } => Self::Overloaded { message, limit },
        }
    }
}

impl<T> TrySendError<T> {
    /// What a send that may wait fails with; the message if it would wait.
    #[inline]
    pub(crate) fn unless_full(self) -> Result<SendError<T>, T> {
        match self {
            Self::Full(message) => Err(message),
            Self::Closed(message) => Ok(SendError::Closed(message)),
            Self::Poisoned(message, poison) => Ok(SendError::Poisoned(message, poison)),
            Self::TooLarge {
                message,
                size,
                limit,
            } => Ok(SendError::TooLarge {
                message,
                size,
                limit,
            }),
        }
    }
}
