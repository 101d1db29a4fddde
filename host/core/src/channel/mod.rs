//! Channels: how processes communicate.
//!
//! A channel carries messages from its [`Sender`]s to its [`Receiver`]s, first in, first
//! out. At a *rendezvous* (capacity 0) a sender waits until a receiver has its message; a
//! *bounded* channel buffers as many messages as its capacity.
//!
//! ```
//! use transputer_core::{Options, ReceiveError, channel};
//!
//! let (sender, receiver) = channel(Options::rendezvous());
//! let doubler = std::thread::spawn(move || {
//!     for n in 1..=3u64 {
//!         sender.send_blocking(2 * n).unwrap();
//!     }
//! });
//! assert_eq!(receiver.receive_blocking(), Ok(2));
//! assert_eq!(receiver.receive_blocking(), Ok(4));
//! assert_eq!(receiver.receive_blocking(), Ok(6));
//! doubler.join().unwrap();
//! assert_eq!(receiver.receive_blocking(), Err(ReceiveError::Closed));
//! ```
//!
//! A channel ends in one of two ways. It is **closed** when the last end on one side is
//! dropped: receivers still take what is buffered, then get
//! [`ReceiveError::Closed`]; senders get [`SendError::Closed`] at once, and their message back. It
//! is **poisoned** by [`Sender::poison`] or [`Receiver::poison`]: both sides get the
//! reason at once, and what is buffered is dropped, unless the channel was opened to
//! [deliver it first](Options::deliver_before_poison).
//!
//! How it works, and why no wake-up is lost, is written in the crate's `README.md`.

mod batch;
mod blocking;
mod buffer;
pub(crate) mod claim;
mod deadline;
pub(crate) mod deferred;
pub(crate) mod disposal;
mod ends;
mod error;
mod inspect;
mod metrics;
mod operation;
mod options;
mod reason;
mod receiver;
mod sender;
pub(crate) mod shared;
pub(crate) mod state;
pub(crate) mod wait_queue;

pub use batch::{Ahead, Batch, OneByOne, Outgoing};
pub use blocking::block_on;
pub use deadline::{ReceiveDeadline, SendDeadline};
pub use error::{
    ChannelError, Poison, PoisonKind, ReceiveError, ReceiveTimeoutError, SendError,
    SendTimeoutError, TryReceiveError, TrySendError,
};
pub use inspect::{Inspect, Side, Snapshot, Statistics, WaitingOperation};
pub use metrics::{LiveCount, Moves, Totals};
pub use operation::{
    Begun, OwnedReceiving, OwnedSending, ReceiveFuture, Receiving, SendFuture, Sending,
};
pub use options::{KeepAlive, Options, Overflow, Payload};
pub use reason::Reason;
pub use receiver::Receiver;
#[doc(hidden)]
pub use sender::MovingEnds;
pub use sender::{Sender, SentAll};

use crate::sync::Arc;

/// Opens a channel, and returns its first two ends, held by
/// [`Holder::Host`](crate::Holder::Host).
///
/// ```
/// use transputer_core::{Options, channel};
///
/// let (sender, receiver) = channel(Options::bounded(1));
/// sender.try_send(String::from("hello")).unwrap();
/// assert_eq!(receiver.try_receive().as_deref(), Ok("hello"));
/// ```
pub fn channel<T: Payload>(options: Options) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(shared::Shared::new(options));
    let holder = crate::Holder::Host;
    let sender = Sender::new(Arc::clone(&shared), holder);
    (sender, Receiver::new(shared, holder))
}
