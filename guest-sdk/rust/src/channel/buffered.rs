//! Sending in batches.

use std::cell::{Cell, Ref, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use super::Sender;
use super::deferred::{defer_send, flush_buffers, run_deferred};
use super::sender::SenderHandle;
use crate::bindings::transputer::csp::channel::{self as raw, Patience};
use crate::error::Error;
use crate::message::{AsMessage, Message, ROOM};
use crate::process::Instant;

/// A buffer is sent when it holds this many messages, at most, ...
const MOST_MESSAGES: u32 = 256;
/// ... or this many bytes. Longer messages are not collected at all.
const MOST_BYTES: usize = 16 * 1024;

/// A sender that collects messages and sends many in one call to the host.
///
/// It is worth it for streams of small messages through channels with a capacity. It sends what it has
/// collected before this process uses any other channel or parks for any other reason, so that nobody
/// waits for what it holds back; when the buffer is full; on [`flush`](Buffered::flush); and at the end
/// of the process.
///
/// The buffer has room for as many messages as the receiver still had to read when the buffer was last
/// full, and for at least one. So a receiver that waits for every message gets each at once, and no
/// message is held back that the receiver is about to read. Only a process that sends quickly and then
/// computes for a long time should flush in between.
///
/// ```no_run
/// # use transputer_guest::{Error, Sender};
/// fn count(limit: u64, numbers: Sender<u64>) -> Result<(), Error> {
///     let numbers = numbers.buffered();
///     for n in 0..limit {
///         numbers.send(&n)?;
///     }
///     Ok(())
/// }
/// ```
pub struct Buffered<T> {
    buffer: Rc<Buffer>,
    message: PhantomData<fn(&T)>,
}

/// What a buffered sender has collected.
pub(super) struct Buffer {
    end: Rc<SenderHandle>,
    /// Messages behind their lengths, as the host takes them.
    packed: RefCell<Vec<u8>>,
    /// Where the first message that has not been sent begins.
    start: Cell<usize>,
    messages: Cell<u32>,
    /// How many messages it may hold.
    room: Cell<u32>,
    /// How many messages waited in the channel after the last batch.
    waiting: Cell<u32>,
    /// What went wrong when it was sent, until somebody is told.
    error: RefCell<Option<Error>>,
}

impl<T: Message> Buffered<T> {
    pub(super) fn new(sender: Sender<T>) -> Self {
        Buffered {
            buffer: Rc::new(Buffer {
                end: Rc::clone(sender.end()),
                packed: RefCell::default(),
                start: Cell::new(0),
                messages: Cell::new(0),
                room: Cell::new(1),
                waiting: Cell::new(0),
                error: RefCell::new(None),
            }),
            message: PhantomData,
        }
    }

    /// Sends one message, now or later. Blocks only when the buffer is full.
    ///
    /// # Errors
    ///
    /// Those of [`Sender::send`], for this message or for any earlier one; messages that
    /// were collected behind one that could not be sent are not sent either.
    #[inline]
    pub fn send(&self, message: impl AsMessage<T>) -> Result<(), Error> {
        let message = message.as_message();
        match message.to_small() {
            Some(small) if self.buffer.collect(small) => Ok(()),
            _ => self.send_any(message),
        }
    }

    /// Never inlined, so that a loop that sends small messages keeps its working values in
    /// registers.
    #[inline(never)]
    fn send_any(&self, message: &T) -> Result<(), Error> {
        self.buffer.take_error()?;
        let mut packed = self.buffer.packed.borrow_mut();
        let head = packed.len();
        packed.extend_from_slice(&[0; 4]);
        let mut writer = crate::message::Writer::new(std::mem::take(&mut *packed));
        message.write_whole(&mut writer);
        let (bytes, ends) = writer.finish();
        *packed = bytes;
        let length = packed.len() - head - 4;
        if !ends.is_empty() || length > MOST_BYTES {
            packed.truncate(head);
            drop(packed);
            return self.send_alone(message);
        }
        // It is at most MOST_BYTES.
        packed[head..head + 4].copy_from_slice(&(length as u32).to_le_bytes());
        let full = packed.len() >= MOST_BYTES;
        drop(packed);
        self.buffer.messages.update(|messages| messages + 1);
        if self.buffer.messages.get() == 1 {
            defer_send(Rc::clone(&self.buffer));
        }
        if full || self.buffer.messages.get() >= self.buffer.room.get() {
            self.flush()?;
            self.buffer.adapt();
        }
        Ok(())
    }

    fn send_alone(&self, message: &T) -> Result<(), Error> {
        self.flush()?;
        self.buffer.end.send_message(message, Patience::Forever)
    }

    /// Sends what has been collected, here and in every other buffer of this process.
    /// Blocks until all of it is sent.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Buffered::send).
    pub fn flush(&self) -> Result<(), Error> {
        run_deferred();
        self.buffer.take_error()
    }

    /// Sends as much of what has been collected as needs no waiting, here and in every other
    /// buffer of this process. The rest stays collected, and is sent with the next flush.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`] if something is left; otherwise those of [`send`](Buffered::send).
    pub fn try_flush(&self) -> Result<(), Error> {
        self.flush_within(Patience::Never, Error::WouldBlock)
    }

    /// Like [`flush`](Buffered::flush), but gives up at `deadline`. What is left stays
    /// collected, and is sent with the next flush.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if something is left; otherwise those of [`send`](Buffered::send).
    pub fn flush_by(&self, deadline: Instant) -> Result<(), Error> {
        let patience = Patience::Until(deadline.nanoseconds());
        self.flush_within(patience, Error::TimedOut)
    }

    fn flush_within(&self, patience: Patience, out_of_patience: Error) -> Result<(), Error> {
        let all_sent = flush_buffers(patience);
        self.buffer.take_error()?;
        match all_sent {
            true => Ok(()),
            false => Err(out_of_patience),
        }
    }

    /// The plain sender again, with everything sent.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Buffered::send); the sender is closed then.
    pub fn unbuffered(self) -> Result<Sender<T>, Error> {
        self.flush()?;
        Ok(Sender::from_end(Rc::clone(&self.buffer.end)))
    }
}

impl<T> fmt::Debug for Buffered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffered")
            .field("end", &self.buffer.end)
            .field("messages", &self.buffer.messages.get())
            .finish()
    }
}

