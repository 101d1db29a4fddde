//! The receiving end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::call::Call;
use super::time::timeout_at;
use super::{after_event, raw as host};
use crate::bindings::transputer::csp::channel as raw;
use crate::channel::{BATCH, Received, ReceiverHandle};
use crate::error::{Error, Undecodable};
use crate::message::{Message, Reader, Type, Writer};
use crate::process::{Instant, now};

/// The end at which messages leave a channel, of a process that is an async function.
///
/// What a future of it does, it does while it is awaited. Dropping one loses nothing: a message that was
/// on its way stays in the channel or with this receiver, and comes next.
///
/// Dropping the receiver closes it, no later than at this process's next operation on any channel, or at
/// its end. When the last receiver is gone, senders get [`Error::Closed`]. Cloning makes another
/// receiver of the same channel; each message goes to one of them.
pub struct Receiver<T>(pub(crate) crate::Receiver<T>);

impl<T: Message> Receiver<T> {
    /// The next message; none once no sender is left and everything has been taken.
    ///
    /// Where this is the channel's only receiver it takes many messages from the host at once; those
    /// that the program has not reached stay with the receiver.
    ///
    /// ```no_run
    /// use transputer_guest::stackless::Receiver;
    /// # use transputer_guest::Error;
    /// # async fn process(mut numbers: Receiver<u64>) -> Result<(), Error> {
    /// let mut sum = 0;
    /// while let Some(number) = numbers.next().await? {
    ///     sum += number;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`receive`](Receiver::receive), except [`Error::Closed`].
    #[inline]
    pub async fn next(&mut self) -> Result<Option<T>, Error> {
        match self.take(BATCH).await {
            Ok(message) => Ok(Some(message)),
            Err(Error::Closed) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the next message; waits until there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] when no sender is left and everything has been taken, the poison's
    /// error when the channel is poisoned, [`Error::Undecodable`] if the message is not a
    /// `T` (it has been taken then), [`Error::Deadlock`], [`Error::Overloaded`],
    /// [`Error::Moved`].
    pub async fn receive(&self) -> Result<T, Error> {
        self.take(1).await
    }

    /// Takes the next message if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`] if there is none; otherwise those of [`receive`](Receiver::receive).
    pub fn try_receive(&self) -> Result<T, Error> {
        after_event();
        self.0.try_receive_at_once()
    }

    /// Like [`receive`](Receiver::receive), but gives up at `deadline`.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] at the deadline; otherwise those of [`receive`](Receiver::receive).
    pub async fn receive_by(&self, deadline: Instant) -> Result<T, Error> {
        timeout_at(deadline, self.receive()).await?
    }

    /// Like [`receive`](Receiver::receive), but gives up after `timeout`.
    ///
    /// # Errors
    ///
    /// Those of [`receive_by`](Receiver::receive_by).
    pub async fn receive_timeout(&self, timeout: Duration) -> Result<T, Error> {
        self.receive_by(now() + timeout).await
    }

    #[inline]
    async fn take(&self, most: u32) -> Result<T, Error> {
        loop {
            if let Some(message) = self.0.buffered() {
                return message;
            }
            let end = &**self.0.end();
            let received = match const { T::TYPE.carries_ends() } {
                true => Some(receive_ends(end).await?),
                false => receive_some(end, most).await?,
            };
            match received {
                Some(message) => return self.0.decode(message),
                None if !end.has_buffered() => return Err(Error::Malformed),
                None => {}
            }
        }
    }
}

impl<T> Receiver<T> {
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

    /// What the channel has seen so far; all zeros if this end has moved. Messages that were taken in
    /// advance count as received.
    pub fn statistics(&self) -> crate::Statistics {
        self.0.statistics()
    }
}

/// Another receiver of the same channel. The clone of an end that has moved has moved as well.
/// What was taken in advance stays with the original.
impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Receiver(self.0.clone())
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> From<crate::Receiver<T>> for Receiver<T> {
    fn from(receiver: crate::Receiver<T>) -> Self {
        Receiver(receiver)
    }
}

/// The end moves to whoever receives the message; using this one afterwards fails with
/// [`Error::Moved`]. Clone it first to keep one.
impl<T: Message> Message for Receiver<T> {
    const TYPE: &'static Type = <crate::Receiver<T> as Message>::TYPE;

    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Message::read(reader).map(Receiver)
    }
}

