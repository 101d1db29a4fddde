//! Barriers.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::deferred::{defer_close, run_deferred};
use crate::bindings::transputer::csp::channel::{self as raw, End, Patience};
use crate::error::{Error, Undecodable};
use crate::message::{AttachedEnd, Message, Reader, Type, Writer};
use crate::process::{Instant, now};

/// One membership of a barrier, where a number of processes wait for each other.
///
/// Each time that all members have arrived, all go on together. A process opens the barrier,
/// [enrols](Barrier::enrol) others and sends each its membership in a message; dropping it
/// resigns. A process that fails poisons the barriers that it is a member of.
///
/// ```no_run
/// use transputer_guest::{Barrier, Error, Sender};
///
/// /// Computes its share of each generation when all have done theirs of the one before.
/// fn rows(neighbours: &[Sender<Barrier>], generations: u32) -> Result<(), Error> {
///     let generation = Barrier::new()?;
///     for neighbour in neighbours {
///         neighbour.send(&generation.enrol()?)?;
///     }
///     for _ in 0..generations {
///         // ...
///         generation.sync()?;
///     }
///     Ok(())
/// }
/// ```
pub struct Barrier {
    end: Rc<BarrierHandle>,
}

/// What is behind a barrier's membership.
pub(crate) struct BarrierHandle {
    /// The host's handle; gone when the membership has moved away.
    handle: RefCell<Option<raw::Barrier>>,
}

impl Barrier {
    /// Opens a barrier, of which this is the first membership.
    ///
    /// # Errors
    ///
    /// [`Error::Overloaded`] past the limit on ends.
    pub fn new() -> Result<Self, Error> {
        let handle = raw::open_barrier().map_err(|error| Error::from_host(error, || None))?;
        Ok(Barrier::from_host(handle))
    }

    fn from_host(handle: raw::Barrier) -> Self {
        Barrier {
            end: Rc::new(BarrierHandle {
                handle: RefCell::new(Some(handle)),
            }),
        }
    }

    /// Another membership, to be given away. The phase under way waits for it, too.
    ///
    /// # Errors
    ///
    /// [`Error::Overloaded`] past the limit on ends, [`Error::Moved`].
    pub fn enrol(&self) -> Result<Self, Error> {
        self.end.call(raw::Barrier::enrol).map(Barrier::from_host)
    }

    /// Arrives, and blocks until all members have arrived or resigned.
    ///
    /// # Errors
    ///
    /// The poison's error when the barrier is poisoned, [`Error::Deadlock`], [`Error::Moved`].
    pub fn sync(&self) -> Result<(), Error> {
        self.sync_within(Patience::Forever)
    }

    /// Goes on with all members if this is the last one to arrive; otherwise does not arrive.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`]; otherwise those of [`sync`](Barrier::sync).
    pub fn try_sync(&self) -> Result<(), Error> {
        self.sync_within(Patience::Never)
    }

    /// Like [`sync`](Barrier::sync), but takes the arrival back at `deadline`.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`]; otherwise those of [`sync`](Barrier::sync).
    pub fn sync_by(&self, deadline: Instant) -> Result<(), Error> {
        self.sync_within(Patience::Until(deadline.nanoseconds()))
    }

    /// Like [`sync_by`](Barrier::sync_by), at this much time from now.
    ///
    /// # Errors
    ///
    /// Those of [`sync_by`](Barrier::sync_by).
    pub fn sync_timeout(&self, timeout: Duration) -> Result<(), Error> {
        self.sync_by(now() + timeout)
    }

    fn sync_within(&self, patience: Patience) -> Result<(), Error> {
        run_deferred();
        self.end.call(|handle| handle.sync(patience))
    }

    /// The number of its handle.
    pub(crate) fn handle(&self) -> Result<u32, Error> {
        let handle = self.end.handle.borrow();
        handle
            .as_ref()
            .map(raw::Barrier::handle)
            .ok_or(Error::Moved)
    }

    /// Why it was poisoned, as the host tells.
    pub(crate) fn cause(&self) -> Option<raw::Cause> {
        self.end.handle.borrow().as_ref()?.cause()
    }

    /// How many members there are, this one included; 0 if it has moved.
    pub fn members(&self) -> u32 {
        let handle = self.end.handle.borrow();
        handle.as_ref().map_or(0, raw::Barrier::members)
    }

    /// Resigns at once.
    pub fn resign(self) {
        drop(self);
        run_deferred();
    }

    /// Ends the barrier at once: whoever waits, now or later, gets [`Error::Poisoned`] and this
    /// reason. A barrier that is poisoned already keeps its first reason; nothing happens if this
    /// membership has moved.
    pub fn poison(&self, reason: &str) {
        if let Some(handle) = &*self.end.handle.borrow() {
            handle.poison(reason);
        }
    }

    /// Why the barrier was poisoned, if it was.
    pub fn poison_reason(&self) -> Option<String> {
        let handle = self.end.handle.borrow();
        handle.as_ref().and_then(raw::Barrier::reason)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.end.fmt(f)
    }
}

impl fmt::Debug for BarrierHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("moved", &self.handle.borrow().is_none())
            .finish()
    }
}

/// The membership moves to whoever receives the message; using this one afterwards fails with
/// [`Error::Moved`]. [Enrol](Barrier::enrol) one more to keep one.
impl Message for Barrier {
    const TYPE: &'static Type = &Type::Barrier;

    fn write(&self, writer: &mut Writer) {
        writer.end(AttachedEnd::Barrier(Rc::clone(&self.end)));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let at = reader.offset();
        match reader.end(Self::TYPE)? {
            End::Barrier(barrier) => Ok(Barrier::from_host(barrier)),
            End::Sender(_) | End::Receiver(_) => Err(reader.mismatch(Self::TYPE, at)),
        }
    }
}

impl BarrierHandle {
    /// Gives the handle away.
    pub(super) fn take(&self) -> Result<raw::Barrier, Error> {
        self.handle.borrow_mut().take().ok_or(Error::Moved)
    }

    pub(super) fn put_back(&self, handle: raw::Barrier) {
        *self.handle.borrow_mut() = Some(handle);
    }

    fn call<R>(
        &self,
        operation: impl FnOnce(&raw::Barrier) -> Result<R, raw::Error>,
    ) -> Result<R, Error> {
        let handle = self.handle.borrow();
        let handle = handle.as_ref().ok_or(Error::Moved)?;
        operation(handle).map_err(|error| Error::from_host(error, || handle.cause()))
    }
}

impl Drop for BarrierHandle {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            defer_close(End::Barrier(handle));
        }
    }
}
