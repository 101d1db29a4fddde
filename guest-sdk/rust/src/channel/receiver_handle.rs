//! What is behind a receiver, whatever its type of message.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::fmt;
use std::rc::{Rc, Weak};

use super::deferred::{defer_close, run_deferred};
use super::receive_buffer::ReceiveBuffer;
use crate::bindings::transputer::csp::channel::{self as raw, Patience};
use crate::error::Error;

/// How many messages a loop over a receiver takes from the host at once, at most.
pub(crate) const BATCH: u32 = 1024;

/// A message as it came from the host.
pub(crate) enum Received {
    /// Without ends.
    Small(raw::Small),
    Large {
        bytes: Vec<u8>,
        ends: Vec<raw::End>,
    },
}

impl From<raw::Small> for Received {
    fn from(small: raw::Small) -> Self {
        Received::Small(small)
    }
}

impl From<Vec<u8>> for Received {
    fn from(bytes: Vec<u8>) -> Self {
        Received::Large {
            bytes,
            ends: Vec::new(),
        }
    }
}

impl From<raw::Message> for Received {
    fn from(message: raw::Message) -> Self {
        Received::Large {
            bytes: message.bytes,
            ends: message.ends,
        }
    }
}

pub(crate) struct ReceiverHandle {
    /// The host's handle; gone when the end has moved away.
    pub(super) handle: RefCell<Option<raw::Receiver>>,
    /// The handle's number, once it was asked for.
    pub(super) number: Cell<Option<u32>>,
    name: &'static str,
    buffer: RefCell<ReceiveBuffer>,
    /// Messages with ends that were taken and put back; none, nearly always.
    with_ends: RefCell<Vec<Received>>,
    /// Why the last loop ended, if not because the channel was closed.
    pub(super) ended: RefCell<Option<Error>>,
}

/// A batch of one message.
fn packed(message: &[u8]) -> Vec<u8> {
    let length = message.len() as u32;
    [&length.to_le_bytes(), message].concat()
}

impl ReceiverHandle {
    pub(super) fn new(handle: Option<raw::Receiver>, name: &'static str) -> Self {
        ReceiverHandle {
            handle: RefCell::new(handle),
            number: Cell::new(None),
            name,
            buffer: RefCell::default(),
            with_ends: RefCell::default(),
            ended: RefCell::new(None),
        }
    }

    /// Its port's name; empty if it is none.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it holds messages that a loop took in advance.
    pub(crate) fn has_buffered(&self) -> bool {
        !self.buffer.borrow().is_empty() || !self.with_ends.borrow().is_empty()
    }

