//! What is deferred until just before the process can park.
//!
//! Two things are deferred: sending what a [`Buffered`](super::Buffered) sender has
//! collected, and closing ends that were dropped. Every operation that talks to a
//! channel, or can park, calls [`run_deferred`] first, so that a process never waits while
//! it holds back something that others wait for.
//!
//! Closing is deferred because a process function drops its ends before its result is
//! known: if that is an error, the ends must be poisoned with it, not closed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::buffered::Buffer;
use crate::bindings::abandon;
use crate::bindings::transputer::csp::alternation::{self, Guard, Order, Outcome};
use crate::bindings::transputer::csp::channel::{End, Patience};

thread_local! {
    /// Whether anything at all is deferred.
    static PENDING: Cell<bool> = const { Cell::new(false) };
    /// The buffers that hold messages.
    static BUFFERS: RefCell<Vec<Rc<Buffer>>> = const { RefCell::new(Vec::new()) };
    /// The ends that were dropped.
    static DROPPED: RefCell<Vec<End>> = const { RefCell::new(Vec::new()) };
}

/// Closes an end with the next [`run_deferred`].
pub(super) fn defer_close(end: End) {
    DROPPED.with_borrow_mut(|dropped| dropped.push(end));
    PENDING.set(true);
}

/// Sends what a buffer holds with the next [`run_deferred`]. Call it once for every
/// time that the buffer stops being empty.
pub(super) fn defer_send(buffer: Rc<Buffer>) {
    BUFFERS.with_borrow_mut(|buffers| buffers.push(buffer));
    PENDING.set(true);
}

/// Does what is deferred. May park.
#[inline]
pub(crate) fn run_deferred() {
    if PENDING.get() {
        flush_buffers(Patience::Forever);
        PENDING.set(false);
        drop(DROPPED.take());
    }
}

/// The same for a process that is an async function, which has no buffers: closes the ends that were
/// dropped.
#[inline]
pub(crate) fn drop_deferred() {
    if PENDING.get() {
        PENDING.set(false);
        drop(DROPPED.take());
    }
}

/// At the end of such a process that failed: leaves the ends that were dropped open, so that the host
/// poisons them.
pub(crate) fn leave_dropped_open() {
    abandon(DROPPED.take());
}

/// At the end of a process that failed: sends what is buffered, but leaves the ends
/// that were dropped open, so that the host poisons them.
pub(crate) fn leave_open_for_poison() {
    flush_buffers(Patience::Forever);
    abandon(DROPPED.take());
}

/// Sends what is buffered, as far as patience reaches: false if something is left. May park.
pub(crate) fn flush_buffers(patience: Patience) -> bool {
    let mut buffers = BUFFERS.take();
    if buffers.len() > 1 {
        // What needs no waiting goes in batches.
        for buffer in &buffers {
            buffer.send_all(Patience::Never);
        }
        buffers.retain(|buffer| !buffer.is_empty());
    }
    while buffers.len() > 1 {
        let gave_up = !send_one_of(&buffers, patience);
        buffers.retain(|buffer| !buffer.is_empty());
        if gave_up {
            break;
        }
    }
    if let [buffer] = buffers.as_slice() {
        buffer.send_all(patience);
        buffers.retain(|buffer| !buffer.is_empty());
    }
    let all_sent = buffers.is_empty();
    BUFFERS.with_borrow_mut(|deferred| {
        if deferred.is_empty() {
            // Its memory serves the next time.
            *deferred = buffers;
        } else {
            deferred.append(&mut buffers);
        }
    });
    all_sent
}

/// Sends one message from whichever buffer's channel has room first: a batch for one
/// channel could park while another's messages are held back. False if patience runs out
/// before any has.
fn send_one_of(buffers: &[Rc<Buffer>], patience: Patience) -> bool {
    let handles: Vec<_> = buffers.iter().map(|buffer| buffer.handle()).collect();
    let mut guards = Vec::with_capacity(buffers.len());
    for (buffer, handle) in buffers.iter().zip(&handles) {
        match (&**handle, buffer.first()) {
            (Some(handle), Some(message)) => guards.push(Guard::Send((handle, message))),
            // It has nothing left that could be sent.
            _ => {
                buffer.discard();
                return true;
            }
        }
    }
    match patience {
        Patience::Forever => {}
        Patience::Until(deadline) => guards.push(Guard::After(deadline)),
        Patience::Never => guards.push(Guard::Skip),
    }
    let chosen = alternation::select(&guards, Order::Fair);
    drop(guards);
    drop(handles);
    match chosen {
        Ok(chosen) => {
            let Some(buffer) = buffers.get(chosen.guard as usize) else {
                return false;
            };
            match chosen.outcome {
                Outcome::Failed(error) => buffer.refused(error),
                _ => buffer.first_was_sent(),
            }
            true
        }
        // More buffers than an alternation may have guards: one after the other, then.
        Err(_) => {
            buffers.iter().for_each(|buffer| buffer.send_all(patience));
            buffers.iter().all(|buffer| buffer.is_empty())
        }
    }
}
