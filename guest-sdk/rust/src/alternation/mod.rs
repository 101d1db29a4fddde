//! Alternation: waiting for one of several communications, CSP's external choice.

mod macros;
mod prepared;

pub use prepared::{OfferGuard, Prepared};

use std::cell::{Cell, Ref};
use std::marker::PhantomData;
use std::time::Duration;

use crate::bindings::transputer::csp::alternation::{self as raw, Order};
use crate::bindings::transputer::csp::channel as raw_channel;
use crate::channel::{
    Received, Receiver, ReceiverHandle, Sender, SenderHandle, run_deferred, written,
};
use crate::error::Error;
use crate::message::{AsMessage, Message};
use crate::process::{Instant, now};

/// An alternation under construction, for numbers of guards that are not known when the
/// program is written; [`select!`](crate::select) reads better where they are.
///
/// Exactly one guard wins; the losers lose nothing.
///
/// ```no_run
/// use std::time::Duration;
/// use transputer_guest::{Alternation, Error, Receiver};
///
/// /// The first answer of many servers, or none within a second.
/// fn first(servers: &[Receiver<String>]) -> Result<Option<String>, Error> {
///     let mut alternation = Alternation::fair();
///     let guards: Vec<_> = servers.iter().map(|server| alternation.receive(server)).collect();
///     alternation.after(Duration::from_secs(1));
///     let mut chosen = alternation.wait()?;
///     match guards.get(chosen.index()) {
///         Some(guard) => chosen.received(guard).transpose(),
///         None => Ok(None),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Alternation<'a> {
    priority: bool,
    offers: Vec<Offer<'a>>,
    /// What went wrong while it was built.
    error: Option<Error>,
}

#[derive(Debug)]
enum Offer<'a> {
    Receive(&'a ReceiverHandle),
    Send(&'a SenderHandle, Vec<u8>),
    After(Instant),
    Skip,
}

/// A guard of an [`Alternation`] that receives.
#[derive(Debug)]
pub struct ReceiveGuard<'a, T> {
    index: usize,
    receiver: &'a Receiver<T>,
}

/// A guard of an [`Alternation`] that sends.
#[derive(Debug)]
pub struct SendGuard {
    index: usize,
}

/// A guard of an [`Alternation`] without a channel: a time, or skip.
#[derive(Debug)]
pub struct PlainGuard {
    index: usize,
}

/// Which guard won, and its outcome.
#[derive(Debug)]
#[must_use = "the message of the guard that won is in here"]
pub struct Chosen<'a> {
    index: usize,
    outcome: Option<Outcome>,
    alternation: PhantomData<&'a ()>,
}

enum Outcome {
    Received(Received),
    /// A message that a loop took in advance is next at this receiver.
    Buffered,
    /// A message was sent, or the guard had no channel.
    Done,
    Failed(Error),
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Outcome::Received(_) => "Received",
            Outcome::Buffered => "Buffered",
            Outcome::Done => "Done",
            Outcome::Failed(_) => "Failed",
        })
    }
}

impl<'a> Alternation<'a> {
    /// Among the guards that are ready, each is chosen with the same probability.
    pub fn fair() -> Self {
        Alternation {
            priority: false,
            offers: Vec::new(),
            error: None,
        }
    }

    /// Among the guards that are ready, the one that was added first is chosen.
    pub fn priority() -> Self {
        Alternation {
            priority: true,
            ..Alternation::fair()
        }
    }

