//! Alternation, as a future.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::call::{Call, Room};
use super::{Receiver, Sender, after_event, raw};
use crate::alternation::{Asked, Won};
use crate::bindings::transputer::csp::alternation::{Guard, Order};
use crate::bindings::transputer::csp::channel as raw_channel;
use crate::error::Error;
use crate::message::{AsMessage, Message};
use crate::process::Instant;
use crate::{Chosen, PlainGuard, ReceiveGuard, SendGuard};

/// An alternation under construction, as [`crate::Alternation`] is for processes that block.
///
/// Exactly one guard wins; the losers lose nothing. Dropping the future of [`wait`](Self::wait) lets none
/// of them win, unless one has already: its message comes next at its receiver.
#[derive(Debug)]
pub struct Alternation<'a>(crate::Alternation<'a>);

impl<'a> Alternation<'a> {
    /// Among the guards that are ready, each is chosen with the same probability.
    pub fn fair() -> Self {
        Alternation(crate::Alternation::fair())
    }

    /// Among the guards that are ready, the one that was added first is chosen.
    pub fn priority() -> Self {
        Alternation(crate::Alternation::priority())
    }

    /// A guard that takes a message. It is ready when there is one, and when the channel has
    /// ended.
    pub fn receive<T: Message>(&mut self, receiver: &'a Receiver<T>) -> ReceiveGuard<'a, T> {
        self.0.receive(&receiver.0)
    }

    /// A guard that sends this message; see [`crate::Alternation::send`].
    pub fn send<T: Message>(
        &mut self,
        sender: &'a Sender<T>,
        message: impl AsMessage<T>,
    ) -> SendGuard {
        self.0.send(&sender.0, message)
    }

    /// A guard that is ready when this much time has passed since now.
    pub fn after(&mut self, duration: Duration) -> PlainGuard {
        self.0.after(duration)
    }

    /// A guard that is ready from this time on. A communication that is possible by then is
    /// preferred.
    pub fn at(&mut self, time: Instant) -> PlainGuard {
        self.0.at(time)
    }

    /// A guard that is chosen when no other is ready: the alternation doesn't wait.
    pub fn skip(&mut self) -> PlainGuard {
        self.0.skip()
    }

    /// Waits until one of the guards can go, and lets exactly one go.
    ///
    /// # Errors
    ///
    /// As [`crate::Alternation::wait`].
    pub async fn wait(mut self) -> Result<Chosen<'a>, Error> {
        after_event();
        let Asked {
            indices,
            mine,
            order,
        } = self.0.prepare_to_ask()?;
        if let Some(mine) = mine
            && indices.is_empty()
        {
            return Ok(Chosen::buffered(mine));
        }
        let borrowed = self.0.borrow(&indices)?;
        let mut guards: Vec<Guard<'_>> = borrowed.iter().map(|it| it.guard()).collect();
        if mine.is_some() {
            guards.push(Guard::Skip);
        }
        let lowered = guards.iter().map(Lowered::of).collect();
        let select = Select {
            alternation: &self.0,
            indices: &indices,
            lowered,
            order,
            call: Call::new(),
        };
        let won = select.await;
        // The messages that they offer had to stay where they were until the call had begun.
        drop(guards);
        match (won, mine) {
            (Ok(won), _) if indices.get(won.guard as usize).is_some() => {
                Ok(self.0.chosen(&indices, won))
            }
            (Ok(_), Some(mine)) => Ok(Chosen::buffered(mine)),
            (Ok(_), None) => Err(Error::Malformed),
            (Err(error), _) => Err(Error::from_host(error, || None)),
        }
    }
}

/// A guard as it lies in memory.
#[repr(C, align(8))]
struct Lowered {
    case: u32,
    _unused: u32,
    content: [u32; 4],
}

impl Lowered {
    fn of(guard: &Guard<'_>) -> Self {
        let (case, content) = match guard {
            Guard::Receive(receiver) => (0, [receiver.handle(), 0, 0, 0]),
            Guard::Send((sender, message)) => {
                let at = message.as_ptr().expose_provenance() as u32;
                (1, [sender.handle(), at, message.len() as u32, 0])
            }
            Guard::After(time) => (2, [*time as u32, (*time >> 32) as u32, 0, 0]),
            Guard::Skip => (3, [0; 4]),
        };
        Lowered {
            case,
            _unused: 0,
            content,
        }
    }
}

struct Select<'s, 'a> {
    alternation: &'s crate::Alternation<'a>,
    indices: &'s [usize],
    lowered: Vec<Lowered>,
    order: Order,
    call: Call<28>,
}

impl Select<'_, '_> {
    fn result(room: &Room<28>) -> Result<Won, raw_channel::Error> {
        if room.byte(0) != 0 {
            return Err(room.error(4));
        }
        Ok(Won {
            guard: room.u32(4),
            outcome: match room.byte(8) {
                0 => Some(Ok((room.bytes(12), room.ends(20)))),
                4 => Some(Err(room.error(12))),
                _ => None,
            },
        })
    }
}

impl Future for Select<'_, '_> {
    type Output = Result<Won, raw_channel::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let order = match self.order {
            Order::Fair => 0,
            Order::Priority => 1,
        };
        let (call, lowered) = super::project_two(self, |this| (&mut this.call, &mut this.lowered));
        let guards = lowered.as_ptr().cast();
        let length = lowered.len();
        call.poll(context, |to| raw::select_to(guards, length, order, to))
            .map(Self::result)
    }
}

/// If a guard has won all the same, its message is the next that its receiver gives.
impl Drop for Select<'_, '_> {
    fn drop(&mut self) {
        let (alternation, indices) = (self.alternation, self.indices);
        let this = super::pinned_for_drop(self);
        let call = super::project(this, |this| &mut this.call);
        if let Some(room) = call.give_up()
            && let Ok(won) = Self::result(room)
        {
            alternation.put_back(indices, won);
        }
    }
}
