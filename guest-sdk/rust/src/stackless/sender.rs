//! The sending end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::call::Call;
use super::time::timeout_at;
use super::{after_event, raw as host};
use crate::bindings::transputer::csp::channel as raw;
use crate::bindings::transputer::csp::channel::End;
use crate::channel::{SenderHandle, put_back, take_all, written};
use crate::error::{Error, Undecodable};
use crate::message::{AsMessage, Message, Reader, Type, Writer};
use crate::process::{Instant, now};

/// The end through which messages enter a channel, of a process that is an async function.
///
/// Dropping a future of it before it is ready sends nothing, unless the message had been taken already.
///
/// Dropping the sender closes it, no later than at this process's next operation on any channel, or at
/// its end. The channel is closed for its receivers once they have taken what waits in it and no sender is
/// left. Cloning makes another sender of the same channel.
///
/// Sent inside a message, it moves there; every later operation on it fails with [`Error::Moved`].
pub struct Sender<T>(pub(crate) crate::Sender<T>);

impl<T: Message> Sender<T> {
    /// Sends one message, given as it is or by reference; waits until it is buffered or, at a
    /// rendezvous, until a receiver has it. After an error nothing was sent: a message given by
    /// reference is still the caller's, and so are the ends in it.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] when no receiver is left, the poison's error when the channel
    /// is poisoned, [`Error::TooLarge`], [`Error::Overloaded`], [`Error::Deadlock`], and
    /// [`Error::Moved`] for this end or one in the message.
    #[inline]
    pub async fn send(&self, message: impl AsMessage<T>) -> Result<(), Error> {
        after_event();
        let end = &**self.0.end();
        let message = message.as_message();
        if let Some(small) = message.to_small() {
            return send_small(end, small).await;
        }
        if let Some(bytes) = message.as_whole() {
            return send_bytes(end, bytes).await;
        }
        send_written(end, written(message)).await
    }

    /// Sends one message if that needs no waiting.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`] if it needs waiting; otherwise those of [`send`](Sender::send).
    /// [`Error::CarriesEnds`] for a message with ends in it.
    pub fn try_send(&self, message: impl AsMessage<T>) -> Result<(), Error> {
        after_event();
        let (bytes, ends) = written(message.as_message()).finish();
        match ends.is_empty() {
            true => self.0.end().try_send_bytes(&bytes),
            false => Err(Error::CarriesEnds),
        }
    }

    /// Like [`send`](Sender::send), but gives up at `deadline`.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] at the deadline; otherwise those of [`send`](Sender::send).
    pub async fn send_by(
        &self,
        message: impl AsMessage<T>,
        deadline: Instant,
    ) -> Result<(), Error> {
        timeout_at(deadline, self.send(message)).await?
    }

    /// Like [`send`](Sender::send), but gives up after `timeout`.
    ///
    /// # Errors
    ///
    /// Those of [`send_by`](Sender::send_by).
    pub async fn send_timeout(
        &self,
        message: impl AsMessage<T>,
        timeout: Duration,
    ) -> Result<(), Error> {
        self.send_by(message, now() + timeout).await
    }
}

impl<T> Sender<T> {
    /// Closes this end at once.
    pub fn close(self) {
        self.0.close_at_once();
    }

    /// Ends the channel at once for both sides; see [`crate::Sender::poison`].
    pub fn poison(&self, reason: &str) {
        self.0.poison(reason);
    }

    /// Why the channel was poisoned, if it was.
    pub fn poison_reason(&self) -> Option<String> {
        self.0.poison_reason()
    }

    /// What the channel has seen so far; all zeros if this end has moved.
    pub fn statistics(&self) -> crate::Statistics {
        self.0.statistics()
    }
}

/// Another sender of the same channel. The clone of an end that has moved has moved as well.
impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender(self.0.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> From<crate::Sender<T>> for Sender<T> {
    fn from(sender: crate::Sender<T>) -> Self {
        Sender(sender)
    }
}

/// The end moves to whoever receives the message; using this one afterwards fails with
/// [`Error::Moved`]. Clone it first to keep one.
impl<T: Message> Message for Sender<T> {
    const TYPE: &'static Type = <crate::Sender<T> as Message>::TYPE;

    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Message::read(reader).map(Sender)
    }
}

