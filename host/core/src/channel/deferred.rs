//! What an operation leaves to be done after its locks are released.
//!
//! Waking a task and dropping a message both run foreign code, which may come back
//! to the same channel: a waker may run a task or drop its last reference to it, a
//! message may hold ends. Neither is ever done under a lock.

use std::any::Any;
use std::mem;
use std::task::Waker;

use super::disposal::{Remains, dispose};
use crate::scheduler;

/// What is to be done. The first item of each kind needs no allocation, and most steps only write and
/// read a few words.
#[must_use]
pub(crate) struct Deferred<T> {
    wake: Option<Waker>,
    wake_sender: Option<Waker>,
    drop_waker: Option<Waker>,
    drop_message: Option<T>,
    /// Who is woken after the first: everybody, where a channel or a phase ends.
    more_wake: Vec<Waker>,
    /// What else came after the first of its kind.
    more: Option<Box<More<T>>>,
}

struct More<T> {
    wake_senders: Vec<Waker>,
    drop_wakers: Vec<Waker>,
    drop_messages: Vec<T>,
    remains: Vec<Box<dyn Remains>>,
}

impl<T> More<T> {
    #[cold]
    fn new() -> Box<Self> {
        Box::new(More {
            wake_senders: Vec::new(),
            drop_wakers: Vec::new(),
            drop_messages: Vec::new(),
            remains: Vec::new(),
        })
    }
}

impl<T> Deferred<T> {
    pub(crate) const fn new() -> Self {
        Deferred {
            wake: None,
            wake_sender: None,
            drop_waker: None,
            drop_message: None,
            more_wake: Vec::new(),
            more: None,
        }
    }

    /// Whether there is nothing to do, as after most operations.
    #[inline]
    fn is_empty(&self) -> bool {
        self.wake.is_none()
            && self.wake_sender.is_none()
            && self.drop_waker.is_none()
            && self.drop_message.is_none()
    }

    fn more(&mut self) -> &mut More<T> {
        self.more.get_or_insert_with(More::new)
    }

    /// Does what is to be done; `told` sees the messages that were dropped, if any were. No lock
    /// may be held.
    #[inline(always)]
    pub(crate) fn finish(&mut self, told: impl FnOnce(&mut Self)) {
        if !self.is_empty() {
            if self.drop_message.is_some() {
                told(self);
            }
            self.run_all();
        }
    }

    #[inline]
    pub(crate) fn wake(&mut self, waker: Option<Waker>) {
        match waker {
            Some(waker) if self.wake.is_some() => self.more_wake.push(waker),
            Some(waker) => self.wake = Some(waker),
            None => {}
        }
    }

    /// Wakes a sender whose message was taken. Others go first: what it sends next would have to wait for
    /// the receivers anyway, which are behind already.
    #[inline]
    pub(crate) fn wake_sender(&mut self, waker: Option<Waker>) {
        match waker {
            Some(waker) if self.wake_sender.is_some() => self.more().wake_senders.push(waker),
            Some(waker) => self.wake_sender = Some(waker),
            None => {}
        }
    }

    #[inline]
    pub(crate) fn drop_waker(&mut self, waker: Option<Waker>) {
        match waker {
            Some(waker) if self.drop_waker.is_some() => self.more().drop_wakers.push(waker),
            Some(waker) => self.drop_waker = Some(waker),
            None => {}
        }
    }

    #[inline]
    pub(crate) fn drop_message(&mut self, message: T) {
        match self.drop_message {
            Some(_) => self.more().drop_messages.push(message),
            None => self.drop_message = Some(message),
        }
    }

    /// The rest of a buffer, of which the first message is dropped already.
    #[cold]
    pub(crate) fn drop_remains(&mut self, remains: Box<dyn Remains>) {
        debug_assert!(self.drop_message.is_some(), "the first message comes first");
        self.more().remains.push(remains);
    }

    /// Wakes in the order in which the waiters were served. No lock may be held.
    pub(crate) fn run(mut self) {
        self.run_all();
    }

    /// Leaves nothing in it.
    #[inline(never)]
    fn run_all(&mut self) {
        if let Some(waker) = self.wake.take() {
            waker.wake();
            if !self.more_wake.is_empty() {
                let more = mem::take(&mut self.more_wake);
                more.into_iter().for_each(Waker::wake);
            }
        }
        if let Some(waker) = self.wake_sender.take() {
            scheduler::wake_in_turn(waker);
        }
        let mut remains = Vec::new();
        if let Some(more) = self.more.take() {
            let senders = more.wake_senders.into_iter();
            senders.for_each(scheduler::wake_in_turn);
            remains = more.remains;
        }
        drop(self.drop_waker.take());
        drop(self.drop_message.take());
        if !remains.is_empty() {
            dispose(remains);
        }
    }
}

impl<T: Any> Deferred<T> {
    /// Shows the messages that are dropped.
    pub(crate) fn show_dropped(&mut self, mut see: impl FnMut(&dyn Any)) {
        if let Some(message) = &self.drop_message {
            see(message);
        }
        if let Some(more) = &mut self.more {
            more.drop_messages.iter().for_each(|it| see(it));
            more.remains.iter_mut().for_each(|it| it.show(&mut see));
        }
    }
}