    /// A guard that takes a message. It is ready when there is one, and when the channel has
    /// ended.
    pub fn receive<T: Message>(&mut self, receiver: &'a Receiver<T>) -> ReceiveGuard<'a, T> {
        let index = self.offer(Offer::Receive(receiver.end()));
        ReceiveGuard { index, receiver }
    }

    /// A guard that sends this message. It is ready when the channel would take it without
    /// waiting, and when the channel has ended. A message that holds ends of channels cannot
    /// be sent in an alternation.
    pub fn send<T: Message>(
        &mut self,
        sender: &'a Sender<T>,
        message: impl AsMessage<T>,
    ) -> SendGuard {
        let (bytes, ends) = written(message.as_message()).finish();
        if !ends.is_empty() {
            self.error = Some(Error::CarriesEnds);
        }
        let index = self.offer(Offer::Send(sender.end(), bytes));
        SendGuard { index }
    }

    /// A guard that is ready when this much time has passed since now.
    pub fn after(&mut self, duration: Duration) -> PlainGuard {
        self.at(now() + duration)
    }

    /// A guard that is ready from this time on. A communication that is possible by then is
    /// preferred.
    pub fn at(&mut self, time: Instant) -> PlainGuard {
        let index = self.offer(Offer::After(time));
        PlainGuard { index }
    }

    /// A guard that is chosen when no other is ready: the alternation doesn't wait.
    pub fn skip(&mut self) -> PlainGuard {
        let index = self.offer(Offer::Skip);
        PlainGuard { index }
    }

    /// Blocks until one of the guards can go, and lets exactly one go.
    ///
    /// # Errors
    ///
    /// Only what concerns the alternation as a whole: [`Error::NoGuard`] without any guard,
    /// [`Error::CarriesEnds`] and [`Error::Moved`] for a guard that cannot be offered,
    /// [`Error::Overloaded`] for more guards than the host allows. That a channel has ended
    /// is the outcome of its guard.
    pub fn wait(mut self) -> Result<Chosen<'a>, Error> {
        self.check()?;
        run_deferred();
        match self.offers.iter().any(Offer::has_buffered) {
            true => self.wait_with_buffered(),
            false => {
                let all: Vec<usize> = (0..self.offers.len()).collect();
                self.ask_host(&all, false)?.ok_or(Error::Malformed)
            }
        }
    }

    fn check(&mut self) -> Result<(), Error> {
        match self.error.take() {
            Some(error) => Err(error),
            None if self.offers.is_empty() => Err(Error::NoGuard),
            None => Ok(()),
        }
    }

    /// What to ask the host, for who asks it by a future.
    pub(crate) fn prepare_to_ask(&mut self) -> Result<Asked, Error> {
        self.check()?;
        let order = self.order();
        let (buffered, asked): (Vec<usize>, Vec<usize>) = (0..self.offers.len())
            .filter(|&index| self.offers[index].communicates())
            .partition(|&index| self.offers[index].has_buffered());
        if buffered.is_empty() {
            return Ok(Asked {
                indices: (0..self.offers.len()).collect(),
                mine: None,
                order,
            });
        }
        let turn = share_turns(self.priority, &buffered, &asked).ok_or(Error::Malformed)?;
        let (mine, indices) = turn;
        Ok(Asked {
            indices,
            mine: Some(mine),
            order,
        })
    }

