//! Alternations that are built once.

use std::marker::PhantomData;

use super::{Chosen, Outcome, ReceiveGuard, SendGuard, share_turns};
use crate::bindings::transputer::csp::alternation::{self as raw, Order};
use crate::bindings::transputer::csp::channel::{Cause, Patience};
use crate::channel::{Receiver, ReceiverHandle, Sender, SenderHandle, run_deferred, written};
use crate::error::Error;
use crate::message::{AsMessage, Message};
use crate::process::Instant;

/// An alternation that is built once, for a loop that chooses among the same channels again and
/// again: the host need not look up the handles of its guards at every wait.
///
/// Exactly one guard wins each wait; the losers lose nothing. Guards can be switched off and on,
/// and a guard that sends takes part while it has something to offer.
///
/// ```no_run
/// use transputer_guest::{Error, Prepared, Receiver, Sender};
///
/// /// A buffer of one: it receives only while it is empty, and sends only while it is not.
/// fn buffer(input: Receiver<u64>, output: Sender<u64>) -> Result<(), Error> {
///     let mut prepared = Prepared::fair()?;
///     let receives = prepared.receive(&input)?;
///     let sends = prepared.send(&output)?;
///     loop {
///         let mut chosen = prepared.wait()?;
///         if let Some(number) = chosen.received(&receives) {
///             prepared.switch(&receives, false);
///             prepared.offer(&sends, &number?)?;
///         }
///         if let Some(sent) = chosen.offered(&sends) {
///             sent?;
///             prepared.switch(&receives, true);
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Prepared<'a> {
    prepared: raw::Prepared,
    priority: bool,
    guards: Vec<PreparedGuard<'a>>,
}

/// A guard of a [`Prepared`] alternation that sends.
#[derive(Debug)]
pub struct OfferGuard<'a, T> {
    guard: SendGuard,
    sender: PhantomData<&'a Sender<T>>,
}

#[derive(Debug)]
enum PreparedGuard<'a> {
    Receive {
        end: &'a ReceiverHandle,
        on: bool,
    },
    Send {
        end: &'a SenderHandle,
        offer: Option<Vec<u8>>,
    },
}

impl PreparedGuard<'_> {
    fn takes_part(&self) -> bool {
        match self {
            PreparedGuard::Receive { on, .. } => *on,
            PreparedGuard::Send { offer, .. } => offer.is_some(),
        }
    }

    fn has_buffered(&self) -> bool {
        matches!(self, PreparedGuard::Receive { end, .. } if end.has_buffered())
    }

    fn cause(&self) -> Option<Cause> {
        match self {
            PreparedGuard::Receive { end, .. } => end.cause(),
            PreparedGuard::Send { end, .. } => end.cause(),
        }
    }
}

impl<'a> Prepared<'a> {
    /// Among the guards that are ready, each is chosen with the same probability.
    ///
    /// # Errors
    ///
    /// [`Error::Overloaded`] for more of them than a process may have.
    pub fn fair() -> Result<Self, Error> {
        Prepared::new(false)
    }

    /// Among the guards that are ready, the one that was added first is chosen.
    ///
    /// # Errors
    ///
    /// [`Error::Overloaded`] for more of them than a process may have.
    pub fn priority() -> Result<Self, Error> {
        Prepared::new(true)
    }

    fn new(priority: bool) -> Result<Self, Error> {
        let order = match priority {
            true => Order::Priority,
            false => Order::Fair,
        };
        Ok(Prepared {
            prepared: raw::prepare(order).map_err(plain)?,
            priority,
            guards: Vec::new(),
        })
    }

