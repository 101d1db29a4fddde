//! The receiving end.

use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use super::Statistics;
use super::deferred::run_deferred;
use super::receive_buffer::ReceiveBuffer;
use super::receiver_handle::{Received, ReceiverHandle, keep_loop_error, mark_reported};
use crate::bindings::transputer::csp::channel::{self as raw, Patience};
use crate::error::Error;
use crate::message::{Message, Reader, decode};
use crate::process::{Instant, now};

/// The end at which messages leave a channel.
///
/// Dropping it closes it, no later than at this process's next operation on any channel, or at its
/// end. ([`close`](Receiver::close) closes it at once. A process that fails poisons the ends that it
/// drops on the way out.) When the last receiver is gone, senders get
/// [`Error::Closed`]. Cloning makes another receiver of the same channel; each message goes
/// to one of them.
///
/// # Loops
///
/// `for message in receiver` (or `in &receiver`) yields messages until the channel is closed.
/// A loop cannot yield errors, so:
///
/// - when the channel ends abnormally (poisoned, a process trapped, ...), or a message
///   cannot be decoded, the loop ends as well, and the error is kept;
/// - [`ended`](Receiver::ended) returns that error to a program that asks;
/// - where no one asked, the *process* fails with it, even if its function returns `Ok`.
///
/// So a program that ignores errors passes them on, and none is lost. Use
/// [`messages`](Receiver::messages) to see every error in the loop itself.
///
/// Where this is the channel's only receiver, a loop takes many messages from the host at once. Those
/// that it has not reached when it ends with `break` stay with the receiver: `receive` returns them
/// next, and dropping the receiver drops them.
pub struct Receiver<T> {
    end: Rc<ReceiverHandle>,
    message: PhantomData<fn() -> T>,
}

impl<T: Message> Receiver<T> {
    pub(crate) fn from_host(handle: raw::Receiver, name: &'static str) -> Self {
        Receiver {
            end: Rc::new(ReceiverHandle::new(Some(handle), name)),
            message: PhantomData,
        }
    }

    pub(crate) fn from_end(end: Rc<ReceiverHandle>) -> Self {
        Receiver {
            end,
            message: PhantomData,
        }
    }

    /// Takes the next message; blocks until there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] when no sender is left and everything has been taken, the poison's
    /// error when the channel is poisoned, [`Error::Undecodable`] if the message is not a
    /// `T` (it has been taken then), [`Error::Deadlock`], [`Error::Overloaded`],
    /// [`Error::Moved`].
    pub fn receive(&self) -> Result<T, Error> {
        self.receive_within(Patience::Forever)
    }

    /// Takes the next message if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`] if there is none; otherwise those of [`receive`](Receiver::receive).
    pub fn try_receive(&self) -> Result<T, Error> {
        self.receive_within(Patience::Never)
    }

    /// Like [`receive`](Receiver::receive), but gives up at `deadline`.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] at the deadline; otherwise those of [`receive`](Receiver::receive).
    pub fn receive_by(&self, deadline: Instant) -> Result<T, Error> {
        self.receive_within(Patience::Until(deadline.nanoseconds()))
    }

    /// Like [`receive`](Receiver::receive), but gives up after `timeout`.
    ///
    /// # Errors
    ///
    /// Those of [`receive_by`](Receiver::receive_by).
    pub fn receive_timeout(&self, timeout: Duration) -> Result<T, Error> {
        self.receive_by(now() + timeout)
    }

