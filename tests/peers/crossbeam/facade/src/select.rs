use std::fmt;
use std::time::{Duration, Instant};

use transputer_core as core;
use transputer_core::{ChannelId, Guard, Order, Outcome, Prepared};

use crate::table::{Ticket, tickets};
use crate::time::clock;
use crate::{Receiver, RecvError, SelectTimeoutError, SendError, Sender, TrySelectError};

#[derive(Copy, Clone)]
enum Operation<'a> {
    Send(&'a core::Sender<Ticket>),
    Receive(&'a core::Receiver<Ticket>),
}

/// A choice among operations, each of which is completed after it was chosen.
pub struct Select<'a> {
    order: Order,
    alternation: Prepared<Ticket>,
    /// Those that were removed keep their numbers.
    operations: Vec<Option<Operation<'a>>>,
}

impl<'a> Select<'a> {
    /// Chooses among those that are ready at random.
    pub fn new() -> Self {
        Select::in_order(Order::Fair)
    }

    /// Chooses the first that is ready.
    pub fn new_biased() -> Self {
        Select::in_order(Order::Priority)
    }

    fn in_order(order: Order) -> Self {
        Select {
            order,
            alternation: Prepared::new(order),
            operations: Vec::new(),
        }
    }

    fn add(&mut self, operation: Operation<'a>) -> usize {
        self.operations.push(Some(operation));
        self.operations.len() - 1
    }

    /// Adds a send.
    pub fn send<T>(&mut self, sender: &'a Sender<T>) -> usize {
        self.add(Operation::Send(&sender.core))
    }

    /// Adds a receive.
    pub fn recv<T>(&mut self, receiver: &'a Receiver<T>) -> usize {
        self.add(Operation::Receive(&receiver.core))
    }

    /// Takes an operation out.
    ///
    /// # Panics
    ///
    /// If there is no such operation.
    pub fn remove(&mut self, index: usize) {
        let removed = self.operations.get_mut(index).and_then(Option::take);
        assert!(removed.is_some(), "no operation has the number {index}");
    }

    /// Waits until one of the operations can be done.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn select(&mut self) -> SelectedOperation {
        assert!(
            self.operations.iter().any(Option::is_some),
            "no operations have been added to `Select`"
        );
        self.choose(None).expect("nothing else was added")
    }

    /// Chooses an operation if one can be done at once.
    pub fn try_select(&mut self) -> Result<SelectedOperation, TrySelectError> {
        self.choose(Some(Guard::Skip)).ok_or(TrySelectError)
    }

    /// Waits for so long at most.
    pub fn select_timeout(
        &mut self,
        timeout: Duration,
    ) -> Result<SelectedOperation, SelectTimeoutError> {
        let elapsed = Guard::After(clock().sleep(timeout));
        self.choose(Some(elapsed)).ok_or(SelectTimeoutError)
    }

    /// Waits until then at most.
    pub fn select_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<SelectedOperation, SelectTimeoutError> {
        self.select_timeout(deadline.saturating_duration_since(Instant::now()))
    }

    /// The operation that was chosen, or nothing if it was the last guard.
    fn choose(&mut self, last: Option<Guard<'a, Ticket>>) -> Option<SelectedOperation> {
        let first = tickets(self.operations.len());
        let guards = self
            .operations
            .iter()
            .enumerate()
            .map(|(index, operation)| {
                Some(match operation.as_ref()? {
                    Operation::Send(sender) => Guard::Send(*sender, first.plus(index)),
                    Operation::Receive(receiver) => Guard::Receive(*receiver),
                })
            });
        let chosen = self.alternation.wait_blocking(guards.chain([last]));
        let index = chosen.guard;
        let channel = match self.operations.get(index)?.as_ref()? {
            Operation::Send(sender) => sender.id(),
            Operation::Receive(receiver) => receiver.id(),
        };
        let ticket = match chosen.outcome {
            Outcome::Received(ticket) => Some(ticket),
            Outcome::Sent => Some(first.plus(index)),
            Outcome::Failed(_) | Outcome::Elapsed | Outcome::Skipped => None,
        };
        Some(SelectedOperation {
            index,
            channel,
            ticket,
            completed: false,
        })
    }
}

impl Clone for Select<'_> {
    fn clone(&self) -> Self {
        let mut clone = Select::in_order(self.order);
        clone.operations.clone_from(&self.operations);
        clone
    }
}

impl Default for Select<'_> {
    fn default() -> Self {
        Select::new()
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Select { .. }")
    }
}

/// An operation that was chosen, and has to be completed.
#[derive(Debug)]
#[must_use = "it has to be completed"]
pub struct SelectedOperation {
    index: usize,
    channel: ChannelId,
    /// Nothing if the channel has ended.
    ticket: Option<Ticket>,
    completed: bool,
}

impl SelectedOperation {
    /// The number of the operation.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Sends the message of a send that was chosen.
    ///
    /// # Panics
    ///
    /// If the sender is not the one that was chosen.
    pub fn send<T>(mut self, sender: &Sender<T>, message: T) -> Result<(), SendError<T>> {
        self.complete(sender.core.id());
        match self.ticket {
            Some(ticket) => {
                sender.table.fill(ticket, message);
                Ok(())
            }
            None => Err(SendError(message)),
        }
    }

    /// The message of a receive that was chosen.
    ///
    /// # Panics
    ///
    /// If the receiver is not the one that was chosen.
    pub fn recv<T>(mut self, receiver: &Receiver<T>) -> Result<T, RecvError> {
        self.complete(receiver.core.id());
        let ticket = self.ticket.ok_or(RecvError)?;
        Ok(receiver.table.take(ticket))
    }

    fn complete(&mut self, channel: ChannelId) {
        self.completed = true;
        assert_eq!(channel, self.channel, "another end was chosen");
    }
}

impl Drop for SelectedOperation {
    fn drop(&mut self) {
        if !self.completed && !std::thread::panicking() {
            panic!("dropped `SelectedOperation` without completing the operation");
        }
    }
}