    pub(crate) fn borrow(&self, indices: &[usize]) -> Result<Vec<Borrowed<'_>>, Error> {
        let offers = indices.iter();
        offers.map(|&index| self.offers[index].borrow()).collect()
    }

    /// What the host has chosen among those that it was asked for.
    pub(crate) fn chosen(&self, indices: &[usize], won: Won) -> Chosen<'a> {
        let index = indices.get(won.guard as usize).copied().unwrap_or_default();
        let outcome = match won.outcome {
            Some(Ok((bytes, ends))) => Outcome::Received(Received::Large { bytes, ends }),
            Some(Err(error)) => {
                Outcome::Failed(Error::from_host(error, || self.offers[index].cause()))
            }
            None => Outcome::Done,
        };
        Chosen {
            index,
            outcome: Some(outcome),
            alternation: PhantomData,
        }
    }

    /// Gives what was received to the receiver of the guard, since nobody asks for it any more.
    pub(crate) fn put_back(&self, indices: &[usize], won: Won) {
        let index = indices.get(won.guard as usize);
        let offer = index.and_then(|&index| self.offers.get(index));
        if let (Some(Offer::Receive(receiver)), Some(Ok((bytes, ends)))) = (offer, won.outcome) {
            receiver.put_back_message(Received::Large { bytes, ends });
        }
    }

    fn order(&self) -> Order {
        match self.priority {
            true => Order::Priority,
            false => Order::Fair,
        }
    }

    fn offer(&mut self, offer: Offer<'a>) -> usize {
        self.offers.push(offer);
        self.offers.len() - 1
    }

    /// Some receivers have buffered messages, which a loop took in advance: their guards are
    /// ready, though the host does not know it.
    fn wait_with_buffered(&self) -> Result<Chosen<'a>, Error> {
        let (buffered, asked): (Vec<usize>, Vec<usize>) = (0..self.offers.len())
            .filter(|&index| self.offers[index].communicates())
            .partition(|&index| self.offers[index].has_buffered());
        let Some((mine, asked)) = share_turns(self.priority, &buffered, &asked) else {
            return Err(Error::Malformed);
        };
        if !asked.is_empty()
            && let Some(chosen) = self.ask_host(&asked, true)?
        {
            return Ok(chosen);
        }
        Ok(Chosen {
            index: mine,
            outcome: Some(Outcome::Buffered),
            alternation: PhantomData,
        })
    }

    /// Offers some of the guards to the host. With `poll` it doesn't wait, and returns `None`
    /// if none of them is ready.
    fn ask_host(&self, indices: &[usize], poll: bool) -> Result<Option<Chosen<'a>>, Error> {
        let borrowed: Vec<Borrowed<'_>> = indices
            .iter()
            .map(|&index| self.offers[index].borrow())
            .collect::<Result<_, Error>>()?;
        let mut guards: Vec<raw::Guard<'_>> = borrowed.iter().map(Borrowed::guard).collect();
        if poll {
            guards.push(raw::Guard::Skip);
        }
        let chosen =
            raw::select(&guards, self.order()).map_err(|error| Error::from_host(error, || None))?;
        let Some(&index) = indices.get(chosen.guard as usize) else {
            return if poll {
                Ok(None)
            } else {
                Err(Error::Malformed)
            };
        };
        let outcome = match chosen.outcome {
            raw::Outcome::Received(message) => Outcome::Received(message.into()),
            raw::Outcome::Sent | raw::Outcome::Elapsed | raw::Outcome::Skipped => Outcome::Done,
            raw::Outcome::Failed(error) => {
                Outcome::Failed(Error::from_host(error, || self.offers[index].cause()))
            }
        };
        Ok(Some(Chosen {
            index,
            outcome: Some(outcome),
            alternation: PhantomData,
        }))
    }
}

/// What to ask the host in an alternation.
pub(crate) struct Asked {
    /// The guards.
    pub(crate) indices: Vec<usize>,
    /// The one that wins if none of these is ready: its receiver has a message already.
    pub(crate) mine: Option<usize>,
    pub(crate) order: Order,
}

/// What the host has chosen.
pub(crate) struct Won {
    /// Among those that it was asked for.
    pub(crate) guard: u32,
    /// A message, or why there is none; nothing, for a guard that received nothing.
    pub(crate) outcome: Option<Result<Carried, raw_channel::Error>>,
}

/// A message's bytes and ends.
type Carried = (Vec<u8>, Vec<raw_channel::End>);

impl<'a> Chosen<'a> {
    /// A guard whose receiver has a message already.
    pub(crate) fn buffered(index: usize) -> Self {
        Chosen {
            index,
            outcome: Some(Outcome::Buffered),
            alternation: PhantomData,
        }
    }

    /// The index of the guard that won, in the order in which guards were added.
    pub fn index(&self) -> usize {
        self.index
    }

    /// What was received, if this guard won; once.
    ///
    /// # Errors
    ///
    /// Inside: those of [`Receiver::receive`].
    pub fn received<T: Message>(
        &mut self,
        guard: &ReceiveGuard<'a, T>,
    ) -> Option<Result<T, Error>> {
        if self.index != guard.index {
            return None;
        }
        Some(match self.outcome.take()? {
            Outcome::Received(message) => guard.receiver.decode(message),
            Outcome::Buffered => guard.receiver.buffered()?,
            Outcome::Failed(error) => Err(error),
            Outcome::Done => Err(Error::Malformed),
        })
    }