    /// A loop that sees errors: yields messages and, if the channel ends abnormally, the
    /// error as its last item. After a message that cannot be decoded it goes on.
    ///
    /// ```no_run
    /// # use transputer_guest::{Error, Receiver};
    /// # fn process(numbers: Receiver<u64>) -> Result<(), Error> {
    /// let mut sum = 0;
    /// for number in numbers.messages() {
    ///     sum += number?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn messages(&self) -> Messages<'_, T> {
        Messages {
            receiver: self,
            patience: Patience::Forever,
            over: false,
        }
    }

    /// Why the last `for` loop over this receiver ended; a program that asks becomes responsible for
    /// the error. `Ok` if the channel was closed, or no loop has ended.
    ///
    /// ```no_run
    /// # use transputer_guest::{Error, Receiver, warn};
    /// # fn process(numbers: Receiver<u64>) -> Result<(), Error> {
    /// for number in &numbers { /* ... */ }
    /// if let Err(error) = numbers.ended() {
    ///     warn!("going on without the rest: {error}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What ended the loop.
    pub fn ended(&self) -> Result<(), Error> {
        mark_reported(&self.end);
        match self.end.ended.take() {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }

    pub(crate) fn receive_within(&self, patience: Patience) -> Result<T, Error> {
        if let Some(message) = self.buffered() {
            return message;
        }
        let message = if const { T::TYPE.carries_ends() } {
            self.end.receive_ends(patience)
        } else {
            self.end.receive(patience)
        };
        self.decode(message?)
    }

    /// The next message that was taken in advance.
    #[inline]
    pub(crate) fn buffered(&self) -> Option<Result<T, Error>> {
        match self.buffered_small() {
            Some(message) => Some(Ok(message)),
            None => self.buffered_large(),
        }
    }

    /// Takes the next message if there is one, of a process that is an async function.
    pub(crate) fn try_receive_at_once(&self) -> Result<T, Error> {
        if let Some(message) = self.buffered() {
            return message;
        }
        let message = self.end.try_receive_at_once()?;
        self.decode(message)
    }

    #[inline]
    fn buffered_small(&self) -> Option<T> {
        self.end.buffer().next_small(T::from_small)
    }

    fn buffered_large(&self) -> Option<Result<T, Error>> {
        if const { T::TYPE.carries_ends() }
            && let Some(message) = self.end.take_with_ends()
        {
            return Some(self.decode(message));
        }
        let message = self.end.buffer().next(|bytes| self.decode_bytes(bytes))?;
        Some(message.and_then(|message| message))
    }

    /// The next message; takes more from the host where there are more. Never inlined, so that loops
    /// over small messages keep their working values in registers.
    #[inline(never)]
    fn next_batched(&self, patience: Patience) -> Result<T, Error> {
        loop {
            if let Some(message) = self.buffered() {
                return message;
            }
            if let Some(message) = self.end.receive_batch(patience)? {
                return self.decode(message);
            }
            if !self.end.has_buffered() {
                return Err(Error::Malformed);
            }
        }
    }

    /// What a loop without errors yields.
    #[inline]
    fn next_or_end(&self) -> Option<T> {
        self.buffered_small().or_else(|| self.next_batched_or_end())
    }

    #[inline(never)]
    fn next_batched_or_end(&self) -> Option<T> {
        match self.next_batched(Patience::Forever) {
            Ok(message) => Some(message),
            Err(Error::Closed) => None,
            Err(error) => {
                keep_loop_error(&self.end, error);
                None
            }
        }
    }

    fn decode_bytes(&self, bytes: &[u8]) -> Result<T, Error> {
        self.read(Reader::new(bytes, Vec::new()))
    }

    pub(crate) fn decode(&self, message: Received) -> Result<T, Error> {
        match message {
            Received::Small(small) => match T::from_small(small) {
                Some(message) => Ok(message),
                None => {
                    let bytes = small.room();
                    self.decode_bytes(bytes.get(..small.length as usize).unwrap_or_default())
                }
            },
            Received::Large { bytes, ends } if ends.is_empty() => {
                T::from_whole(bytes).or_else(|bytes| self.decode_bytes(&bytes))
            }
            Received::Large { bytes, ends } => self.read(Reader::new(&bytes, ends)),
        }
    }

    fn read(&self, reader: Reader<'_>) -> Result<T, Error> {
        decode(reader).map_err(|error| error.at_port(self.end.name()).into())
    }
}

