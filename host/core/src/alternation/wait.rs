//! An alternation that waits.
//!
//! Lock order: all its channels in the order of their ids, while it looks and enters;
//! after that one channel at a time. Invariants:
//! - It looks and enters in one critical section, so that a counterpart either is seen by
//!   the look, or sees the entries.
//! - While it looks it is in no queue: nobody can claim it, and it cannot meet itself.
//!   So a communication between two alternations takes one claim, that of the other.
//! - Once in the queues, it communicates only if a counterpart wins its claim, and gives
//!   up only by winning the claim itself. Exactly one guard wins.
//! - It leaves all its queues before it returns, or when it is dropped.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::locks::Locks;
use super::{Alternation, Chosen, Guard, Outcome};
use crate::channel::claim::{Claim, Winner};
use crate::channel::deferred::Deferred;
use crate::channel::shared::Shared;
use crate::channel::state::{Offer, Parking, Wish};
use crate::channel::waiting::{Key, Waiter};
use crate::channel::{ChannelError, Payload, Receiver, SendError, Sender};
use crate::clock::Sleep;
use crate::sync::Arc;

/// A guard, and its entry in the queue of its channel while it waits there.
enum Branch<'a, T: Payload> {
    Receive {
        end: &'a Receiver<T>,
        entry: Option<Key>,
    },
    Send {
        end: &'a Sender<T>,
        size: usize,
        /// Here unless it waits in an entry, or has been sent.
        message: Option<T>,
        entry: Option<Key>,
    },
    After(Sleep),
    Skip,
}

impl<'a, T: Payload> Branch<'a, T> {
    fn new(guard: Guard<'a, T>) -> Self {
        match guard {
            Guard::Receive(end) => Branch::Receive { end, entry: None },
            Guard::Send(end, message) => Branch::Send {
                end,
                size: message.size(),
                message: Some(message),
                entry: None,
            },
            Guard::After(sleep) => Branch::After(sleep),
            Guard::Skip => Branch::Skip,
        }
    }

    fn channel(&self) -> Option<&'a Shared<T>> {
        match self {
            Branch::Receive { end, .. } => Some(&end.shared),
            Branch::Send { end, .. } => Some(&end.shared),
            Branch::After(_) | Branch::Skip => None,
        }
    }
}

enum Stage {
    Start,
    Waiting(Arc<Claim>),
    Done,
}

/// The future of [`Alternation::wait`].
///
/// # Panics
///
/// If it is polled after it was ready.
#[must_use = "nothing is chosen until it is awaited"]
pub struct Wait<'a, T: Payload> {
    alternation: &'a mut Alternation,
    branches: Vec<Branch<'a, T>>,
    stage: Stage,
}

impl<T: Payload> Unpin for Wait<'_, T> {}

impl<'a, T: Payload> Wait<'a, T> {
    pub(super) fn new(alternation: &'a mut Alternation, guards: Vec<Guard<'a, T>>) -> Self {
        Wait {
            alternation,
            branches: guards.into_iter().map(Branch::new).collect(),
            stage: Stage::Start,
        }
    }

    /// Looks for a guard that can go, and otherwise enters the queues.
    fn start(&mut self, waker: &Waker) -> Option<(usize, Outcome<T>)> {
        let mut later = Deferred::new();
        let mut locks = Locks::new(self.branches.iter().filter_map(Branch::channel));
        let chosen = self
            .communicate(&mut locks, &mut later)
            .or_else(|| self.elapsed_or_skip())
            .or_else(|| self.enter(&mut locks, &mut later, waker));
        locks.unlock();
        later.run();
        chosen
    }

    /// The first pass: lets one of the ready guards communicate.
    fn communicate(
        &mut self,
        locks: &mut Locks<'a, T>,
        later: &mut Deferred<T>,
    ) -> Option<(usize, Outcome<T>)> {
        loop {
            let branches = &self.branches;
            let is_ready = |guard: &usize| match &branches[*guard] {
                Branch::Receive { end, .. } => locks.state(end.id()).receive_is_ready(),
                Branch::Send { end, size, .. } => locks.state(end.id()).send_is_ready(*size),
                Branch::After(_) | Branch::Skip => false,
            };
            let guard = self
                .alternation
                .choose((0..branches.len()).filter(is_ready))?;
            // An alternation that waits here may have been claimed elsewhere meanwhile.
            if let Some(outcome) = self.try_branch(guard, locks, later) {
                return Some((guard, outcome));
            }
        }
    }

