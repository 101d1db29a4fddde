//! What is behind a receiver, whatever its type of message.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::fmt;
use std::rc::{Rc, Weak};

use super::held::Held;
use super::settle::{close_later, settle};
use crate::bindings::transputer::csp::channel::{self as raw, Patience};
use crate::error::Error;

/// How many messages a loop over a receiver takes from the host at once, at most.
const BATCH: u32 = 1024;

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

pub(crate) struct ReceiverEnd {
    /// The host's handle; gone when the end has moved away.
    pub(super) handle: RefCell<Option<raw::Receiver>>,
    /// The handle's number, once it was asked for.
    pub(super) number: Cell<Option<u32>>,
    name: &'static str,
    held: RefCell<Held>,
    /// Why the last loop ended, if not because the channel was closed.
    pub(super) ended: RefCell<Option<Error>>,
}

impl ReceiverEnd {
    pub(super) fn new(handle: Option<raw::Receiver>, name: &'static str) -> Self {
        ReceiverEnd {
            handle: RefCell::new(handle),
            number: Cell::new(None),
            name,
            held: RefCell::default(),
            ended: RefCell::new(None),
        }
    }

    /// Its port's name; empty if it is none.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether messages are at hand that were taken in advance.
    pub(crate) fn holds_messages(&self) -> bool {
        !self.held.borrow().is_empty()
    }

    /// The messages that were taken in advance, for a loop to go through or to give back.
    pub(super) fn held(&self) -> RefMut<'_, Held> {
        self.held.borrow_mut()
    }

    /// Receives one message.
    pub(super) fn receive(&self, patience: Patience) -> Result<Received, Error> {
        if let Patience::Forever = patience {
            return self.receive_some(1)?.ok_or(Error::Malformed);
        }
        settle();
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
        settle();
        self.call(|handle| handle.receive_ends(patience).map(Received::from))
    }

    /// Waits for a message, and takes up to `most` if there are more: these are then
    /// [`held`](Self::held), and nothing is returned.
    pub(super) fn receive_some(&self, most: u32) -> Result<Option<Received>, Error> {
        settle();
        let received = raw::receive_some(self.number()?, most);
        match received {
            Ok(raw::Received::Small(small)) => Ok(Some(small.into())),
            Ok(raw::Received::Large(bytes)) => Ok(Some(bytes.into())),
            Ok(raw::Received::Batch(packed)) => {
                self.hold(packed);
                Ok(None)
            }
            Err(raw::Error::CarriesEnds) => self.receive_ends(Patience::Forever).map(Some),
            Err(error) => Err(Error::from_host(error, || self.reason())),
        }
    }

    /// The same, within `patience`.
    pub(super) fn receive_batch(&self, patience: Patience) -> Result<Option<Received>, Error> {
        if let Patience::Forever = patience {
            return self.receive_some(BATCH);
        }
        settle();
        self.call(|handle| match handle.receive_batch(BATCH, patience) {
            Ok(packed) => {
                self.hold(packed);
                Ok(None)
            }
            Err(raw::Error::CarriesEnds) => {
                let message = handle.receive_ends(patience)?;
                Ok(Some(message.into()))
            }
            Err(error) => Err(error),
        })
    }

    fn hold(&self, packed: Vec<u8>) {
        *self.held() = Held::new(packed);
    }

    fn number(&self) -> Result<u32, Error> {
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
        operation(handle).map_err(|error| Error::from_host(error, || handle.reason()))
    }

    pub(crate) fn reason(&self) -> Option<String> {
        self.handle
            .borrow()
            .as_ref()
            .and_then(raw::Receiver::reason)
    }
}

impl Drop for ReceiverEnd {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            close_later(raw::End::Receiver(handle));
        }
    }
}

impl fmt::Debug for ReceiverEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReceiverEnd").field(&self.name).finish()
    }
}

thread_local! {
    /// What went wrong where the program could not be told at once.
    static UNSEEN: RefCell<Vec<Unseen>> = const { RefCell::new(Vec::new()) };
}

struct Unseen {
    /// The receiver whose loop it ended.
    end: Weak<ReceiverEnd>,
    text: String,
}

/// Remembers why a loop over `end` ended, until the program asks or the process ends.
pub(super) fn note_abnormal_end(end: &Rc<ReceiverEnd>, error: Error) {
    let text = match (&error, end.name()) {
        // It names the port by itself.
        (Error::Undecodable(_), _) | (_, "") => error.to_string(),
        (_, name) => format!("`{name}`: {error}"),
    };
    *end.ended.borrow_mut() = Some(error);
    let unseen = Unseen {
        end: Rc::downgrade(end),
        text,
    };
    UNSEEN.with_borrow_mut(|all| all.push(unseen));
}

/// Remembers what went wrong elsewhere.
pub(super) fn note_unseen(text: String) {
    let unseen = Unseen {
        end: Weak::new(),
        text,
    };
    UNSEEN.with_borrow_mut(|all| all.push(unseen));
}

/// The program has asked why its loop over `end` ended.
pub(super) fn seen(end: &Rc<ReceiverEnd>) {
    UNSEEN.with_borrow_mut(|all| all.retain(|unseen| unseen.end.as_ptr() != Rc::as_ptr(end)));
}

/// What went wrong and nobody asked about, for the end of the process.
pub(crate) fn unseen_ends() -> Option<String> {
    let unseen = UNSEEN.take();
    let texts: Vec<String> = unseen.into_iter().map(|unseen| unseen.text).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}
