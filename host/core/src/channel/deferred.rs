//! What an operation leaves to be done after its locks are released.
//!
//! Waking a task and dropping a message both run foreign code, which may come back
//! to the same channel: a waker may run a task or drop its last reference to it, a
//! message may hold ends. Neither is ever done under a lock.

use std::task::Waker;

use crate::scheduler;

/// Any number of values, of which the first needs no allocation.
struct Few<V> {
    first: Option<V>,
    more: Vec<V>,
}

impl<V> Few<V> {
    const fn new() -> Self {
        Few {
            first: None,
            more: Vec::new(),
        }
    }

    fn push(&mut self, value: V) {
        match &self.first {
            None => self.first = Some(value),
            Some(_) => self.more.push(value),
        }
    }
}

#[must_use]
pub(crate) struct Deferred<T> {
    wake: Few<Waker>,
    wake_senders: Few<Waker>,
    drop_wakers: Few<Waker>,
    drop_messages: Few<T>,
}

impl<T> Deferred<T> {
    pub(crate) const fn new() -> Self {
        Deferred {
            wake: Few::new(),
            wake_senders: Few::new(),
            drop_wakers: Few::new(),
            drop_messages: Few::new(),
        }
    }

    /// Whether there is nothing to do, as after most operations.
    #[inline]
    fn is_empty(&self) -> bool {
        self.wake.first.is_none()
            && self.wake_senders.first.is_none()
            && self.drop_wakers.first.is_none()
            && self.drop_messages.first.is_none()
    }

    /// Does what is to be done; `told` sees the messages that were dropped, if any were. No lock
    /// may be held.
    #[inline]
    pub(crate) fn finish(self, told: impl FnOnce(&Self)) {
        if self.is_empty() {
            // Nothing is in it: this spares the looks of its drop.
            std::mem::forget(self);
            return;
        }
        if self.drop_messages.first.is_some() {
            told(&self);
        }
        self.run();
    }

    pub(crate) fn wake(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.wake.push(waker);
        }
    }

    /// Wakes a sender whose message was taken. Others go first: what it would send next has
    /// to wait for those who receive, and they are behind already.
    pub(crate) fn wake_sender(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.wake_senders.push(waker);
        }
    }

    pub(crate) fn drop_waker(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.drop_wakers.push(waker);
        }
    }

    pub(crate) fn drop_message(&mut self, message: T) {
        self.drop_messages.push(message);
    }

    /// The messages that were dropped.
    pub(crate) fn dropped(&self) -> impl Iterator<Item = &T> {
        let Few { first, more } = &self.drop_messages;
        first.iter().chain(more)
    }

    /// Wakes in the order in which the waiters were served. No lock may be held.
    pub(crate) fn run(self) {
        if let Some(waker) = self.wake.first {
            waker.wake();
        }
        for waker in self.wake.more {
            waker.wake();
        }
        if let Some(waker) = self.wake_senders.first {
            scheduler::wake_patiently(waker);
        }
        for waker in self.wake_senders.more {
            scheduler::wake_patiently(waker);
        }
    }
}