    /// Whether the message was sent, if this guard won; once.
    ///
    /// # Errors
    ///
    /// Inside: those of [`Sender::send`].
    pub fn sent(&mut self, guard: &SendGuard) -> Option<Result<(), Error>> {
        if self.index != guard.index {
            return None;
        }
        Some(match self.outcome.take()? {
            Outcome::Done => Ok(()),
            Outcome::Failed(error) => Err(error),
            Outcome::Received(_) | Outcome::Buffered => Err(Error::Malformed),
        })
    }

    /// Whether this guard won.
    pub fn is(&self, guard: &PlainGuard) -> bool {
        self.index == guard.index
    }
}

/// Receives from whichever of the receivers has a message first, and returns its index with the message or
/// with how that channel ended. Fair.
///
/// # Errors
///
/// Those of [`Alternation::wait`]; inside, those of [`Receiver::receive`].
pub fn receive_any<T: Message>(
    receivers: &[Receiver<T>],
) -> Result<(usize, Result<T, Error>), Error> {
    let mut alternation = Alternation::fair();
    let guards: Vec<_> = receivers
        .iter()
        .map(|receiver| alternation.receive(receiver))
        .collect();
    let mut chosen = alternation.wait()?;
    let index = chosen.index();
    let message = guards.get(index).and_then(|guard| chosen.received(guard));
    Ok((index, message.ok_or(Error::Malformed)?))
}

/// An offer with its handle borrowed for one call to the host.
pub(crate) enum Borrowed<'o> {
    Receive(Ref<'o, raw_channel::Receiver>),
    Send(Ref<'o, raw_channel::Sender>, &'o [u8]),
    After(Instant),
    Skip,
}

impl Borrowed<'_> {
    pub(crate) fn guard(&self) -> raw::Guard<'_> {
        match self {
            Borrowed::Receive(receiver) => raw::Guard::Receive(receiver),
            Borrowed::Send(sender, bytes) => raw::Guard::Send((sender, bytes.to_vec())),
            Borrowed::After(time) => raw::Guard::After(time.nanoseconds()),
            Borrowed::Skip => raw::Guard::Skip,
        }
    }
}

impl Offer<'_> {
    fn has_buffered(&self) -> bool {
        matches!(self, Offer::Receive(receiver) if receiver.has_buffered())
    }

    fn communicates(&self) -> bool {
        matches!(self, Offer::Receive(_) | Offer::Send(..))
    }

    fn borrow(&self) -> Result<Borrowed<'_>, Error> {
        Ok(match self {
            Offer::Receive(receiver) => Borrowed::Receive(receiver.borrow()?),
            Offer::Send(sender, bytes) => Borrowed::Send(sender.borrow()?, bytes),
            Offer::After(time) => Borrowed::After(*time),
            Offer::Skip => Borrowed::Skip,
        })
    }

    fn cause(&self) -> Option<raw_channel::Cause> {
        match self {
            Offer::Receive(receiver) => receiver.cause(),
            Offer::Send(sender, _) => sender.cause(),
            Offer::After(_) | Offer::Skip => None,
        }
    }
}

/// Chooses one of the guards with buffered messages, if there are any, and those of the others
/// that the host is asked about first.
fn share_turns(priority: bool, buffered: &[usize], asked: &[usize]) -> Option<(usize, Vec<usize>)> {
    let turn = if priority || buffered.is_empty() {
        0
    } else {
        next_turn()
    };
    let &mine = buffered.get(turn % buffered.len().max(1))?;
    let asked = if priority {
        asked
            .iter()
            .copied()
            .filter(|&index| index < mine)
            .collect()
    } else if turn % (buffered.len() + asked.len()) < buffered.len() {
        Vec::new()
    } else {
        asked.to_vec()
    };
    Some((mine, asked))
}

thread_local! {
    static TURN: Cell<usize> = const { Cell::new(0) };
}

/// Counts, so that every ready guard gets its turn.
fn next_turn() -> usize {
    TURN.replace(TURN.get().wrapping_add(1))
}
