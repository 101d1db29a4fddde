//! Mobile channels: ends that travel inside messages.

use std::rc::Rc;

use super::{Receiver, ReceiverEnd, Sender, SenderEnd};
use crate::bindings::transputer::csp::channel::End;
use crate::error::{Error, Undecodable};
use crate::message::{Message, MobileEnd, Reader, Type, Writer};

/// The end moves to whoever receives the message; using this one afterwards fails with
/// [`Error::Moved`]. Clone it first to keep one.
impl<T: Message> Message for Sender<T> {
    const TYPE: &'static Type = &Type::Sender(T::TYPE);

    fn write(&self, writer: &mut Writer) {
        writer.end(MobileEnd::Sender(Rc::clone(self.end())));
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
        writer.end(MobileEnd::Receiver(Rc::clone(self.end())));
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
pub(crate) fn take_all(ends: &[MobileEnd]) -> Result<Vec<End>, Error> {
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
pub(crate) fn put_back(ends: &[MobileEnd], taken: Vec<End>) {
    for (end, handle) in ends.iter().zip(taken) {
        match (end, handle) {
            (MobileEnd::Sender(end), End::Sender(handle)) => end.put_back(handle),
            (MobileEnd::Receiver(end), End::Receiver(handle)) => end.put_back(handle),
            (MobileEnd::Barrier(end), End::Barrier(handle)) => end.put_back(handle),
            // The host gives back what it was given, in order.
            (MobileEnd::Sender(_) | MobileEnd::Receiver(_) | MobileEnd::Barrier(_), _) => {}
        }
    }
}

impl MobileEnd {
    fn take(&self) -> Result<End, Error> {
        match self {
            MobileEnd::Sender(end) => end.take().map(End::Sender),
            MobileEnd::Receiver(end) => end.take().map(End::Receiver),
            MobileEnd::Barrier(end) => end.take().map(End::Barrier),
        }
    }

    /// Whether this is that sender: it cannot travel through itself.
    pub(crate) fn is_sender(&self, sender: &SenderEnd) -> bool {
        match self {
            MobileEnd::Sender(end) => std::ptr::eq(Rc::as_ptr(end), sender),
            MobileEnd::Receiver(_) | MobileEnd::Barrier(_) => false,
        }
    }
}

impl SenderEnd {
    /// Gives the handle away.
    pub(crate) fn take(&self) -> Result<crate::bindings::Sender, Error> {
        self.number.set(None);
        self.handle.borrow_mut().take().ok_or(Error::Moved)
    }

    pub(crate) fn put_back(&self, handle: crate::bindings::Sender) {
        *self.handle.borrow_mut() = Some(handle);
    }
}

impl ReceiverEnd {
    /// Gives the handle away, unless messages were taken in advance.
    pub(crate) fn take(&self) -> Result<crate::bindings::Receiver, Error> {
        if self.holds_messages() {
            return Err(Error::HoldsMessages);
        }
        self.number.set(None);
        self.handle.borrow_mut().take().ok_or(Error::Moved)
    }

    pub(crate) fn put_back(&self, handle: crate::bindings::Receiver) {
        *self.handle.borrow_mut() = Some(handle);
    }
}
