use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use transputer_core as core;

use crate::table::{Table, Ticket};
use crate::{SendError, SendTimeoutError, TrySendError};

/// The sending end.
pub struct Sender<T> {
    pub(crate) core: core::Sender<Ticket>,
    pub(crate) table: Arc<Table<T>>,
}

impl<T> Sender<T> {
    pub(crate) fn new(core: core::Sender<Ticket>, table: Arc<Table<T>>) -> Self {
        Sender { core, table }
    }

    fn with_ticket<E>(
        &self,
        message: T,
        send: impl FnOnce(Ticket) -> Result<(), E>,
    ) -> Result<(), (T, E)> {
        let ticket = self.table.offer(message);
        match send(ticket) {
            Ok(()) => {
                self.table.sent(ticket);
                Ok(())
            }
            Err(refused) => Err((self.table.take_back(ticket), refused)),
        }
    }

    /// Waits until the message is sent, or no receiver is left.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.with_ticket(message, |ticket| self.core.send_blocking(ticket))
            .map_err(|(message, _)| SendError(message))
    }

    /// Sends if that needs no waiting.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.with_ticket(message, |ticket| self.core.try_send(ticket))
            .map_err(|(message, error)| match error {
                core::TrySendError::Full(_) => TrySendError::Full(message),
                _ => TrySendError::Disconnected(message),
            })
    }

    /// Waits for so long at most.
    pub fn send_timeout(&self, message: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        self.with_ticket(message, |ticket| self.core.send_timeout(ticket, timeout))
            .map_err(|(message, error)| match error {
                core::SendTimeoutError::TimedOut(_) => SendTimeoutError::Timeout(message),
                _ => SendTimeoutError::Disconnected(message),
            })
    }

    /// Waits until then at most.
    pub fn send_deadline(&self, message: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        self.send_timeout(message, deadline.saturating_duration_since(Instant::now()))
    }

    /// Messages that wait in the channel.
    pub fn len(&self) -> usize {
        self.core.statistics().waiting
    }

    /// Whether no message waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no message fits.
    pub fn is_full(&self) -> bool {
        self.table.capacity == Some(self.len())
    }

    /// How many messages may wait, if that is bounded.
    pub fn capacity(&self) -> Option<usize> {
        self.table.capacity
    }

    /// Whether both send to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.core.same_channel(&other.core)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender::new(self.core.clone(), Arc::clone(&self.table))
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Sender { .. }")
    }
}