    /// The messages that a loop took in advance.
    pub(super) fn buffer(&self) -> RefMut<'_, ReceiveBuffer> {
        self.buffer.borrow_mut()
    }

    /// Receives one message.
    pub(super) fn receive(&self, patience: Patience) -> Result<Received, Error> {
        if let Patience::Forever = patience {
            return self.receive_some(1)?.ok_or(Error::Malformed);
        }
        run_deferred();
        self.call(|handle| {
            let received = match patience {
                Patience::Until(deadline) => handle.receive_by(deadline),
                Patience::Never => handle.try_receive(),
                Patience::Forever => handle.receive(),
            };
            match received {
                Err(raw::Error::CarriesEnds) => handle.receive_ends(patience).map(Received::from),
                other => other.map(Received::from),
            }
        })
    }

    /// Receives one message of a type that has ends in it.
    pub(super) fn receive_ends(&self, patience: Patience) -> Result<Received, Error> {
        run_deferred();
        self.call(|handle| handle.receive_ends(patience).map(Received::from))
    }

    /// Takes a message if there is one, without a call that can block.
    pub(super) fn try_receive_at_once(&self) -> Result<Received, Error> {
        self.call(|handle| handle.try_receive().map(Received::from))
    }

    /// Waits for a message, and takes up to `most` if there are more: these go to the
    /// [`buffer`](Self::buffer), and nothing is returned.
    pub(super) fn receive_some(&self, most: u32) -> Result<Option<Received>, Error> {
        run_deferred();
        let received = raw::receive_some(self.number()?, most);
        match received {
            Ok(raw::Received::Small(small)) => Ok(Some(small.into())),
            Ok(raw::Received::Large(bytes)) => Ok(Some(bytes.into())),
            Ok(raw::Received::Batch(packed)) => {
                self.fill(packed);
                Ok(None)
            }
            Err(raw::Error::CarriesEnds) => self.receive_ends(Patience::Forever).map(Some),
            Err(error) => Err(Error::from_host(error, || self.cause())),
        }
    }

    /// The same, within `patience`.
    pub(super) fn receive_batch(&self, patience: Patience) -> Result<Option<Received>, Error> {
        if let Patience::Forever = patience {
            return self.receive_some(BATCH);
        }
        run_deferred();
        self.call(|handle| match handle.receive_batch(BATCH, patience) {
            Ok(packed) => {
                self.fill(packed);
                Ok(None)
            }
            Err(raw::Error::CarriesEnds) => {
                let message = handle.receive_ends(patience)?;
                Ok(Some(message.into()))
            }
            Err(error) => Err(error),
        })
    }

    pub(crate) fn fill(&self, packed: Vec<u8>) {
        *self.buffer() = ReceiveBuffer::new(packed);
    }

    /// Makes a message that was taken the next that it gives.
    pub(crate) fn put_back_message(&self, message: Received) {
        match message {
            Received::Small(small) => {
                let room = small.room();
                let bytes = room.get(..small.length as usize).unwrap_or_default();
                self.buffer().put_back(&packed(bytes));
            }
            Received::Large { bytes, ends } if ends.is_empty() => {
                self.buffer().put_back(&packed(&bytes));
            }
            with_ends => self.with_ends.borrow_mut().push(with_ends),
        }
    }

    /// The same for a batch.
    pub(crate) fn put_back_packed(&self, packed: Vec<u8>) {
        self.buffer().put_back(&packed);
    }

    /// A message with ends that was put back.
    pub(crate) fn take_with_ends(&self) -> Option<Received> {
        self.with_ends.borrow_mut().pop()
    }

    pub(crate) fn number(&self) -> Result<u32, Error> {
        if let Some(number) = self.number.get() {
            return Ok(number);
        }
        let number = self.call(|handle| Ok(handle.number()))?;
        self.number.set(Some(number));
        Ok(number)
    }

    /// The handle, for an alternation.
    pub(crate) fn borrow(&self) -> Result<Ref<'_, raw::Receiver>, Error> {
        Ref::filter_map(self.handle.borrow(), Option::as_ref).map_err(|_| Error::Moved)
    }

    fn call<R>(
        &self,
        operation: impl FnOnce(&raw::Receiver) -> Result<R, raw::Error>,
    ) -> Result<R, Error> {
        let handle = self.handle.borrow();
        let handle = handle.as_ref().ok_or(Error::Moved)?;
        operation(handle).map_err(|error| Error::from_host(error, || handle.cause()))
    }

    pub(crate) fn reason(&self) -> Option<String> {
        self.handle
            .borrow()
            .as_ref()
            .and_then(raw::Receiver::reason)
    }

    pub(crate) fn cause(&self) -> Option<raw::Cause> {
        self.handle.borrow().as_ref().and_then(raw::Receiver::cause)
    }
}

impl Drop for ReceiverHandle {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            defer_close(raw::End::Receiver(handle));
        }
    }
}

impl fmt::Debug for ReceiverHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReceiverHandle").field(&self.name).finish()
    }
}

thread_local! {
    /// What went wrong where the program could not be told at once, until it asks.
    static UNREPORTED: RefCell<Vec<Unreported>> = const { RefCell::new(Vec::new()) };
}

struct Unreported {
    /// The receiver whose loop it ended.
    end: Weak<ReceiverHandle>,
    text: String,
}

/// Remembers why a loop over `end` ended, until the program asks or the process ends.
pub(super) fn keep_loop_error(end: &Rc<ReceiverHandle>, error: Error) {
    let text = match (&error, end.name()) {
        // It names the port by itself.
        (Error::Undecodable(_), _) | (_, "") => error.to_string(),
        (_, name) => format!("`{name}`: {error}"),
    };
    *end.ended.borrow_mut() = Some(error);
    let error = Unreported {
        end: Rc::downgrade(end),
        text,
    };
    UNREPORTED.with_borrow_mut(|all| all.push(error));
}

/// Remembers what went wrong elsewhere.
pub(super) fn report_at_exit(text: String) {
    let error = Unreported {
        end: Weak::new(),
        text,
    };
    UNREPORTED.with_borrow_mut(|all| all.push(error));
}

/// The program has asked why its loop over `end` ended.
pub(super) fn mark_reported(end: &Rc<ReceiverHandle>) {
    UNREPORTED.with_borrow_mut(|all| all.retain(|error| error.end.as_ptr() != Rc::as_ptr(end)));
}

/// The errors that the program never asked about, for the end of the process.
pub(crate) fn unreported_errors() -> Option<String> {
    let error = UNREPORTED.take();
    let texts: Vec<String> = error.into_iter().map(|error| error.text).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}
