//! Messages that travel as one value.
//!
//! A batch lies in the channel as its sender made it, and is handed on as it lies there where a
//! receiver takes messages ahead of need. Still each of its messages is a message: it takes a
//! place of its own, is received, dropped and counted alone, and keeps its order.

use std::collections::VecDeque;

use super::error::Poison;
use super::options::Payload;

/// Several messages that travel as one value.
///
/// For messages without a denser form, a [`VecDeque`] of them will do. The methods are called under the
/// channel's lock: they must be quick, and must not use any channel.
pub trait Batch<T>: Send + 'static {
    /// How many messages are in it.
    fn messages(&self) -> usize;

    /// The sum of the sizes of its messages, as [`Payload::size`] gives them.
    fn size(&self) -> usize;

    /// Takes the first message out of it; `None` if it is empty.
    fn take_first(&mut self) -> Option<T>;

    /// The channel was poisoned while the batch lay in it, which is dropped next: what
    /// [`Payload::undelivered`] is for one message. Does nothing by default, as is right for messages that
    /// hold nothing.
    fn undelivered(&mut self, poison: &Poison) {
        let _ = poison;
    }
}

impl<T: Payload> Batch<T> for VecDeque<T> {
    fn messages(&self) -> usize {
        self.len()
    }

    fn size(&self) -> usize {
        self.iter().map(Payload::size).sum()
    }

    fn take_first(&mut self) -> Option<T> {
        self.pop_front()
    }

    fn undelivered(&mut self, poison: &Poison) {
        self.iter_mut().for_each(|it| it.undelivered(poison));
    }
}

/// Messages to be sent in order: one by one or, if only room matters, many at once.
#[doc(hidden)]
pub trait Outgoing<T: Payload>: Iterator<Item = T> {
    /// The next messages as one value: at most `most` of them, and at most `bytes` bytes. It may be fewer
    /// than would fit; `None` means that the next one is to be taken alone.
    fn next_batch(&mut self, most: usize, bytes: usize) -> Option<T::Batch>;
}

/// Messages that are always taken one by one.
///
/// ```
/// use transputer_core::channel::OneByOne;
/// use transputer_core::{Options, channel};
///
/// let (sender, _receiver) = channel(Options::bounded(2));
/// let sent = sender.try_send_all(&mut OneByOne(1..=3u64));
/// assert_eq!((sent.sent, sent.waiting), (2, 2));
/// ```
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct OneByOne<I>(pub I);

impl<I: Iterator> Iterator for OneByOne<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }
}

impl<T: Payload, I: Iterator<Item = T>> Outgoing<T> for OneByOne<I> {
    fn next_batch(&mut self, _: usize, _: usize) -> Option<T::Batch> {
        None
    }
}

/// What lies next in a channel, for [`Receiver::prefetch`](crate::Receiver::prefetch).
#[derive(Debug)]
#[doc(hidden)]
pub enum Ahead<'a, T: Payload> {
    /// One message, which is dropped if it was taken.
    One(&'a mut T),
    /// A batch, and how many of its messages may be taken out of it.
    Batch(&'a mut T::Batch, usize),
}
