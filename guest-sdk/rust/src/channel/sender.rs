//! The sending end.

use std::cell::{Cell, Ref, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use super::deferred::{defer_close, run_deferred};
use super::{Buffered, Statistics, put_back, take_all};
use crate::bindings::transputer::csp::channel::{self as raw, Patience};
use crate::error::Error;
use crate::message::{AsMessage, Message, Writer};
use crate::process::{Instant, now};

/// The end through which messages enter a channel.
///
/// Dropping it closes it, no later than at this process's next operation on any channel, or at its
/// end. ([`close`](Sender::close) closes it at once. A process that fails poisons the ends that it
/// drops on the way out.) The channel is closed for its receivers
/// once they have taken what waits in it and no sender is left. Cloning makes another
/// sender of the same channel.
///
/// Sent inside a message, or given to a [spawned](crate::spawn) process, it moves there;
/// every later operation on it fails with [`Error::Moved`].
pub struct Sender<T> {
    end: Rc<SenderHandle>,
    message: PhantomData<fn(&T)>,
}

/// What is behind a sender, whatever its type of message.
pub(crate) struct SenderHandle {
    /// The host's handle; gone when the end has moved away.
    pub(super) handle: RefCell<Option<raw::Sender>>,
    /// The handle's number, once it was asked for.
    pub(super) number: Cell<Option<u32>>,
    name: &'static str,
}

thread_local! {
    /// A buffer that the next message can be written into.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Buffers beyond this are not kept for the next message.
const SCRATCH_LIMIT: usize = 64 * 1024;

impl<T: Message> Sender<T> {
    pub(crate) fn from_host(handle: raw::Sender, name: &'static str) -> Self {
        Sender {
            end: Rc::new(SenderHandle {
                handle: RefCell::new(Some(handle)),
                number: Cell::new(None),
                name,
            }),
            message: PhantomData,
        }
    }

    pub(crate) fn from_end(end: Rc<SenderHandle>) -> Self {
        Sender {
            end,
            message: PhantomData,
        }
    }

    /// Sends one message, given as it is or by reference; blocks until it is buffered or, at a
    /// rendezvous, until a receiver has it. After an error nothing was sent: a message given by
    /// reference is still the caller's, and so are the ends in it.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] when no receiver is left, the poison's error when the channel
    /// is poisoned, [`Error::TooLarge`], [`Error::Overloaded`], [`Error::Deadlock`], and
    /// [`Error::Moved`] for this end or one in the message.
    pub fn send(&self, message: impl AsMessage<T>) -> Result<(), Error> {
        self.end
            .send_message(message.as_message(), Patience::Forever)
    }

    /// Sends one message if that needs no waiting.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`] if it needs waiting; otherwise those of [`send`](Sender::send).
    pub fn try_send(&self, message: impl AsMessage<T>) -> Result<(), Error> {
        self.end.send_message(message.as_message(), Patience::Never)
    }

    /// Like [`send`](Sender::send), but gives up at `deadline`.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] at the deadline; otherwise those of [`send`](Sender::send).
    pub fn send_by(&self, message: impl AsMessage<T>, deadline: Instant) -> Result<(), Error> {
        let patience = Patience::Until(deadline.nanoseconds());
        self.end.send_message(message.as_message(), patience)
    }

    /// Like [`send`](Sender::send), but gives up after `timeout`.
    ///
    /// # Errors
    ///
    /// Those of [`send_by`](Sender::send_by).
    pub fn send_timeout(&self, message: impl AsMessage<T>, timeout: Duration) -> Result<(), Error> {
        self.send_by(message, now() + timeout)
    }

    /// Sends in batches: many messages in one call to the host. See [`Buffered`].
    pub fn buffered(self) -> Buffered<T> {
        Buffered::new(self)
    }
}

impl<T> Sender<T> {
    pub(crate) fn end(&self) -> &Rc<SenderHandle> {
        &self.end
    }

    /// Closes this end at once.
    pub fn close(self) {
        run_deferred();
        self.close_at_once();
    }

    pub(crate) fn close_at_once(self) {
        if let Some(handle) = self.end.handle.take() {
            // Explicitly, so that a host that keeps the ends of a process for its next
            // incarnation does not keep this one.
            raw::Sender::close(handle);
        }
    }

    /// Ends the channel at once for both sides: what waits in it is dropped, and everybody
    /// who waits is woken with [`Error::Poisoned`] and this reason. A channel that is
    /// poisoned already keeps its first reason; nothing happens if this end has moved.
    pub fn poison(&self, reason: &str) {
        if let Some(handle) = &*self.end.handle.borrow() {
            handle.poison(reason);
        }
    }

    /// Why the channel was poisoned, if it was.
    pub fn poison_reason(&self) -> Option<String> {
        self.end.reason()
    }

    /// What the channel has seen so far; all zeros if this end has moved.
    pub fn statistics(&self) -> Statistics {
        match &*self.end.handle.borrow() {
            Some(handle) => handle.statistics().into(),
            None => Statistics::default(),
        }
    }
}

/// Another sender of the same channel. The clone of an end that has moved has moved as well.
impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        let handle = self.end.handle.borrow().as_ref().map(raw::Sender::clone);
        Sender {
            end: Rc::new(SenderHandle {
                handle: RefCell::new(handle),
                number: Cell::new(None),
                name: self.end.name,
            }),
            message: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.end.name).finish()
    }
}