async fn send_small(end: &SenderHandle, message: raw::Small) -> Result<(), Error> {
    let sender = end.number()?;
    let sent = Sends(Call::new(), |to| host::send_small_to(sender, message, to));
    sent.await
        .map_err(|error| Error::from_host(error, || end.cause()))
}

/// Sends a message without ends. The host has copied the bytes when the call has begun.
async fn send_bytes(end: &SenderHandle, bytes: &[u8]) -> Result<(), Error> {
    if let Some(small) = raw::Small::new(bytes) {
        return send_small(end, small).await;
    }
    let handle = end.borrow()?.handle();
    let sent = Sends(Call::new(), |to| host::send_to(handle, bytes, to));
    sent.await
        .map_err(|error| Error::from_host(error, || end.cause()))
}

async fn send_written(end: &SenderHandle, message: Writer) -> Result<(), Error> {
    let (bytes, ends) = message.finish();
    if ends.is_empty() {
        return send_bytes(end, &bytes).await;
    }
    if ends.iter().any(|attached| attached.is_sender(end)) {
        return Err(Error::Moved);
    }
    let handle = end.borrow()?.handle();
    let attached = take_all(&ends)?;
    let handles: Vec<[u32; 2]> = attached.iter().map(end_handle).collect();
    let sent = SendsEnds {
        ends: &ends,
        attached: Some(attached),
        handle,
        bytes: &bytes,
        handles: &handles,
        call: Call::new(),
    };
    sent.await
        .map_err(|error| Error::from_host(error, || end.cause()))
}

fn end_handle(end: &End) -> [u32; 2] {
    match end {
        End::Sender(sender) => [0, sender.handle()],
        End::Receiver(receiver) => [1, receiver.handle()],
        End::Barrier(barrier) => [2, barrier.handle()],
    }
}

/// The future of a send without ends.
struct Sends<F>(Call<2>, F);

impl<F: FnMut(*mut u8) -> u32> Future for Sends<F> {
    type Output = Result<(), raw::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (call, begin) = super::project_two(self, |this| (&mut this.0, &mut this.1));
        call.poll(context, begin).map(|room| room.done())
    }
}

/// The future of a send with ends: they come back if it fails, or is given up.
struct SendsEnds<'a> {
    ends: &'a [crate::message::AttachedEnd],
    /// Until the host has them.
    attached: Option<Vec<End>>,
    handle: u32,
    bytes: &'a [u8],
    handles: &'a [[u32; 2]],
    call: Call<16>,
}

impl Future for SendsEnds<'_> {
    type Output = Result<(), raw::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (handle, bytes, handles, ends) = (self.handle, self.bytes, self.handles, self.ends);
        let (call, attached) =
            super::project_two(self, |this| (&mut this.call, &mut this.attached));
        let begin = |to| {
            // The host has them from now on.
            for end in attached.take().into_iter().flatten() {
                forget(end);
            }
            host::send_ends_to(handle, bytes, handles, to)
        };
        call.poll(context, begin).map(|room| given_back(room, ends))
    }
}

fn given_back(
    room: &super::call::Room<16>,
    ends: &[crate::message::AttachedEnd],
) -> Result<(), raw::Error> {
    match room.byte(0) {
        0 => Ok(()),
        _ => {
            put_back(ends, room.ends(8));
            Err(room.error(4))
        }
    }
}

/// Drops what stands for an end without dropping the end.
fn forget(end: End) {
    match end {
        End::Sender(sender) => drop(sender.take_handle()),
        End::Receiver(receiver) => drop(receiver.take_handle()),
        End::Barrier(barrier) => drop(barrier.take_handle()),
    }
}

impl Drop for SendsEnds<'_> {
    fn drop(&mut self) {
        let ends = self.ends;
        if let Some(attached) = self.attached.take() {
            put_back(ends, attached);
        }
        let this = super::pinned_for_drop(self);
        let call = super::project(this, |this| &mut this.call);
        if let Some(room) = call.give_up() {
            let _ = given_back(room, ends);
        }
    }
}
