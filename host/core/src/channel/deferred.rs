//! What an operation leaves to be done after its locks are released.
//!
//! Waking a task and dropping a message both run foreign code, which may come back
//! to the same channel: a waker may run a task or drop its last reference to it, a
//! message may hold ends. Neither is ever done under a lock.

use std::mem;
use std::task::Waker;

use crate::scheduler;

/// What is to be done. The first of each kind needs no allocation, and most steps make, and look
/// at, a few words.
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
}

impl<T> More<T> {
    #[cold]
    fn new() -> Box<Self> {
        Box::new(More {
            wake_senders: Vec::new(),
            drop_wakers: Vec::new(),
            drop_messages: Vec::new(),
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
    pub(crate) fn finish(&mut self, told: impl FnOnce(&Self)) {
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

    /// Wakes a sender whose message was taken. Others go first: what it would send next has
    /// to wait for those who receive, and they are behind already.
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

    /// The messages that were dropped.
    pub(crate) fn dropped(&self) -> impl Iterator<Item = &T> {
        let more = self.more.iter().flat_map(|more| &more.drop_messages);
        self.drop_message.iter().chain(more)
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
        if let Some(more) = self.more.take() {
            let senders = more.wake_senders.into_iter();
            senders.for_each(scheduler::wake_in_turn);
        }
        drop(self.drop_waker.take());
        drop(self.drop_message.take());
    }
}