impl fmt::Debug for SenderHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SenderHandle").field(&self.name).finish()
    }
}

impl Drop for SenderHandle {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            defer_close(raw::End::Sender(handle));
        }
    }
}

impl SenderHandle {
    /// Sends a message.
    pub(crate) fn send_message<T: Message>(
        &self,
        message: &T,
        patience: Patience,
    ) -> Result<(), Error> {
        if let (Patience::Forever, Some(small)) = (patience, message.to_small()) {
            run_deferred();
            return self.send_small(small);
        }
        match message.as_whole() {
            Some(bytes) => {
                run_deferred();
                self.send_bytes(bytes, patience)
            }
            None => self.send(written(message), patience),
        }
    }

    /// Sends a message without ends.
    pub(super) fn send_bytes(&self, bytes: &[u8], patience: Patience) -> Result<(), Error> {
        if let (Patience::Forever, Some(small)) = (patience, raw::Small::new(bytes)) {
            return self.send_small(small);
        }
        self.call(|handle| match patience {
            Patience::Forever => handle.send(bytes),
            Patience::Until(deadline) => handle.send_by(bytes, deadline),
            Patience::Never => handle.try_send(bytes),
        })
    }

    fn send_small(&self, message: raw::Small) -> Result<(), Error> {
        raw::send_small(self.number()?, message)
            .map_err(|error| Error::from_host(error, || self.cause()))
    }

    /// Sends a message without ends if that needs no waiting.
    pub(crate) fn try_send_bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        self.call(|handle| handle.try_send(bytes))
    }

    /// The handle's number.
    pub(crate) fn number(&self) -> Result<u32, Error> {
        if let Some(number) = self.number.get() {
            return Ok(number);
        }
        let number = self.call(|handle| Ok(handle.number()))?;
        self.number.set(Some(number));
        Ok(number)
    }

    /// Sends a message, with the ends that it takes along.
    pub(crate) fn send(&self, message: Writer, patience: Patience) -> Result<(), Error> {
        run_deferred();
        let (bytes, ends) = message.finish();
        let sent = if ends.is_empty() {
            self.send_bytes(&bytes, patience)
        } else if ends.iter().any(|end| end.is_sender(self)) {
            Err(Error::Moved)
        } else {
            let attached = take_all(&ends)?;
            self.call(|handle| {
                let sent = handle.send_ends(&bytes, attached, patience);
                sent.map_err(|refused| {
                    put_back(&ends, refused.ends);
                    refused.error
                })
            })
        };
        keep_scratch(bytes);
        sent
    }

    /// The handle, for an alternation.
    pub(crate) fn borrow(&self) -> Result<Ref<'_, raw::Sender>, Error> {
        Ref::filter_map(self.handle.borrow(), Option::as_ref).map_err(|_| Error::Moved)
    }

    fn call<R>(
        &self,
        operation: impl FnOnce(&raw::Sender) -> Result<R, raw::Error>,
    ) -> Result<R, Error> {
        let handle = self.handle.borrow();
        let handle = handle.as_ref().ok_or(Error::Moved)?;
        operation(handle).map_err(|error| Error::from_host(error, || handle.cause()))
    }

    /// The error that a poisoned channel gives.
    pub(crate) fn poisoned(&self) -> Option<Error> {
        self.reason()?;
        // At a poisoned channel this sends nothing, and tells the kind.
        self.call(|handle| handle.try_send(&[])).err()
    }

    pub(crate) fn reason(&self) -> Option<String> {
        self.handle.borrow().as_ref().and_then(raw::Sender::reason)
    }

    pub(crate) fn cause(&self) -> Option<raw::Cause> {
        self.handle.borrow().as_ref().and_then(raw::Sender::cause)
    }
}

/// A message in the form in which it is sent.
pub(crate) fn written<T: Message>(message: &T) -> Writer {
    let mut bytes = SCRATCH.take();
    bytes.clear();
    let mut writer = Writer::new(bytes);
    message.write_whole(&mut writer);
    writer
}

fn keep_scratch(bytes: Vec<u8>) {
    if bytes.capacity() <= SCRATCH_LIMIT {
        SCRATCH.set(bytes);
    }
}
