//! How processes end.

use std::fmt;

use crate::bindings::transputer::csp::channel as raw;
use crate::error::Error;

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the process may have failed"]
#[non_exhaustive]
pub enum Outcome {
    /// It returned.
    Finished,
    /// It returned an error, with this text.
    Failed(String),
    /// It trapped: a panic, a memory fault, an exhausted stack, ...
    Trapped(String),
    /// The host ended it, for going over a limit.
    Killed(Overrun),
    /// Its parent, or whoever runs the network, stopped it for this reason.
    Stopped(String),
}

/// A limit that a process went over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overrun {
    /// Which limit.
    pub limit: Limit,
    /// Whom it holds for.
    pub owner: LimitOwner,
    /// What it allows, in the unit of the limit.
    pub allowed: u64,
    /// What the process asked for, or had come to; of a limit that holds for many, what all of
    /// them had come to with it.
    pub asked: u64,
    /// The same for people.
    pub text: String,
}

/// What a process may use only so much of. The keys of a network file have the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of linear memories and tables, and of messages that wait in channels.
    Memory,
    /// Nanoseconds of computing.
    Cpu,
    /// Nanoseconds from start to end, waiting included.
    Wall,
    /// Nanoseconds that one operation on channels waits.
    Operation,
    /// Lines that it logs in a second.
    Log,
    /// Channels and barriers that were opened and still have an end.
    Channels,
}

/// Whom a limit holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LimitOwner {
    /// One process.
    Process,
    /// All processes of a network together.
    Network,
    /// All processes of the host together.
    Host,
}

/// A process that poisoned what it held by the way in which it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// Its name, unique in the network.
    pub name: String,
    /// Its number, unique in the network.
    pub id: u64,
    /// How it ended; never [`Finished`](Outcome::Finished).
    pub outcome: Outcome,
}

impl Outcome {
    /// The limit that the process went over, if that is why the host killed it.
    pub fn limit(&self) -> Option<Limit> {
        match self {
            Outcome::Killed(overrun) => Some(overrun.limit),
            _ => None,
        }
    }

    /// Turns every outcome but [`Finished`](Outcome::Finished) into an error.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] with the outcome's text.
    pub fn ok(self) -> Result<(), Error> {
        match self {
            Outcome::Finished => Ok(()),
            other => Err(Error::Failed(other.to_string())),
        }
    }
}

impl Limit {
    /// Its key in a network file.
    pub fn key(self) -> &'static str {
        match self {
            Limit::Memory => "memory",
            Limit::Cpu => "cpu",
            Limit::Wall => "wall",
            Limit::Operation => "operation",
            Limit::Log => "log",
            Limit::Channels => "channels",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (how, text) = match self {
            Outcome::Finished => return f.write_str("finished"),
            Outcome::Failed(text) => ("failed: ", text),
            Outcome::Trapped(text) => ("trapped: ", text),
            Outcome::Killed(overrun) => ("killed: ", &overrun.text),
            Outcome::Stopped(text) => ("stopped: ", text),
        };
        f.write_str(how)?;
        f.write_str(text)
    }
}

impl From<raw::Outcome> for Outcome {
    fn from(outcome: raw::Outcome) -> Self {
        match outcome {
            raw::Outcome::Finished => Outcome::Finished,
            raw::Outcome::Failed(text) => Outcome::Failed(text),
            raw::Outcome::Trapped(text) => Outcome::Trapped(text),
            raw::Outcome::Killed(overrun) => Outcome::Killed(overrun.into()),
            raw::Outcome::Stopped(text) => Outcome::Stopped(text),
        }
    }
}

impl From<raw::Overrun> for Overrun {
    fn from(overrun: raw::Overrun) -> Self {
        Overrun {
            limit: match overrun.limit {
                raw::Limit::Memory => Limit::Memory,
                raw::Limit::Cpu => Limit::Cpu,
                raw::Limit::Wall => Limit::Wall,
                raw::Limit::Operation => Limit::Operation,
                raw::Limit::Log => Limit::Log,
                raw::Limit::Channels => Limit::Channels,
            },
            owner: match overrun.owner {
                raw::LimitOwner::Process => LimitOwner::Process,
                raw::LimitOwner::Network => LimitOwner::Network,
                raw::LimitOwner::Host => LimitOwner::Host,
            },
            allowed: overrun.allowed,
            asked: overrun.asked,
            text: overrun.text,
        }
    }
}

impl From<raw::Peer> for Peer {
    fn from(peer: raw::Peer) -> Self {
        Peer {
            name: peer.name,
            id: peer.id,
            outcome: peer.outcome.into(),
        }
    }
}
