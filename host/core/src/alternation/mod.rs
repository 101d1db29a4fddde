//! Alternation: waiting for one of several communications, CSP's external choice.
//!
//! Exactly one guard wins; the losers lose nothing.
//!
//! ```
//! use transputer_core::{Alternation, Guard, Options, Order, Outcome, channel};
//!
//! let (sender, receiver) = channel(Options::bounded(1));
//! let (log, _lines) = channel(Options::rendezvous());
//! sender.try_send("work").unwrap();
//!
//! let mut alternation = Alternation::new(Order::Fair);
//! let chosen = alternation.wait_blocking(vec![
//!     Guard::Receive(&receiver),
//!     Guard::Send(&log, "idle"),
//! ]);
//! assert_eq!(chosen.guard, 0);
//! assert_eq!(chosen.outcome, Outcome::Received("work"));
//! assert_eq!(chosen.unsent, [(1, "idle")]);
//! ```
//!
//! As Go's select, an alternation makes three passes: it looks for a guard that is ready,
//! with all its channels locked; finding none, it enters the queues of all its channels
//! before it unlocks them; and when a counterpart has served it, it leaves the queues of
//! the losers. See the crate's `README.md`.

mod branch;
mod error;
mod guard;
mod locks;
mod prepared;
mod wait;

use fastrand::Rng;

use crate::channel::{Payload, block_on};

pub use error::GuardError;
pub use guard::{Chosen, Guard, Order, Outcome};
pub use prepared::Prepared;
pub use wait::AlternationFuture;

/// The way in which a process chooses among guards, with the random state of fair choice.
///
/// Keep one for a whole loop: fairness is a property of many choices.
#[derive(Clone, Debug)]
pub struct Alternation {
    order: Order,
    random: Rng,
}

impl Alternation {
    /// An alternation whose fair choice is seeded at random.
    pub fn new(order: Order) -> Self {
        Alternation {
            order,
            random: Rng::new(),
        }
    }

    /// An alternation whose fair choice is repeatable.
    pub fn seeded(order: Order, seed: u64) -> Self {
        Alternation {
            order,
            random: Rng::with_seed(seed),
        }
    }

    /// Waits until one of the guards can go, and lets exactly one go.
    ///
    /// The same channel may be named more than once, and by both its ends; an alternation
    /// never communicates with itself. A communication, or the end of a channel, comes
    /// before [`Guard::After`] and [`Guard::Skip`]. Without any guards it waits for ever.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing: a message that a receive guard was handed already
    /// goes back, as with [`Receiver::receive`](crate::Receiver::receive). The messages of
    /// send guards are dropped with the future, except one that was sent already.
    pub fn wait<'a, T: Payload>(
        &'a mut self,
        guards: Vec<Guard<'a, T>>,
    ) -> AlternationFuture<'a, T> {
        AlternationFuture::new(self, guards)
    }

    /// Like [`wait`](Self::wait), parking the calling thread. Not for code that runs on a
    /// scheduler's worker.
    pub fn wait_blocking<T: Payload>(&mut self, guards: Vec<Guard<'_, T>>) -> Chosen<T> {
        block_on(AlternationFuture::new(self, guards))
    }

    /// The order in which guards that share a channel enter its queue, where the first is served
    /// first.
    fn shuffle(&mut self, guards: &mut [usize]) {
        match self.order {
            Order::Priority => {}
            Order::Fair => self.random.shuffle(guards),
        }
    }

    /// One of the ready guards, whose numbers come in rising order.
    fn choose(&mut self, ready: impl Iterator<Item = usize>) -> Option<usize> {
        let mut chosen = None;
        for (seen, guard) in ready.enumerate() {
            match self.order {
                Order::Priority => return Some(guard),
                // Each newcomer replaces the choice with probability 1/n, which leaves
                // every one of them chosen with the same probability.
                Order::Fair if self.random.usize(..=seen) == 0 => chosen = Some(guard),
                Order::Fair => {}
            }
        }
        chosen
    }
}
