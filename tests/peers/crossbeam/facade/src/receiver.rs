use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use transputer_core as core;

use crate::table::{Table, Ticket};
use crate::{RecvError, RecvTimeoutError, TryRecvError};

/// The receiving end.
pub struct Receiver<T> {
    pub(crate) core: core::Receiver<Ticket>,
    pub(crate) table: Arc<Table<T>>,
    /// For channels that never end.
    open: Option<core::Sender<Ticket>>,
}

impl<T> Receiver<T> {
    pub(crate) fn new(core: core::Receiver<Ticket>, table: Arc<Table<T>>) -> Self {
        table.add_receiver();
        Receiver {
            core,
            table,
            open: None,
        }
    }

    /// This receiver, which keeps its own channel open.
    pub(crate) fn kept_open(mut self, sender: core::Sender<Ticket>) -> Self {
        self.open = Some(sender);
        self
    }

    /// Waits for a message, or until no sender is left.
    pub fn recv(&self) -> Result<T, RecvError> {
        let ticket = self.core.receive_blocking().map_err(|_| RecvError)?;
        Ok(self.table.take(ticket))
    }

    /// Takes a message if there is one.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let ticket = self.core.try_receive().map_err(|error| match error {
            core::TryReceiveError::Empty => TryRecvError::Empty,
            _ => TryRecvError::Disconnected,
        })?;
        Ok(self.table.take(ticket))
    }

    /// Waits for so long at most.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let received = self.core.receive_timeout(timeout);
        let ticket = received.map_err(|error| match error {
            core::ReceiveTimeoutError::TimedOut => RecvTimeoutError::Timeout,
            _ => RecvTimeoutError::Disconnected,
        })?;
        Ok(self.table.take(ticket))
    }

    /// Waits until then at most.
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_timeout(deadline.saturating_duration_since(Instant::now()))
    }

    /// Messages that wait in the channel.
    pub fn len(&self) -> usize {
        self.core.statistics().waiting
    }

    /// Whether no message waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no more messages fit.
    pub fn is_full(&self) -> bool {
        self.table.capacity == Some(self.len())
    }

    /// How many messages may wait, if that is bounded.
    pub fn capacity(&self) -> Option<usize> {
        self.table.capacity
    }

    /// Whether both receive from the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.core.same_channel(&other.core)
    }

    /// All messages, until the channel ends.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self)
    }

    /// The messages that are there.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(self)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        let mut other = Receiver::new(self.core.clone(), Arc::clone(&self.table));
        other.open = self.open.clone();
        other
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.table.remove_receiver();
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Receiver { .. }")
    }
}

/// All messages, until the channel ends.
#[derive(Debug)]
pub struct Iter<'a, T>(&'a Receiver<T>);

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

/// The messages that are there.
#[derive(Debug)]
pub struct TryIter<'a, T>(&'a Receiver<T>);

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.try_recv().ok()
    }
}

/// All messages, until the channel ends.
#[derive(Debug)]
pub struct IntoIter<T>(Receiver<T>);

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self)
    }
}
