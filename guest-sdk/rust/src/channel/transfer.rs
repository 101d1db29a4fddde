//! Mobile channels: ends that travel inside messages.

use std::rc::Rc;

use super::{Receiver, ReceiverHandle, Sender, SenderHandle};
use crate::bindings::transputer::csp::channel::End;
use crate::error::{Error, Undecodable};
use crate::message::{AttachedEnd, Message, Reader, Type, Writer};

/// The end moves to whoever receives the message; using this one afterwards fails with
/// [`Error::Moved`]. Clone it first to keep one.
impl<T: Message> Message for Sender<T> {
    const TYPE: &'static Type = &Type::Sender(T::TYPE);

    fn write(&self, writer: &mut Writer) {
        writer.end(AttachedEnd::Sender(Rc::clone(self.end())));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let at = reader.offset();
        match reader.end(Self::TYPE)? {
            End::Sender(sender) => Ok(Sender::from_host(sender, "")),
            End::Receiver(_) | End::Barrier(_) => Err(reader.mismatch(Self::TYPE, at)),
        }
    }
}

/// The end moves to whoever receives the message; using this one afterwards fails with
/// [`Error::Moved`]. Clone it first to keep one.
impl<T: Message> Message for Receiver<T> {
    const TYPE: &'static Type = &Type::Receiver(T::TYPE);

    fn write(&self, writer: &mut Writer) {
        writer.end(AttachedEnd::Receiver(Rc::clone(self.end())));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let at = reader.offset();
        match reader.end(Self::TYPE)? {
            End::Receiver(receiver) => Ok(Receiver::from_host(receiver, "")),
            End::Sender(_) | End::Barrier(_) => Err(reader.mismatch(Self::TYPE, at)),
        }
    }
}

/// Takes the handles out of ends that are about to be sent: all of them, or none.
pub(crate) fn take_all(ends: &[AttachedEnd]) -> Result<Vec<End>, Error> {
    let mut taken = Vec::with_capacity(ends.len());
    for end in ends {
        match end.take() {
            Ok(handle) => taken.push(handle),
            Err(error) => {
                put_back(ends, taken);
                return Err(error);
            }
        }
    }
    Ok(taken)
}

/// Undoes [`take_all`] after a send that failed.
pub(crate) fn put_back(ends: &[AttachedEnd], taken: Vec<End>) {
    for (end, handle) in ends.iter().zip(taken) {
        match (end, handle) {
            (AttachedEnd::Sender(end), End::Sender(handle)) => end.put_back(handle),
            (AttachedEnd::Receiver(end), End::Receiver(handle)) => end.put_back(handle),
            (AttachedEnd::Barrier(end), End::Barrier(handle)) => end.put_back(handle),
            // The host gives back what it was given, in order.
            (AttachedEnd::Sender(_) | AttachedEnd::Receiver(_) | AttachedEnd::Barrier(_), _) => {}
        }
    }
}

impl AttachedEnd {
    fn take(&self) -> Result<End, Error> {
        match self {
            AttachedEnd::Sender(end) => end.take().map(End::Sender),
            AttachedEnd::Receiver(end) => end.take().map(End::Receiver),
            AttachedEnd::Barrier(end) => end.take().map(End::Barrier),
        }
    }

    /// Whether this is that sender: it cannot travel through itself.
    pub(crate) fn is_sender(&self, sender: &SenderHandle) -> bool {
        match self {
            AttachedEnd::Sender(end) => std::ptr::eq(Rc::as_ptr(end), sender),
            AttachedEnd::Receiver(_) | AttachedEnd::Barrier(_) => false,
        }
    }
}

impl SenderHandle {
    /// Gives the handle away.
    pub(crate) fn take(&self) -> Result<crate::bindings::Sender, Error> {
        self.number.set(None);
        self.handle.borrow_mut().take().ok_or(Error::Moved)
    }

    pub(crate) fn put_back(&self, handle: crate::bindings::Sender) {
        *self.handle.borrow_mut() = Some(handle);
    }
}

impl ReceiverHandle {
    /// Gives the handle away, unless messages were taken in advance.
    pub(crate) fn take(&self) -> Result<crate::bindings::Receiver, Error> {
        if self.has_buffered() {
            return Err(Error::HoldsMessages);
        }
        self.number.set(None);
        self.handle.borrow_mut().take().ok_or(Error::Moved)
    }

    pub(crate) fn put_back(&self, handle: crate::bindings::Receiver) {
        *self.handle.borrow_mut() = Some(handle);
    }
}