impl<T> Receiver<T> {
    pub(crate) fn end(&self) -> &Rc<ReceiverHandle> {
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
            raw::Receiver::close(handle);
        }
    }

    /// Ends the channel at once for both sides; see [`Sender::poison`](super::Sender::poison).
    pub fn poison(&self, reason: &str) {
        if let Some(handle) = &*self.end.handle.borrow() {
            handle.poison(reason);
        }
    }

    /// Why the channel was poisoned, if it was.
    pub fn poison_reason(&self) -> Option<String> {
        self.end.reason()
    }

    /// What the channel has seen so far; all zeros if this end has moved. Messages
    /// that a loop took in advance count as received.
    pub fn statistics(&self) -> Statistics {
        match &*self.end.handle.borrow() {
            Some(handle) => handle.statistics().into(),
            None => Statistics::default(),
        }
    }
}

/// Another receiver of the same channel. The clone of an end that has moved has moved as well.
/// What a loop took in advance stays with the original.
impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        let handle = self.end.handle.borrow().as_ref().map(raw::Receiver::clone);
        Receiver {
            end: Rc::new(ReceiverHandle::new(handle, self.end.name())),
            message: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.end.name()).finish()
    }
}

/// The iterator of `for message in receiver`.
#[derive(Debug)]
pub struct IntoMessages<T> {
    receiver: Receiver<T>,
    /// The receiver's buffer: nobody else can ask for it now.
    buffer: ReceiveBuffer,
}

impl<T: Message> IntoMessages<T> {
    #[inline(never)]
    fn next_from_receiver(&mut self) -> Option<T> {
        std::mem::swap(&mut self.buffer, &mut self.receiver.end.buffer());
        let next = self.receiver.next_batched_or_end();
        std::mem::swap(&mut self.buffer, &mut self.receiver.end.buffer());
        next
    }
}

impl<T: Message> Iterator for IntoMessages<T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        match self.buffer.next_small(T::from_small) {
            Some(message) => Some(message),
            None => self.next_from_receiver(),
        }
    }
}

impl<T: Message> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoMessages<T>;

    fn into_iter(self) -> IntoMessages<T> {
        let buffer = std::mem::take(&mut *self.end.buffer());
        IntoMessages {
            receiver: self,
            buffer,
        }
    }
}

/// The iterator of `for message in &receiver`.
#[derive(Debug)]
pub struct Loop<'a, T> {
    receiver: &'a Receiver<T>,
}

impl<T: Message> Iterator for Loop<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.receiver.next_or_end()
    }
}

impl<'a, T: Message> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Loop<'a, T>;

    fn into_iter(self) -> Loop<'a, T> {
        Loop { receiver: self }
    }
}

/// The iterator of [`Receiver::messages`].
#[derive(Debug)]
pub struct Messages<'a, T> {
    receiver: &'a Receiver<T>,
    patience: Patience,
    over: bool,
}

impl<T> Messages<'_, T> {
    /// Makes the loop wait until `deadline` at most: its last item is then
    /// [`Error::TimedOut`].
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use transputer_guest::{Error, Receiver, now};
    /// /// What came within a second.
    /// fn sample(numbers: Receiver<u64>) -> Result<Vec<u64>, Error> {
    ///     let mut sample = Vec::new();
    ///     for number in numbers.messages().by(now() + Duration::from_secs(1)) {
    ///         match number {
    ///             Err(Error::TimedOut) => break,
    ///             number => sample.push(number?),
    ///         }
    ///     }
    ///     Ok(sample)
    /// }
    /// ```
    pub fn by(self, deadline: Instant) -> Self {
        Messages {
            patience: Patience::Until(deadline.nanoseconds()),
            ..self
        }
    }

    /// Makes the loop not wait at all: it yields what is there, and then
    /// [`Error::WouldBlock`] as its last item, unless the channel has ended.
    pub fn ready(self) -> Self {
        Messages {
            patience: Patience::Never,
            ..self
        }
    }
}

impl<T: Message> Iterator for Messages<'_, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Result<T, Error>> {
        if self.over {
            return None;
        }
        if let Some(message) = self.receiver.buffered_small() {
            return Some(Ok(message));
        }
        let message = self.receiver.next_batched(self.patience);
        // After anything but an undecodable message the channel has nothing more to say.
        self.over = matches!(&message, Err(error) if !matches!(error, Error::Undecodable(_)));
        match message {
            Err(Error::Closed) => None,
            message => Some(message),
        }
    }
}