/// Waits for a message, and takes up to `most` if there are more: these go to the receiver's buffer, and
/// nothing is returned.
async fn receive_some(end: &ReceiverHandle, most: u32) -> Result<Option<Received>, Error> {
    after_event();
    let number = end.number()?;
    let some = ReceiveSome {
        end,
        number,
        most,
        call: Call::new(),
    };
    match some.await {
        Err(raw::Error::CarriesEnds) => receive_ends(end).await.map(Some),
        Err(error) => Err(Error::from_host(error, || end.cause())),
        Ok(raw::Received::Small(small)) => Ok(Some(small.into())),
        Ok(raw::Received::Large(bytes)) => Ok(Some(bytes.into())),
        Ok(raw::Received::Batch(packed)) => {
            end.fill(packed);
            Ok(None)
        }
    }
}

async fn receive_ends(end: &ReceiverHandle) -> Result<Received, Error> {
    after_event();
    let handle = end.borrow()?.handle();
    let ends = ReceiveEnds {
        end,
        handle,
        call: Call::new(),
    };
    let received = ends.await;
    received.map_err(|error| Error::from_host(error, || end.cause()))
}

/// The future of a receive without ends.
struct ReceiveSome<'a> {
    end: &'a ReceiverHandle,
    number: u32,
    most: u32,
    call: Call<40>,
}

impl ReceiveSome<'_> {
    fn call(self: Pin<&mut Self>) -> Pin<&mut Call<40>> {
        super::project(self, |this| &mut this.call)
    }

    fn result(room: &super::call::Room<40>) -> Result<raw::Received, raw::Error> {
        match (room.byte(0), room.byte(8)) {
            (0, 0) => Ok(raw::Received::Small(room.small(16))),
            (0, 1) => Ok(raw::Received::Large(room.bytes(16))),
            (0, _) => Ok(raw::Received::Batch(room.bytes(16))),
            _ => Err(room.error(8)),
        }
    }
}

impl Future for ReceiveSome<'_> {
    type Output = Result<raw::Received, raw::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (number, most) = (self.number, self.most);
        let call = self.call();
        call.poll(context, |to| host::receive_some_to(number, most, to))
            .map(Self::result)
    }
}

/// What has come all the same is the next that the receiver gives.
impl Drop for ReceiveSome<'_> {
    fn drop(&mut self) {
        let end = self.end;
        // It is moved no more.
        let this = super::pinned_for_drop(self);
        let Some(room) = this.call().give_up() else {
            return;
        };
        match Self::result(room) {
            Ok(raw::Received::Small(small)) => end.put_back_message(small.into()),
            Ok(raw::Received::Large(bytes)) => end.put_back_message(bytes.into()),
            Ok(raw::Received::Batch(packed)) => end.put_back_packed(packed),
            // The channel has ended, and says so to the next one who asks.
            Err(_) => {}
        }
    }
}

/// The future of a receive of a message that may have ends.
struct ReceiveEnds<'a> {
    end: &'a ReceiverHandle,
    handle: u32,
    call: Call<20>,
}

impl ReceiveEnds<'_> {
    fn call(self: Pin<&mut Self>) -> Pin<&mut Call<20>> {
        super::project(self, |this| &mut this.call)
    }

    fn result(room: &super::call::Room<20>) -> Result<Received, raw::Error> {
        match room.byte(0) {
            0 => Ok(Received::Large {
                bytes: room.bytes(4),
                ends: room.ends(12),
            }),
            _ => Err(room.error(4)),
        }
    }
}

impl Future for ReceiveEnds<'_> {
    type Output = Result<Received, raw::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let handle = self.handle;
        let call = self.call();
        call.poll(context, |to| host::receive_ends_to(handle, to))
            .map(Self::result)
    }
}

impl Drop for ReceiveEnds<'_> {
    fn drop(&mut self) {
        let end = self.end;
        let this = super::pinned_for_drop(self);
        if let Some(room) = this.call().give_up()
            && let Ok(received) = Self::result(room)
        {
            end.put_back_message(received);
        }
    }
}
