//! One guard of an alternation, while it is looked at, entered and left.

use super::locks::Locks;
use super::{Guard, GuardError, Outcome};
use crate::channel::deferred::Deferred;
use crate::channel::shared::Shared;
use crate::channel::state::{Accepted, Offer, Parking, State, Wish};
use crate::channel::wait_queue::{Key, Waiter};
use crate::channel::{Payload, Receiver, Sender};
use crate::clock::Sleep;

/// A guard, and its entry in the queue of its channel while it waits there.
pub(super) enum Branch<'a, T: Payload> {
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
    /// Left out of this wait.
    Off,
}

/// What a counterpart has served a waiting guard with.
pub(super) enum Served<T> {
    Received(Accepted<T>),
    Sent,
    Failed(GuardError),
}

impl<T> From<Served<T>> for Outcome<T> {
    fn from(served: Served<T>) -> Self {
        match served {
            Served::Received(accepted) => Outcome::Received(accepted.message),
            Served::Sent => Outcome::Sent,
            Served::Failed(error) => Outcome::Failed(error),
        }
    }
}

impl<'a, T: Payload> Branch<'a, T> {
    pub(super) fn new(guard: Guard<'a, T>) -> Self {
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

    pub(super) fn channel(&self) -> Option<&'a Shared<T>> {
        match self {
            Branch::Receive { end, .. } => Some(&end.shared),
            Branch::Send { end, .. } => Some(&end.shared),
            Branch::After(_) | Branch::Skip | Branch::Off => None,
        }
    }

    /// Whether it can communicate, or fail, at once.
    pub(super) fn is_ready(&self, locks: &mut Locks<'a, T>) -> bool {
        match self {
            Branch::Receive { end, .. } => locks.state(end.id()).receive_is_ready(),
            Branch::Send { end, size, .. } => locks.state(end.id()).send_is_ready(*size),
            Branch::After(_) | Branch::Skip | Branch::Off => false,
        }
    }

    /// Communicates, if that is possible without waiting.
    pub(super) fn communicate(
        &mut self,
        locks: &mut Locks<'a, T>,
        later: &mut Deferred<T>,
    ) -> Option<Outcome<T>> {
        match self {
            Branch::Receive { end, .. } => match locks.state(end.id()).try_receive(later) {
                Ok(message) => Some(Outcome::Received(message)),
                Err(error) => Some(Outcome::Failed(error.unless_empty()?.into())),
            },
            Branch::Send {
                end, size, message, ..
            } => {
                let offered = message.take()?;
                let state = locks.state(end.id());
                let Err(refused) = state.try_send(offered, *size, later) else {
                    return Some(Outcome::Sent);
                };
                let (unsent, failed) = match refused.unless_full() {
                    Ok(error) => {
                        let (unsent, error) = GuardError::apart(error);
                        (unsent, Some(Outcome::Failed(error)))
                    }
                    Err(unsent) => (unsent, None),
                };
                *message = Some(unsent);
                failed
            }
            Branch::After(_) | Branch::Skip | Branch::Off => None,
        }
    }

    /// Enters the queue of its channel.
    pub(super) fn enter(
        &mut self,
        waiter: Waiter,
        timed: bool,
        locks: &mut Locks<'a, T>,
    ) -> Result<(), GuardError> {
        match self {
            Branch::Receive { end, entry } => {
                let parking = Parking {
                    waiter,
                    end: end.key,
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
                        let (unsent, error) = GuardError::apart(refused);
                        *message = Some(unsent);
                        return Err(error);
                    }
                }
            }
            Branch::After(_) | Branch::Skip | Branch::Off => {}
        }
        Ok(())
    }

    /// Leaves the queue of its channel, whose state is given, if it is in it. Takes the message back if it
    /// was not sent.
    pub(super) fn withdraw(
        &mut self,
        state: &mut State<T>,
        later: &mut Deferred<T>,
    ) -> Option<Served<T>> {
        match self {
            Branch::Receive { entry, .. } => match state.withdraw_receive(entry.take()?, later) {
                Wish::Waiting => None,
                Wish::Received(accepted) => Some(Served::Received(accepted)),
                Wish::Refused(error) => Some(Served::Failed(error.into())),
            },
            Branch::Send {
                message: unsent,
                entry,
                ..
            } => match state.withdraw_send(entry.take()?, later) {
                Offer::Waiting { message, .. } => {
                    *unsent = Some(message);
                    None
                }
                Offer::Sent => Some(Served::Sent),
                Offer::Refused(refused) => {
                    let (message, error) = GuardError::apart(refused);
                    *unsent = Some(message);
                    Some(Served::Failed(error))
                }
            },
            Branch::After(_) | Branch::Skip | Branch::Off => None,
        }
    }
}