    fn try_branch(
        &mut self,
        guard: usize,
        locks: &mut Locks<'a, T>,
        later: &mut Deferred<T>,
    ) -> Option<Outcome<T>> {
        match &mut self.branches[guard] {
            Branch::Receive { end, .. } => match locks.state(end.id()).try_receive(later) {
                Ok(message) => Some(Outcome::Received(message)),
                Err(ChannelError::WouldBlock) => None,
                Err(error) => Some(Outcome::Failed(error)),
            },
            Branch::Send {
                end, size, message, ..
            } => {
                let offered = message.take()?;
                match locks.state(end.id()).try_send(offered, *size, later) {
                    Ok(()) => Some(Outcome::Sent),
                    Err(refused) => {
                        *message = Some(refused.message);
                        (refused.error != ChannelError::WouldBlock)
                            .then_some(Outcome::Failed(refused.error))
                    }
                }
            }
            Branch::After(_) | Branch::Skip => None,
        }
    }

    /// What to choose when no communication is ready.
    fn elapsed_or_skip(&self) -> Option<(usize, Outcome<T>)> {
        self.branches
            .iter()
            .enumerate()
            .find_map(|(guard, branch)| match branch {
                Branch::After(sleep) if sleep.is_elapsed() => Some((guard, Outcome::Elapsed)),
                Branch::Skip => Some((guard, Outcome::Skipped)),
                _ => None,
            })
    }

    /// The second pass: enters the queues of all channels, or fails where one is too long.
    fn enter(
        &mut self,
        locks: &mut Locks<'a, T>,
        later: &mut Deferred<T>,
        waker: &Waker,
    ) -> Option<(usize, Outcome<T>)> {
        let timed = self
            .branches
            .iter()
            .any(|branch| matches!(branch, Branch::After(_)));
        let claim = Arc::new(Claim::new(waker.clone()));
        for guard in 0..self.branches.len() {
            let waiter = Waiter::Alternation {
                claim: Arc::clone(&claim),
                guard,
            };
            if let Err(error) = self.enter_branch(guard, waiter, timed, locks) {
                let withdrawn = claim.withdraw();
                debug_assert!(withdrawn, "nobody else has the locks");
                self.leave_locked(locks, later);
                // Its waker goes where foreign code may run.
                later.drop_waker(claim.take_waker());
                return Some((guard, Outcome::Failed(error)));
            }
        }
        self.stage = Stage::Waiting(claim);
        None
    }

    fn enter_branch(
        &mut self,
        guard: usize,
        waiter: Waiter,
        timed: bool,
        locks: &mut Locks<'a, T>,
    ) -> Result<(), ChannelError> {
        match &mut self.branches[guard] {
            Branch::Receive { end, entry } => {
                let end_key = end.key;
                let parking = Parking {
                    waiter,
                    end: end_key,
                    timed,
                };
                *entry = Some(locks.state(end.id()).park_receive(parking)?);
            }
            Branch::Send {
                end,
                size,
                message,
                entry,
            } => {
                let parking = Parking {
                    waiter,
                    end: end.key,
                    timed,
                };
                let Some(offered) = message.take() else {
                    return Ok(());
                };
                match locks.state(end.id()).park_send(parking, offered, *size) {
                    Ok(key) => *entry = Some(key),
                    Err(refused) => {
                        *message = Some(refused.message);
                        return Err(refused.error);
                    }
                }
            }
            Branch::After(_) | Branch::Skip => {}
        }
        Ok(())
    }

    /// Leaves the queues that `enter` has entered, under the same locks.
    fn leave_locked(&mut self, locks: &mut Locks<'a, T>, later: &mut Deferred<T>) {
        for branch in &mut self.branches {
            match branch {
                Branch::Receive { end, entry } => {
                    if let Some(key) = entry.take() {
                        locks.state(end.id()).cancel_receive(key, later);
                    }
                }
                Branch::Send {
                    end,
                    message,
                    entry,
                    ..
                } => {
                    if let Some(key) = entry.take()
                        && let Offer::Waiting {
                            message: unsent, ..
                        } = locks.state(end.id()).withdraw_send(key, later)
                    {
                        *message = Some(unsent);
                    }
                }
                Branch::After(_) | Branch::Skip => {}
            }
        }
    }