    /// Adds a guard that takes a message. It is ready when there is one, and when the channel has
    /// ended.
    ///
    /// # Errors
    ///
    /// [`Error::Moved`], and [`Error::Overloaded`] for more guards than the host allows.
    pub fn receive<T: Message>(
        &mut self,
        receiver: &'a Receiver<T>,
    ) -> Result<ReceiveGuard<'a, T>, Error> {
        let end = receiver.end();
        self.prepared.add_receive(&*end.borrow()?).map_err(plain)?;
        self.guards.push(PreparedGuard::Receive { end, on: true });
        let index = self.guards.len() - 1;
        Ok(ReceiveGuard { index, receiver })
    }

    /// Adds a guard that sends what it is given to [`offer`](Prepared::offer). It is ready when
    /// the channel would take that without waiting, and when the channel has ended.
    ///
    /// # Errors
    ///
    /// [`Error::Moved`], and [`Error::Overloaded`] for more guards than the host allows.
    pub fn send<T: Message>(&mut self, sender: &'a Sender<T>) -> Result<OfferGuard<'a, T>, Error> {
        let end = sender.end();
        self.prepared.add_send(&*end.borrow()?).map_err(plain)?;
        self.guards.push(PreparedGuard::Send { end, offer: None });
        let index = self.guards.len() - 1;
        Ok(OfferGuard {
            guard: SendGuard { index },
            sender: PhantomData,
        })
    }

    /// Switches a guard off, or on again.
    pub fn switch<T>(&mut self, guard: &ReceiveGuard<'a, T>, to: bool) {
        if let Some(PreparedGuard::Receive { on, .. }) = self.guards.get_mut(guard.index) {
            *on = to;
        }
    }

    /// Offers this message, in place of any that was offered before, until it is sent or
    /// [withdrawn](Prepared::withdraw).
    ///
    /// # Errors
    ///
    /// [`Error::CarriesEnds`]: a message that holds ends cannot be sent in an alternation.
    pub fn offer<T: Message>(
        &mut self,
        guard: &OfferGuard<'a, T>,
        message: impl AsMessage<T>,
    ) -> Result<(), Error> {
        let (bytes, ends) = written(message.as_message()).finish();
        if !ends.is_empty() {
            return Err(Error::CarriesEnds);
        }
        if let Some(PreparedGuard::Send { offer, .. }) = self.guards.get_mut(guard.guard.index) {
            *offer = Some(bytes);
        }
        Ok(())
    }

    /// Offers nothing at this guard any longer.
    pub fn withdraw<T>(&mut self, guard: &OfferGuard<'a, T>) {
        if let Some(PreparedGuard::Send { offer, .. }) = self.guards.get_mut(guard.guard.index) {
            *offer = None;
        }
    }

    /// Blocks until one of the guards can go, and lets exactly one go.
    ///
    /// # Errors
    ///
    /// [`Error::NoGuard`] if none takes part, [`Error::TooLarge`] for an offer. That a channel has
    /// ended, or an end has moved away, is the outcome of its guard.
    pub fn wait(&mut self) -> Result<Chosen<'a>, Error> {
        if !self.guards.iter().any(PreparedGuard::takes_part) {
            return Err(Error::NoGuard);
        }
        self.wait_within(Patience::Forever)
    }

    /// Like [`wait`](Prepared::wait), but gives up at `deadline`. Where no guard takes part, it waits for that alone.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`]; otherwise those of [`wait`](Prepared::wait).
    pub fn wait_by(&mut self, deadline: Instant) -> Result<Chosen<'a>, Error> {
        self.wait_within(Patience::Until(deadline.nanoseconds()))
    }

    /// Like [`wait`](Prepared::wait), but does not wait.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`]; otherwise those of [`wait`](Prepared::wait).
    pub fn try_wait(&mut self) -> Result<Chosen<'a>, Error> {
        self.wait_within(Patience::Never)
    }

    fn wait_within(&mut self, patience: Patience) -> Result<Chosen<'a>, Error> {
        run_deferred();
        let taking: Vec<usize> = (0..self.guards.len())
            .filter(|&index| self.guards[index].takes_part())
            .collect();
        let (buffered, asked): (Vec<usize>, Vec<usize>) = taking
            .into_iter()
            .partition(|&index| self.guards[index].has_buffered());
        let Some((mine, asked)) = share_turns(self.priority, &buffered, &asked) else {
            return self.ask_host(&asked, patience);
        };
        if !asked.is_empty() {
            match self.ask_host(&asked, Patience::Never) {
                Err(Error::WouldBlock) => {}
                chosen => return chosen,
            }
        }
        Ok(Chosen {
            index: mine,
            outcome: Some(Outcome::Buffered),
            alternation: PhantomData,
        })
    }

    fn ask_host(&mut self, indices: &[usize], patience: Patience) -> Result<Chosen<'a>, Error> {
        let offers: Vec<(u32, Vec<u8>)> = indices
            .iter()
            .filter_map(|&index| match &self.guards[index] {
                // The host allows far fewer guards than that.
                PreparedGuard::Send { offer, .. } => Some((index as u32, offer.clone()?)),
                PreparedGuard::Receive { .. } => None,
            })
            .collect();
        let enabled: Option<Vec<u32>> = (indices.len() < self.guards.len())
            .then(|| indices.iter().map(|&index| index as u32).collect());
        let chosen = self
            .prepared
            .wait(enabled.as_deref(), &offers, patience)
            .map_err(plain)?;
        let index = chosen.guard as usize;
        let guard = self.guards.get_mut(index).ok_or(Error::Malformed)?;
        let outcome = match chosen.outcome {
            raw::Outcome::Received(message) => Outcome::Received(message.into()),
            raw::Outcome::Sent => {
                if let PreparedGuard::Send { offer, .. } = guard {
                    *offer = None;
                }
                Outcome::Done
            }
            raw::Outcome::Elapsed | raw::Outcome::Skipped => return Err(Error::Malformed),
            raw::Outcome::Failed(error) => {
                Outcome::Failed(Error::from_host(error, || guard.cause()))
            }
        };
        Ok(Chosen {
            index,
            outcome: Some(outcome),
            alternation: PhantomData,
        })
    }
}

/// An error that concerns no one channel.
fn plain(error: crate::bindings::transputer::csp::channel::Error) -> Error {
    Error::from_host(error, || None)
}

impl<'a> Chosen<'a> {
    /// Whether what was offered was sent, if this guard of a [`Prepared`] alternation won; once.
    ///
    /// # Errors
    ///
    /// Inside: those of [`Sender::send`].
    pub fn offered<T>(&mut self, guard: &OfferGuard<'a, T>) -> Option<Result<(), Error>> {
        self.sent(&guard.guard)
    }
}
