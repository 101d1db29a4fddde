//! One sender, many receivers: each gets every message.

use std::fmt;

use crate::alternation::Alternation;
use crate::channel::{Receiver, Sender, channel};
use crate::error::Error;
use crate::message::{AsMessage, Message};

/// Subscribers that one alternation waits for; the others have their turn after these.
const AT_ONCE: usize = 1024;

/// Sends every message to all its subscribers, each through a channel of its own.
///
/// [`send`](Broadcast::send) waits for the slowest subscriber, unless its channel has room; no
/// subscriber waits for another. [`subscribe`](Broadcast::subscribe) and [`add`](Broadcast::add) add
/// subscribers, and so can other processes, through [`relay`](Broadcast::relay). A subscriber leaves by
/// dropping its receiver. One that traps, or poisons its channel, is left out from then on and does no
/// harm.
///
/// Messages that hold ends cannot be broadcast, since an end moves to one receiver; the compiler
/// refuses them.
///
/// ```no_run
/// use transputer_guest::{Broadcast, Error, Receiver, Sender};
///
/// /// Tells the time to whoever sends the sender of a channel.
/// #[transputer_guest::process]
/// fn clock(ticks: Receiver<u64>, subscriptions: Receiver<Sender<u64>>) -> Result<(), Error> {
///     Broadcast::new().relay(&ticks, &subscriptions)
/// }
/// # fn main() {}
/// ```
pub struct Broadcast<T> {
    subscribers: Vec<Sender<T>>,
    lost: Vec<Error>,
}

impl<T: Message> Broadcast<T> {
    /// A broadcast without subscribers.
    pub fn new() -> Self {
        const {
            assert!(
                !T::TYPE.carries_ends(),
                "a message that holds ends of channels cannot be broadcast"
            );
        }
        Broadcast {
            subscribers: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// A new subscriber, which gets every message from now on. Up to `capacity` of them may wait
    /// for it; 0 makes the broadcast wait until it has taken each.
    ///
    /// # Errors
    ///
    /// Those of [`channel`].
    pub fn subscribe(&mut self, capacity: u32) -> Result<Receiver<T>, Error> {
        let (subscriber, receiver) = channel(capacity)?;
        self.add(subscriber);
        Ok(receiver)
    }

    /// Sends every message from now on to this one as well.
    pub fn add(&mut self, subscriber: Sender<T>) {
        self.subscribers.push(subscriber);
    }

    /// How many subscribers there are, as far as is known: only a send notices that one has gone.
    pub fn subscribers(&self) -> usize {
        self.subscribers.len()
    }

    /// Sends to every subscriber, and returns how many have got the message. Blocks until the
    /// slowest has.
    ///
    /// # Errors
    ///
    /// Only what concerns all of them, such as [`Error::TooLarge`]; some may have got the message
    /// then. A subscriber that has gone is not an error; see [`take_lost`](Broadcast::take_lost).
    pub fn send(&mut self, message: impl AsMessage<T>) -> Result<usize, Error> {
        let message = message.as_message();
        let mut reached = 0;
        let mut gone = Vec::new();
        let mut waiting = Vec::new();
        for (index, subscriber) in self.subscribers.iter().enumerate() {
            match subscriber.try_send(message) {
                Ok(()) => reached += 1,
                Err(Error::WouldBlock) => waiting.push(index),
                Err(error) => gone.push((index, error)),
            }
        }
        while !waiting.is_empty() {
            let (turn, sent) = self.offer(&waiting, message)?;
            let index = waiting.swap_remove(turn);
            match sent {
                Ok(()) => reached += 1,
                Err(error) => gone.push((index, error)),
            }
        }
        match gone.iter().find(|(_, error)| concerns_all(error)) {
            Some((_, error)) => Err(error.clone()),
            None => {
                self.forget(gone);
                Ok(reached)
            }
        }
    }

    /// Sends to whichever of these subscribers takes it first.
    fn offer(&self, waiting: &[usize], message: &T) -> Result<(usize, Result<(), Error>), Error> {
        let mut alternation = Alternation::fair();
        let subscribers = waiting.iter().filter_map(|&at| self.subscribers.get(at));
        let guards: Vec<_> = subscribers
            .take(AT_ONCE)
            .map(|subscriber| alternation.send(subscriber, message))
            .collect();
        let mut chosen = alternation.wait()?;
        let turn = chosen.index();
        let sent = guards.get(turn).and_then(|guard| chosen.sent(guard));
        Ok((turn, sent.ok_or(Error::Malformed)?))
    }

    fn forget(&mut self, mut gone: Vec<(usize, Error)>) {
        gone.sort_by_key(|(index, _)| *index);
        for (index, error) in gone.into_iter().rev() {
            self.subscribers.remove(index);
            if error != Error::Closed {
                self.lost.push(error);
            }
        }
    }

    /// How subscribers have ended since the last call, other than by dropping their receiver.
    pub fn take_lost(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.lost)
    }

    /// Broadcasts messages until their channel is closed. A process subscribes by sending the
    /// sender of a channel. A message goes to all that subscribed before it was received,
    /// and is dropped if there are none.
    ///
    /// Processes that share the channel of subscriptions should close it once they have
    /// subscribed: one that traps while it holds it poisons it, and nobody can subscribe any more.
    ///
    /// # Errors
    ///
    /// What ended `messages`, if it was not closed, and those of [`send`](Broadcast::send).
    pub fn relay(
        mut self,
        messages: &Receiver<T>,
        subscriptions: &Receiver<Sender<T>>,
    ) -> Result<(), Error> {
        let mut open = true;
        loop {
            let message = crate::select! {
                priority;
                subscriber = receive(subscriptions) if open => {
                    match subscriber {
                        Ok(subscriber) => self.add(subscriber),
                        Err(error) => {
                            open = matches!(error, Error::Undecodable(_));
                            self.lost.extend((error != Error::Closed).then_some(error));
                        }
                    }
                    None
                }
                message = receive(messages) => match message {
                    Err(Error::Closed) => return Ok(()),
                    message => Some(message?),
                },
            }?;
            if let Some(message) = message {
                self.send(&message)?;
            }
        }
    }
}

/// Whether the message or this process is at fault, rather than a subscriber.
fn concerns_all(error: &Error) -> bool {
    matches!(error, Error::TooLarge | Error::Malformed)
}

impl<T: Message> Default for Broadcast<T> {
    fn default() -> Self {
        Broadcast::new()
    }
}

impl<T> fmt::Debug for Broadcast<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast")
            .field("subscribers", &self.subscribers.len())
            .field("lost", &self.lost)
            .finish()
    }
}
