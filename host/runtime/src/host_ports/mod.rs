//! Host ends: the ends of channels that the embedding program holds.

mod alternation;
mod crossbeam;
mod messages;
mod receiver;
mod sender;
mod streams;

use std::io;

use transputer_core::Holder;
use transputer_core::SyncError;
use transputer_core::channel::{
    Poison, PoisonKind, ReceiveError, SendError, TryReceiveError, TrySendError,
};

use crate::message::{Barrier, End};
use transputer_network::signature::PayloadType;
use transputer_network::value::Misfit;

pub use alternation::{HostAlternation, HostChosen, HostGuard, HostOutcome, Order};
pub use crossbeam::CrossbeamReceiver;
pub use messages::Messages;
pub use receiver::{ChargedMessage, HostReceiver};
pub use sender::HostSender;
pub use streams::{ValueSink, ValueStream};

/// Why a value was not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendValueError {
    /// The value has no CBOR form.
    #[error("the value cannot be encoded: {0}")]
    Encode(String),
    /// The value is not of the port's type; nothing was sent.
    #[error("the port takes `{payload}`, and the value is something else: {misfit}")]
    Misfit {
        /// What the port takes.
        payload: String,
        /// What does not fit.
        misfit: Misfit,
    },
    /// The channel did not take it; its CBOR comes back.
    #[error(transparent)]
    Channel(#[from] SendError<Vec<u8>>),
}

/// Why a value was not sent without waiting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrySendValueError {
    /// There is no message to send: the value has no CBOR form, or is not of the port's type.
    #[error(transparent)]
    Value(SendValueError),
    /// The channel did not take it; its CBOR comes back.
    #[error(transparent)]
    Channel(#[from] TrySendError<Vec<u8>>),
}

/// Why no value was received without waiting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TryReceiveValueError {
    /// A message came that is not such a value; it is lost.
    #[error(transparent)]
    Value(ReceiveValueError),
    /// There was no message to receive.
    #[error(transparent)]
    Channel(#[from] TryReceiveError),
}

/// Why no value was received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveValueError {
    /// A message came that is not such a value; it is lost.
    #[error("undecodable message on a port of type `{payload}`: {reason}")]
    Decode {
        /// What the port carries.
        payload: String,
        /// What does not fit.
        reason: String,
    },
    /// There was no message to receive.
    #[error(transparent)]
    Channel(#[from] ReceiveError),
}

/// An end of a channel that has come in a message, or is to go in one.
#[derive(Debug)]
#[non_exhaustive]
pub enum HostEnd {
    /// A sender.
    Sender(HostSender),
    /// A receiver.
    Receiver(HostReceiver),
    /// A membership of a barrier; dropping it resigns.
    Barrier(HostBarrier),
}

/// A message's bytes, and the ends that travel with them.
pub type WithEnds = (Vec<u8>, Vec<HostEnd>);

/// A membership of a barrier in the hands of the program: one that came in a message, or one of
/// [`Running::barrier`](crate::Running::barrier). Dropping it resigns.
#[derive(Debug)]
pub struct HostBarrier(Barrier);

impl HostBarrier {
    pub(crate) fn new(barrier: Barrier) -> Self {
        Self(barrier)
    }

    /// One more membership of the same barrier, for a process or a thread.
    #[must_use = "a membership that is dropped resigns"]
    pub fn enrol(&self) -> Self {
        Self(self.0.enrol_for(Holder::Host))
    }

    /// Blocks the calling thread until every member has arrived.
    ///
    /// # Errors
    /// [`SyncError::Poisoned`] when a member ended badly.
    pub fn sync(&self) -> Result<(), SyncError> {
        self.0.sync_blocking()
    }

    /// Like [`sync`](Self::sync), in an async program. Dropping the future takes the arrival
    /// back.
    ///
    /// # Errors
    /// As `sync`.
    pub async fn sync_async(&self) -> Result<(), SyncError> {
        self.0.sync().await
    }
}

impl HostEnd {
    /// The end from a message. Only the program knows what its channel carries.
    fn from_message(end: End) -> Self {
        end.set_holder(Holder::Host);
        match end {
            End::Sender(sender) => Self::Sender(HostSender::new(sender, PayloadType::bytes())),
            End::Receiver(receiver) => {
                Self::Receiver(HostReceiver::new(receiver, PayloadType::bytes()))
            }
            End::Barrier(barrier) => Self::Barrier(HostBarrier(barrier)),
        }
    }

    fn into_message(self) -> End {
        match self {
            Self::Sender(sender) => End::Sender(sender.into_inner()),
            Self::Receiver(receiver) => End::Receiver(receiver.into_inner()),
            Self::Barrier(barrier) => End::Barrier(barrier.0),
        }
    }
}

fn poison(reason: &str) -> Poison {
    Poison::new(PoisonKind::Poisoned, reason)
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map(drop)
}
