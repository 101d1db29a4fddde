//! What can go wrong.

use std::fmt;

use crate::bindings::transputer::csp::channel::{Cause, Error as Raw};
use crate::process::{Limit, Peer};

/// Why an operation did not happen, or why a process gives up.
///
/// [`Closed`](Error::Closed) is how a stream ends normally. A process that returns it
/// (usually through `?`) ends normally too: it has nobody left to work for. Any other
/// error, when returned, fails the process and poisons the channels it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The other side is gone: the normal end of a stream.
    Closed,
    /// Somebody poisoned the channel.
    Poisoned {
        /// Why, in the words of whoever did.
        reason: String,
    },
    /// A process that held an end of the channel trapped (it panicked, say).
    PeerTrapped {
        /// Which process, and the trap.
        reason: String,
        /// The same for programs.
        peer: Option<Box<Peer>>,
    },
    /// A process that held an end of the channel returned an error.
    PeerFailed {
        /// Which process, and its error.
        reason: String,
        /// The same for programs.
        peer: Option<Box<Peer>>,
    },
    /// The host killed a process that held an end of the channel: it went over a limit, or somebody
    /// stopped it.
    PeerKilled {
        /// Which process, and which limit it went over, or why it was stopped.
        reason: String,
        /// The same for programs.
        peer: Option<Box<Peer>>,
    },
    /// Every process that could make the operation finish is waiting as well.
    Deadlock {
        /// Who waits on what.
        reason: String,
    },
    /// The deadline came first.
    TimedOut,
    /// The operation would have had to wait.
    WouldBlock,
    /// The message is over the limit on its size.
    TooLarge,
    /// The channel, or this process, has as many operations waiting, or as many
    /// channels open, as it may have.
    Overloaded,
    /// The message holds ends of channels, which this operation cannot send: only
    /// a plain [`send`](crate::Sender::send) can.
    CarriesEnds,
    /// The host and this SDK disagree about the form of a message or a batch.
    Malformed,
    /// This end has moved away in a message, or as the port of a spawned process.
    Moved,
    /// This receiver holds messages that a loop over it took in advance and did not
    /// reach: it cannot move before they are received.
    HoldsMessages,
    /// An alternation without a guard that is enabled would wait forever.
    NoGuard,
    /// The message is not of the type that was expected. It has been taken; the
    /// next one can be received.
    Undecodable(Box<Undecodable>),
    /// What the process itself found wrong. Texts and common errors turn into it
    /// through `?`.
    Failed(String),
}

/// Where a message stopped making sense.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undecodable {
    /// The port, or other name, of the receiver; empty where it has none.
    pub port: String,
    /// The path inside the message, like `.points[2].x`; empty at the top.
    pub path: String,
    /// What should have been there: a type, usually.
    pub expected: String,
    /// What was there.
    pub found: String,
    /// How many bytes into the message.
    pub offset: usize,
}

impl Undecodable {
    /// An error at `offset` bytes into the message.
    pub fn new(expected: impl fmt::Display, found: impl Into<String>, offset: usize) -> Self {
        Undecodable {
            port: String::new(),
            path: String::new(),
            expected: expected.to_string(),
            found: found.into(),
            offset,
        }
    }

    /// The same, inside the field `name` of a record.
    pub fn in_field(mut self, name: &str) -> Self {
        self.path.insert_str(0, name);
        self.path.insert(0, '.');
        self
    }

    /// The same, inside item `index` of a list.
    pub fn at_index(mut self, index: usize) -> Self {
        self.path.insert_str(0, &format!("[{index}]"));
        self
    }

    pub(crate) fn at_port(mut self, name: &str) -> Self {
        self.port = name.into();
        self
    }
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.port.is_empty() {
            write!(f, "a message at `{}`: ", self.port)?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)?;
        if !self.path.is_empty() {
            write!(f, " in `{}`", self.path)?;
        }
        write!(f, " (byte {})", self.offset)
    }
}

impl std::error::Error for Undecodable {}

