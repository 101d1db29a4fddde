//! The receiving process, as an inlet needs it.

use bytes::Bytes;
use tokio::sync::watch;

use crate::carrier::Pending;

/// The receiving process wants no more.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct NotWanted;

/// Where an inlet hands its messages to.
pub trait Sink: Send {
    /// Begins to hand a message over.
    fn offer(&mut self, bytes: Bytes);

    /// Waits until the process has the message that was offered last. Dropping the future changes nothing.
    fn taken(&mut self) -> Pending<'_, Result<(), NotWanted>>;

    /// Waits until the process wants no more. Then it has finished what it had. Dropping the future changes nothing.
    fn unwanted(&mut self) -> Pending<'_, ()>;

    /// No message follows.
    fn close(&mut self);

    /// The other side failed.
    fn poison(&mut self, kind: &str, reason: &str);

    /// How many of the messages that were handed over are finished. They are finished in order.
    fn finished(&mut self) -> watch::Receiver<u64>;

    /// How the process ended its side, if it did so by failing.
    fn failure(&mut self) -> Option<(String, String)>;
}

/// What must be stored before a message that was finished may leave the log.
pub trait Gate: Send + Sync {
    /// Ready when everything is stored that the host's outlets had taken when this was called.
    fn passed(&self) -> Pending<'static, ()>;
}

/// A gate for hosts without outlets.
#[derive(Copy, Clone, Debug, Default)]
pub struct NoGate;

impl Gate for NoGate {
    fn passed(&self) -> Pending<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}
