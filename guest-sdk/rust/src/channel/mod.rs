//! Channels and their ends, and barriers.

mod barrier;
mod buffered;
mod deferred;
mod receive_buffer;
mod receiver;
mod receiver_handle;
mod sender;
mod transfer;

pub use barrier::Barrier;
pub use buffered::Buffered;
pub use receiver::{IntoMessages, Loop, Messages, Receiver};
pub use sender::Sender;

pub(crate) use barrier::BarrierHandle;
pub(crate) use deferred::{
    drop_deferred, flush_buffers, leave_dropped_open, leave_open_for_poison, run_deferred,
};
pub(crate) use receiver_handle::{BATCH, Received, ReceiverHandle, unreported_errors};
pub(crate) use sender::{SenderHandle, written};
pub(crate) use transfer::{put_back, take_all};

use crate::bindings::transputer::csp::channel as raw;
use crate::error::Error;
use crate::message::Message;

/// How to open a channel.
///
/// ```
/// use transputer_guest::{Options, Overflow};
///
/// let latest_only = Options::bounded(1).overflow(Overflow::DropOldest);
/// assert_eq!(latest_only.capacity, 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Options {
    /// How many messages may wait in the channel. 0 means rendezvous, in which a sender
    /// waits until a receiver has taken its message.
    pub capacity: u32,
    /// What happens to one message more. A rendezvous always blocks.
    pub overflow: Overflow,
}

impl Options {
    /// A rendezvous: a sender waits until a receiver has taken its message.
    pub fn rendezvous() -> Self {
        Options::default()
    }

    /// A channel in which up to `capacity` messages may wait.
    pub fn bounded(capacity: u32) -> Self {
        Options {
            capacity,
            overflow: Overflow::Block,
        }
    }

    /// The same with another overflow policy.
    pub fn overflow(self, overflow: Overflow) -> Self {
        Options { overflow, ..self }
    }
}

/// What a full channel of capacity 1 or more does with another message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// The sender waits.
    #[default]
    Block,
    /// The message that has waited longest is dropped, and counted.
    DropOldest,
    /// The new message is dropped, and counted.
    DropNewest,
}

/// What a channel has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Messages accepted from senders.
    pub sent: u64,
    /// Messages handed to receivers.
    pub received: u64,
    /// Messages dropped by the overflow policy, by poison, or because the last receiver
    /// went away before they were read.
    pub dropped: u64,
    /// Messages that wait in the channel now.
    pub waiting: u32,
}

impl From<raw::Statistics> for Statistics {
    fn from(raw: raw::Statistics) -> Self {
        Statistics {
            sent: raw.sent,
            received: raw.received,
            dropped: raw.dropped,
            waiting: raw.waiting,
        }
    }
}

/// Opens a channel in which up to `capacity` messages may wait; 0 for a rendezvous.
///
/// Its ends are for spawned processes and for messages: a process that keeps both ends
/// of a rendezvous to itself waits for itself.
///
/// # Errors
///
/// Those of [`open`].
pub fn channel<T: Message>(capacity: u32) -> Result<(Sender<T>, Receiver<T>), Error> {
    open(Options::bounded(capacity))
}

/// Opens a channel.
///
/// # Errors
///
/// [`Error::Overloaded`] past the limit on open channels, [`Error::TooLarge`] past the
/// limit on capacity.
pub fn open<T: Message>(options: Options) -> Result<(Sender<T>, Receiver<T>), Error> {
    opened(raw::open(options.into()))
}

/// Opens a channel that reports of deadlocks, statistics and traces call by this name, behind that of this process:
/// `pool's answers`. Of a long name only the first 64 characters are kept.
///
/// ```no_run
/// use transputer_guest::{Error, Options, Receiver, Sender, open_named};
///
/// # fn process() -> Result<(), Error> {
/// let (ask, asked): (Sender<u64>, Receiver<u64>) = open_named("questions", Options::bounded(8))?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of [`open`].
pub fn open_named<T: Message>(
    name: &str,
    options: Options,
) -> Result<(Sender<T>, Receiver<T>), Error> {
    opened(raw::open_named(options.into(), name))
}

fn opened<T: Message>(
    opened: Result<(raw::Sender, raw::Receiver), raw::Error>,
) -> Result<(Sender<T>, Receiver<T>), Error> {
    let (sender, receiver) = opened.map_err(|error| Error::from_host(error, || None))?;
    Ok((
        Sender::from_host(sender, ""),
        Receiver::from_host(receiver, ""),
    ))
}

impl From<Options> for raw::Options {
    fn from(options: Options) -> Self {
        raw::Options {
            capacity: options.capacity,
            overflow: match options.overflow {
                Overflow::Block => raw::Overflow::Block,
                Overflow::DropOldest => raw::Overflow::DropOldest,
                Overflow::DropNewest => raw::Overflow::DropNewest,
            },
        }
    }
}