impl Error {
    /// The process whose end made the operation fail, and how it ended, if that is why.
    ///
    /// ```no_run
    /// use transputer_guest::{Error, Outcome, Receiver};
    ///
    /// # fn process(results: Receiver<u64>) -> Result<(), Error> {
    /// let result = results.receive();
    /// if let Err(error) = &result
    ///     && let Some(peer) = error.peer()
    ///     && let Outcome::Killed(overrun) = &peer.outcome
    /// {
    ///     eprintln!("{} would need more {}", peer.name, overrun.limit);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn peer(&self) -> Option<&Peer> {
        match self {
            Error::PeerTrapped { peer, .. }
            | Error::PeerFailed { peer, .. }
            | Error::PeerKilled { peer, .. } => peer.as_deref(),
            _ => None,
        }
    }

    /// The limit that a process at the other side went over, if that is why the host killed it.
    pub fn limit(&self) -> Option<Limit> {
        self.peer()?.outcome.limit()
    }

    /// What the host's error means; `cause` fetches why the channel was poisoned, if it was.
    pub(crate) fn from_host(error: Raw, cause: impl FnOnce() -> Option<Cause>) -> Self {
        let cause = || match cause() {
            Some(cause) => (
                cause.reason,
                cause.peer.map(|peer| Box::new(Peer::from(peer))),
            ),
            None => ("no reason given".into(), None),
        };
        match error {
            Raw::Closed => Error::Closed,
            Raw::Poisoned => Error::Poisoned { reason: cause().0 },
            Raw::PeerTrapped => {
                let (reason, peer) = cause();
                Error::PeerTrapped { reason, peer }
            }
            Raw::PeerFailed => {
                let (reason, peer) = cause();
                Error::PeerFailed { reason, peer }
            }
            Raw::PeerKilled => {
                let (reason, peer) = cause();
                Error::PeerKilled { reason, peer }
            }
            Raw::Deadlock => Error::Deadlock { reason: cause().0 },
            Raw::TimedOut => Error::TimedOut,
            Raw::WouldBlock => Error::WouldBlock,
            Raw::TooLarge => Error::TooLarge,
            Raw::Overloaded => Error::Overloaded,
            Raw::CarriesEnds => Error::CarriesEnds,
            Raw::Malformed => Error::Malformed,
            Raw::Moved => Error::Moved,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, reason) = match self {
            Error::Closed => ("the channel is closed", None),
            Error::Poisoned { reason } => ("the channel was poisoned", Some(reason)),
            Error::PeerTrapped { reason, .. } => ("a process at the channel trapped", Some(reason)),
            Error::PeerFailed { reason, .. } => ("a process at the channel failed", Some(reason)),
            Error::PeerKilled { reason, .. } => {
                ("a process at the channel was killed", Some(reason))
            }
            Error::Deadlock { reason } => ("deadlock", Some(reason)),
            Error::TimedOut => ("the deadline passed", None),
            Error::WouldBlock => ("the operation would have to wait", None),
            Error::TooLarge => ("the message is over the limit on its size", None),
            Error::Overloaded => (
                "too many operations are waiting or too many channels open",
                None,
            ),
            Error::CarriesEnds => (
                "this operation cannot send ends of channels: use `send`",
                None,
            ),
            Error::Malformed => (
                "the host and the guest SDK disagree about a message's form",
                None,
            ),
            Error::Moved => (
                "this end has moved away in a message or to a spawned process",
                None,
            ),
            Error::HoldsMessages => (
                "this receiver cannot move: it holds messages of a loop that was left; receive them first",
                None,
            ),
            Error::NoGuard => (
                "an alternation with no guard enabled would wait forever",
                None,
            ),
            Error::Undecodable(error) => return error.fmt(f),
            Error::Failed(text) => (text.as_str(), None),
        };
        f.write_str(text)?;
        if let Some(reason) = reason {
            f.write_str(": ")?;
            f.write_str(reason)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<Undecodable> for Error {
    fn from(error: Undecodable) -> Self {
        Error::Undecodable(Box::new(error))
    }
}

impl From<String> for Error {
    fn from(text: String) -> Self {
        Error::Failed(text)
    }
}

impl From<&str> for Error {
    fn from(text: &str) -> Self {
        Error::Failed(text.into())
    }
}

macro_rules! from_errors {
    ($($error:ty)*) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Error::Failed(error.to_string())
            }
        }
    )*};
}

from_errors! {
    Box<dyn std::error::Error>
    Box<dyn std::error::Error + Send + Sync>
    crate::process::Failures
    crate::process::SpawnError
    crate::stackless::SpawnError
    std::char::ParseCharError
    std::fmt::Error
    std::io::Error
    std::num::ParseFloatError
    std::num::ParseIntError
    std::num::TryFromIntError
    std::str::ParseBoolError
    std::str::Utf8Error
    std::string::FromUtf8Error
}
