//! Barriers, as futures.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::call::Call;
use super::time::timeout_at;
use super::{after_event, raw};
use crate::bindings::transputer::csp::channel as channels;
use crate::error::{Error, Undecodable};
use crate::message::{Message, Reader, Type, Writer};
use crate::process::{Instant, now};

/// One membership of a barrier, as [`crate::Barrier`] is for processes that block.
pub struct Barrier(crate::Barrier);

impl Barrier {
    /// Opens a barrier, of which this is the first membership.
    ///
    /// # Errors
    ///
    /// [`Error::Overloaded`] past the limit on ends.
    pub fn new() -> Result<Self, Error> {
        crate::Barrier::new().map(Barrier)
    }

    /// Another membership, to be given away. The phase under way waits for it, too.
    ///
    /// # Errors
    ///
    /// [`Error::Overloaded`] past the limit on ends, [`Error::Moved`].
    pub fn enrol(&self) -> Result<Self, Error> {
        self.0.enrol().map(Barrier)
    }

    /// Arrives, and waits until all members have arrived or resigned. Dropping the future takes the
    /// arrival back.
    ///
    /// # Errors
    ///
    /// The poison's error when the barrier is poisoned, [`Error::Deadlock`], [`Error::Moved`].
    pub async fn sync(&self) -> Result<(), Error> {
        after_event();
        let barrier = self.0.handle()?;
        let synced = Syncs {
            barrier,
            call: Call::new(),
        };
        synced
            .await
            .map_err(|error| Error::from_host(error, || self.0.cause()))
    }

    /// Like [`sync`](Barrier::sync), but takes the arrival back at `deadline`.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`]; otherwise those of [`sync`](Barrier::sync).
    pub async fn sync_by(&self, deadline: Instant) -> Result<(), Error> {
        timeout_at(deadline, self.sync()).await?
    }

    /// Like [`sync_by`](Barrier::sync_by), at this much time from now.
    ///
    /// # Errors
    ///
    /// Those of [`sync_by`](Barrier::sync_by).
    pub async fn sync_timeout(&self, timeout: Duration) -> Result<(), Error> {
        self.sync_by(now() + timeout).await
    }

    /// How many members there are, this one included; 0 if it has moved.
    pub fn members(&self) -> u32 {
        self.0.members()
    }

    /// Resigns no later than at this process's next operation on any channel.
    pub fn resign(self) {
        drop(self);
        after_event();
    }

    /// Ends the barrier at once; see [`crate::Barrier::poison`].
    pub fn poison(&self, reason: &str) {
        self.0.poison(reason);
    }

    /// Why the barrier was poisoned, if it was.
    pub fn poison_reason(&self) -> Option<String> {
        self.0.poison_reason()
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The membership moves to whoever receives the message, as that of [`crate::Barrier`] does.
impl Message for Barrier {
    const TYPE: &'static Type = <crate::Barrier as Message>::TYPE;

    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Message::read(reader).map(Barrier)
    }
}

/// The future of an arrival.
struct Syncs {
    barrier: u32,
    call: Call<2>,
}

impl Future for Syncs {
    type Output = Result<(), channels::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let barrier = self.barrier;
        let call = super::project(self, |this| &mut this.call);
        call.poll(context, |to| raw::sync_to(barrier, to))
            .map(|room| room.done())
    }
}