    /// The third pass: leaves all queues. Returns the outcome of the guard that a
    /// counterpart has served, if one has.
    fn leave(&mut self) -> Option<(usize, Outcome<T>)> {
        let mut chosen = None;
        for (guard, branch) in self.branches.iter_mut().enumerate() {
            match branch {
                Branch::Receive { end, entry } => {
                    let Some(key) = entry.take() else { continue };
                    let shared = &end.shared;
                    match shared.with(|state, later| state.withdraw_receive(key, later)) {
                        Wish::Waiting => {}
                        Wish::Received(accepted) => {
                            chosen = Some((guard, Outcome::Received(accepted.message)));
                        }
                        Wish::Refused(error) => chosen = Some((guard, Outcome::Failed(error))),
                    }
                }
                Branch::Send {
                    end,
                    message: unsent,
                    entry,
                    ..
                } => {
                    let Some(key) = entry.take() else { continue };
                    let shared = &end.shared;
                    match shared.with(|state, later| state.withdraw_send(key, later)) {
                        Offer::Waiting { message, .. } => *unsent = Some(message),
                        Offer::Sent => chosen = Some((guard, Outcome::Sent)),
                        Offer::Refused(SendError { message, error }) => {
                            *unsent = Some(message);
                            chosen = Some((guard, Outcome::Failed(error)));
                        }
                    }
                }
                Branch::After(_) | Branch::Skip => {}
            }
        }
        chosen
    }

    /// The first `After` guard whose time has come; the others will wake the task.
    fn poll_sleeps(&mut self, context: &mut Context<'_>) -> Option<usize> {
        self.branches.iter_mut().position(|branch| match branch {
            Branch::After(sleep) => Pin::new(sleep).poll(context).is_ready(),
            _ => false,
        })
    }

    fn chosen(&mut self, (guard, outcome): (usize, Outcome<T>)) -> Chosen<T> {
        self.stage = Stage::Done;
        let unsent = mem::take(&mut self.branches)
            .into_iter()
            .enumerate()
            .filter_map(|(guard, branch)| match branch {
                Branch::Send { message, .. } => Some((guard, message?)),
                _ => None,
            })
            .collect();
        Chosen {
            guard,
            outcome,
            unsent,
        }
    }

    /// Looks at the claim, then at the clock: a delivery beats a simultaneous timeout.
    fn poll_waiting(
        &mut self,
        claim: &Claim,
        context: &mut Context<'_>,
    ) -> Option<(usize, Outcome<T>)> {
        claim.set_waker(context.waker());
        if claim.winner().is_none() {
            let elapsed = self.poll_sleeps(context)?;
            if claim.withdraw() {
                let served = self.leave();
                debug_assert!(served.is_none(), "one winner");
                return Some((elapsed, Outcome::Elapsed));
            }
        }
        let chosen = self.leave();
        debug_assert_eq!(
            claim.winner(),
            chosen.as_ref().map(|(guard, _)| Winner::Guard(*guard)),
            "the winner is the guard that was served"
        );
        chosen
    }
}

impl<T: Payload> Future for Wait<'_, T> {
    type Output = Chosen<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Chosen<T>> {
        let this = &mut *self;
        if let Stage::Start = this.stage
            && let Some(chosen) = this.start(context.waker())
        {
            return Poll::Ready(this.chosen(chosen));
        }
        let claim = match &this.stage {
            Stage::Waiting(claim) => Arc::clone(claim),
            Stage::Start | Stage::Done => panic!("an alternation was polled after it was done"),
        };
        match this.poll_waiting(&claim, context) {
            Some(chosen) => Poll::Ready(this.chosen(chosen)),
            None => Poll::Pending,
        }
    }
}

impl<T: Payload> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        if let Stage::Waiting(claim) = &self.stage {
            claim.withdraw();
            for branch in &mut self.branches {
                match branch {
                    Branch::Receive { end, entry } => {
                        if let Some(key) = entry.take() {
                            end.shared
                                .with(|state, later| state.cancel_receive(key, later));
                        }
                    }
                    Branch::Send { end, entry, .. } => {
                        if let Some(key) = entry.take() {
                            // The message is dropped here, after unlocking.
                            let _offer = end
                                .shared
                                .with(|state, later| state.withdraw_send(key, later));
                        }
                    }
                    Branch::After(_) | Branch::Skip => {}
                }
            }
        }
    }
}

impl<T: Payload> fmt::Debug for Wait<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("alternation", self.alternation)
            .field("guards", &self.branches.len())
            .finish_non_exhaustive()
    }
}
