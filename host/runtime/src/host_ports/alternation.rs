//! Alternation among host ends.

use std::fmt;
use std::time::Duration;

use transputer_core::alternation::{Alternation, Chosen, Guard, GuardError, Outcome};
use transputer_core::clock::Clock;

use super::{HostReceiver, HostSender};
use crate::host::Host;
use crate::message::{Carried, Message};

pub use transputer_core::alternation::Order;

/// Waits for one of several communications of a program's own host ends: exactly one happens,
/// the others lose nothing. CSP's external choice, as guests have it.
///
/// ```no_run
/// use std::time::Duration;
/// use transputer::{Host, HostAlternation, HostGuard, HostOutcome, HostReceiver, Order};
///
/// fn first_of(host: &Host, a: &HostReceiver, b: &HostReceiver) -> Option<Vec<u8>> {
///     let mut alternation = HostAlternation::new(host, Order::Fair);
///     let chosen = alternation.wait(vec![
///         HostGuard::Receive(a),
///         HostGuard::Receive(b),
///         HostGuard::After(Duration::from_secs(1)),
///     ]);
///     match chosen.outcome {
///         HostOutcome::Received(message) => Some(message),
///         _ => None,
///     }
/// }
/// ```
pub struct HostAlternation {
    alternation: Alternation,
    clock: Clock,
}

/// Something that a program can wait for.
#[derive(Debug)]
#[non_exhaustive]
pub enum HostGuard<'ends> {
    /// A message can be received, or the channel has ended.
    Receive(&'ends HostReceiver),
    /// This message can be sent, or the channel has ended.
    Send(&'ends HostSender, Vec<u8>),
    /// This much time has passed on the host's clock.
    After(Duration),
    /// Chosen if nothing else is ready.
    Skip,
}

/// What became of the guard that won.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostOutcome {
    /// This message was received. The ends that it carried are closed.
    Received(Vec<u8>),
    /// The guard's message was sent.
    Sent,
    /// The time has passed.
    Elapsed,
    /// Nothing was ready.
    Skipped,
    /// The guard's channel has ended.
    Failed(GuardError),
}

/// The guard that won.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostChosen {
    /// Its index among the guards.
    pub guard: usize,
    /// What became of it.
    pub outcome: HostOutcome,
    /// The messages of the send guards that did not send, each with its guard's index.
    pub unsent: Vec<(usize, Vec<u8>)>,
}

impl HostAlternation {
    /// An alternation among ends that belong to networks of this host. Keep it for further choices:
    /// a fair choice depends on those before it.
    pub fn new(host: &Host, order: Order) -> Self {
        let scheduler = host.0.scheduler();
        Self {
            alternation: Alternation::seeded(order, scheduler.random_seed()),
            clock: scheduler.clock().clone(),
        }
    }

    /// Waits until one guard can go, and lets exactly one go; blocks the calling thread.
    ///
    /// # Panics
    /// If there are no guards: it would wait for ever.
    pub fn wait(&mut self, guards: Vec<HostGuard<'_>>) -> HostChosen {
        let guards = self.guards(guards);
        chosen(self.alternation.wait_blocking(guards))
    }

    /// Like [`wait`](Self::wait), in an async program. Dropping the future loses nothing.
    ///
    /// # Panics
    /// As `wait`.
    pub async fn wait_async(&mut self, guards: Vec<HostGuard<'_>>) -> HostChosen {
        let guards = self.guards(guards);
        chosen(self.alternation.wait(guards).await)
    }

    fn guards<'ends>(&self, guards: Vec<HostGuard<'ends>>) -> Vec<Guard<'ends, Message>> {
        assert!(!guards.is_empty(), "an alternation needs a guard");
        let guard = |guard| match guard {
            HostGuard::Receive(receiver) => Guard::Receive(receiver.inner()),
            HostGuard::Send(sender, bytes) => Guard::Send(
                sender.inner(),
                Message::of_program(bytes, Carried::default()),
            ),
            HostGuard::After(time) => Guard::After(self.clock.sleep(time)),
            HostGuard::Skip => Guard::Skip,
        };
        guards.into_iter().map(guard).collect()
    }
}

fn chosen(chosen: Chosen<Message>) -> HostChosen {
    let unsent = chosen.unsent.into_iter();
    HostChosen {
        guard: chosen.guard,
        outcome: match chosen.outcome {
            Outcome::Received(message) => {
                HostOutcome::Received(message.into_inner().bytes.into_vec())
            }
            Outcome::Sent => HostOutcome::Sent,
            Outcome::Elapsed => HostOutcome::Elapsed,
            Outcome::Skipped => HostOutcome::Skipped,
            Outcome::Failed(error) => HostOutcome::Failed(error),
        },
        unsent: unsent
            .map(|(guard, message)| (guard, message.into_inner().bytes.into_vec()))
            .collect(),
    }
}

impl fmt::Debug for HostAlternation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostAlternation").finish_non_exhaustive()
    }
}
