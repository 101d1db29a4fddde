//! Where the messages lie while their tickets cross a channel.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use transputer_core::Payload;

/// What crosses the core's channel.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ticket(u64);

impl Payload for Ticket {
    type Batch = std::collections::VecDeque<Self>;

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

/// So many tickets in a row, the first of which is returned.
pub(crate) fn tickets(count: usize) -> Ticket {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Ticket(NEXT.fetch_add(count as u64, Ordering::Relaxed))
}

impl Ticket {
    pub(crate) fn plus(self, n: usize) -> Self {
        Ticket(self.0 + n as u64)
    }
}

struct Lying<T> {
    message: T,
    /// Accepted by the channel, so that it goes with the last receiver.
    sent: bool,
}

struct State<T> {
    lying: HashMap<Ticket, Lying<T>>,
    receivers: usize,
}

pub(crate) struct Table<T> {
    state: Mutex<State<T>>,
    added: Condvar,
    /// The channel's capacity, if it is to have one.
    pub(crate) capacity: Option<usize>,
}

impl<T> Table<T> {
    pub(crate) fn new(capacity: Option<usize>) -> Arc<Self> {
        Arc::new(Table {
            state: Mutex::new(State {
                lying: HashMap::new(),
                receivers: 0,
            }),
            added: Condvar::new(),
            capacity,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lays down a message whose ticket is about to be sent.
    pub(crate) fn offer(&self, message: T) -> Ticket {
        let ticket = tickets(1);
        let sent = false;
        self.lock().lying.insert(ticket, Lying { message, sent });
        ticket
    }

    /// The ticket of an offered message was sent. If nobody is left to receive it, it is dropped.
    pub(crate) fn sent(&self, ticket: Ticket) {
        let mut state = self.lock();
        if state.receivers == 0 {
            let unread = state.lying.remove(&ticket);
            drop(state);
            drop(unread);
        } else if let Some(lying) = state.lying.get_mut(&ticket) {
            lying.sent = true;
        }
    }

    /// The ticket of an offered message was not sent.
    pub(crate) fn take_back(&self, ticket: Ticket) -> T {
        let lying = self.lock().lying.remove(&ticket);
        lying.expect("nobody had its ticket").message
    }

    /// Lays down the message of a ticket that was sent before.
    pub(crate) fn fill(&self, ticket: Ticket, message: T) {
        let mut state = self.lock();
        if state.receivers > 0 {
            let sent = true;
            state.lying.insert(ticket, Lying { message, sent });
            self.added.notify_all();
        }
    }

    /// Takes the message of a ticket that was received; waits until it is there.
    pub(crate) fn take(&self, ticket: Ticket) -> T {
        let mut state = self.lock();
        loop {
            if let Some(lying) = state.lying.remove(&ticket) {
                if state.lying.is_empty() {
                    // What a burst took is given back: a test measures that.
                    state.lying = HashMap::new();
                }
                return lying.message;
            }
            state = self
                .added
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn add_receiver(&self) {
        self.lock().receivers += 1;
    }

    /// The last receiver takes along what has been sent and will not be read.
    pub(crate) fn remove_receiver(&self) {
        let mut state = self.lock();
        state.receivers -= 1;
        if state.receivers > 0 {
            return;
        }
        let unread: Vec<_> = state.lying.extract_if(|_, lying| lying.sent).collect();
        drop(state);
        drop(unread);
    }
}