impl Buffer {
    /// Takes in a small message, unless there is more to do than that: the first and the last of a
    /// batch, and whatever follows an error, are left to the caller.
    #[inline]
    fn collect(&self, small: raw::Small) -> bool {
        let messages = self.messages.get() + 1;
        let mut packed = self.packed.borrow_mut();
        let end = packed.len() + 4 + small.length as usize;
        if messages == 1 || messages >= self.room.get() || end >= MOST_BYTES {
            return false;
        }
        // Always the same length, which makes it a few stores; the excess is cut off again.
        let mut bytes = [0; 4 + ROOM];
        bytes[..4].copy_from_slice(&small.length.to_le_bytes());
        bytes[4..].copy_from_slice(&small.room());
        packed.extend_from_slice(&bytes);
        packed.truncate(end);
        self.messages.set(messages);
        true
    }

    /// After it was full: decides how many messages to collect next.
    fn adapt(&self) {
        self.room.set(self.waiting.get().clamp(1, MOST_MESSAGES));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.get() == 0
    }

    pub(super) fn handle(&self) -> Ref<'_, Option<raw::Sender>> {
        self.end.handle.borrow()
    }

    /// The first message that has not been sent.
    pub(super) fn first(&self) -> Option<Vec<u8>> {
        let packed = self.packed.borrow();
        let (message, _) = first_message(packed.get(self.start.get()..)?)?;
        Some(message.to_vec())
    }

    pub(super) fn first_was_sent(&self) {
        let next = {
            let packed = self.packed.borrow();
            let rest = packed.get(self.start.get()..).unwrap_or_default();
            first_message(rest).map(|(message, _)| self.start.get() + 4 + message.len())
        };
        match next {
            Some(next) if self.messages.get() > 1 => {
                self.start.set(next);
                self.messages.update(|messages| messages - 1);
            }
            _ => self.discard(),
        }
    }

    /// The host would not take the first message.
    pub(super) fn refused(&self, error: raw::Error) {
        *self.error.borrow_mut() = Some(Error::from_host(error, || self.end.cause()));
        self.discard();
    }

    /// Empties the buffer.
    pub(super) fn discard(&self) {
        self.packed.borrow_mut().clear();
        self.start.set(0);
        self.messages.set(0);
    }

    /// Sends everything in it, in as few calls as the host allows, unless patience runs
    /// out first; what is left then stays in it.
    pub(super) fn send_all(&self, patience: Patience) {
        if self.is_empty() {
            return;
        }
        let (sent, error) = {
            let packed = self.packed.borrow();
            let rest = packed.get(self.start.get()..).unwrap_or_default();
            self.send_packed(rest, patience)
        };
        match error {
            None => self.discard(),
            Some(raw::Error::WouldBlock | raw::Error::TimedOut) => {
                for _ in 0..sent {
                    self.first_was_sent();
                }
            }
            Some(error) => self.refused(error),
        }
    }

    fn send_packed(&self, packed: &[u8], patience: Patience) -> (u32, Option<raw::Error>) {
        match (patience, self.end.number(), &*self.handle()) {
            (Patience::Forever, Ok(number), Some(_)) => {
                let sent = raw::send_some(number, packed);
                self.waiting.set(sent.waiting);
                (sent.count, sent.error)
            }
            (_, _, Some(handle)) => handle.send_batch(packed, patience),
            (_, _, None) => (0, Some(raw::Error::Closed)),
        }
    }

    /// Returns an error that has not been returned yet.
    fn take_error(&self) -> Result<(), Error> {
        match self.error.take() {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }
}

/// At the end, an error that was never returned becomes the process's own, except that nobody is left
/// to read.
impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(error) = self.error.take()
            && error != Error::Closed
        {
            super::receiver_handle::report_at_exit(format!(
                "buffered messages were not sent: {error}"
            ));
        }
    }
}

/// The message at the front of a packed batch, and the rest.
pub(super) fn first_message(packed: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = packed.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    rest.split_at_checked(length)
}
