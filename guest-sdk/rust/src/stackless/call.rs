//! One call of the host as a future.

#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::executor::{self, Waiting};
use super::raw::{BITS, RETURNED};
use crate::bindings::transputer::csp::channel::{self as raw, End};
use crate::bindings::{Receiver, Sender};

/// A call, with room for its result. The room is part of the future, so that nothing is allocated: the
/// host writes there while the call waits, which is why it is pinned.
pub(super) struct Call<const ROOM: usize> {
    room: UnsafeCell<Room<ROOM>>,
    stage: Stage,
    waiting: Waiting,
    _pinned: PhantomPinned,
}

enum Stage {
    New,
    /// By the number of its subtask.
    Waits(u32),
    Over,
}

/// Aligned as any result.
#[repr(C, align(8))]
pub(super) struct Room<const ROOM: usize>([u8; ROOM]);

impl<const ROOM: usize> Call<ROOM> {
    pub(super) const fn new() -> Self {
        Call {
            room: UnsafeCell::new(Room([0; ROOM])),
            stage: Stage::New,
            waiting: Waiting::new(),
            _pinned: PhantomPinned,
        }
    }

    /// Begins the call the first time, and is ready when its result is there.
    #[inline]
    pub(super) fn poll(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        begin: impl FnOnce(*mut u8) -> u32,
    ) -> Poll<&Room<ROOM>> {
        // SAFETY: nothing is moved out of it.
        let this = unsafe { self.get_unchecked_mut() };
        match this.stage {
            Stage::New => {
                let status = begin(this.room.get().cast());
                if status != RETURNED {
                    let subtask = status >> BITS;
                    this.stage = Stage::Waits(subtask);
                    this.waiting.set_waker(context.waker());
                    // SAFETY: it is pinned, and gives itself up where it is dropped.
                    unsafe { executor::wait(subtask, &raw const this.waiting) };
                    return Poll::Pending;
                }
            }
            Stage::Waits(_) if this.waiting.is_done() => {}
            Stage::Waits(_) => {
                this.waiting.set_waker(context.waker());
                return Poll::Pending;
            }
            Stage::Over => panic!("a call was polled after it was done"),
        }
        this.stage = Stage::Over;
        // SAFETY: the call is done, and the host writes there no more.
        Poll::Ready(unsafe { &*this.room.get() })
    }

    /// Gives it up, if it waits. The result, if it is there all the same.
    pub(super) fn give_up(self: Pin<&mut Self>) -> Option<&Room<ROOM>> {
        // SAFETY: nothing is moved out of it.
        let this = unsafe { self.get_unchecked_mut() };
        let Stage::Waits(subtask) = std::mem::replace(&mut this.stage, Stage::Over) else {
            return None;
        };
        let done = this.waiting.is_done() || executor::give_up(subtask);
        // SAFETY: the call is over, and the host writes there no more.
        done.then(|| unsafe { &*this.room.get() })
    }
}

impl<const ROOM: usize> Drop for Call<ROOM> {
    fn drop(&mut self) {
        // SAFETY: it was pinned if it waits, and is moved no more.
        let _ = unsafe { Pin::new_unchecked(self) }.give_up();
    }
}

impl<const ROOM: usize> Room<ROOM> {
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.0[at]
    }

    pub(super) fn u32(&self, at: usize) -> u32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.0[at..at + 4]);
        u32::from_le_bytes(bytes)
    }

    pub(super) fn u64(&self, at: usize) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[at..at + 8]);
        u64::from_le_bytes(bytes)
    }

    pub(super) fn small(&self, at: usize) -> raw::Small {
        raw::Small {
            length: self.u32(at),
            low: self.u64(at + 8),
            high: self.u64(at + 16),
        }
    }

    /// The list of bytes that is referred to here; once.
    pub(super) fn bytes(&self, at: usize) -> Vec<u8> {
        list(self.u32(at), self.u32(at + 4))
    }

    /// The list of ends that is referred to here; once.
    pub(super) fn ends(&self, at: usize) -> Vec<End> {
        let pairs: Vec<[u32; 2]> = list(self.u32(at), self.u32(at + 4));
        let ends = pairs.into_iter().map(|[kind, handle]| {
            // SAFETY: the handle is this process's own from now on.
            unsafe {
                match kind as u8 {
                    0 => End::Sender(Sender::from_handle(handle)),
                    1 => End::Receiver(Receiver::from_handle(handle)),
                    _ => End::Barrier(raw::Barrier::from_handle(handle)),
                }
            }
        });
        ends.collect()
    }

    pub(super) fn error(&self, at: usize) -> raw::Error {
        error(self.byte(at))
    }

    /// Whether an operation succeeded that has nothing else to tell: an error comes behind the case.
    pub(super) fn done(&self) -> Result<(), raw::Error> {
        match self.byte(0) {
            0 => Ok(()),
            _ => Err(self.error(1)),
        }
    }
}

/// An error by its number in `wit/`.
fn error(number: u8) -> raw::Error {
    use raw::Error::{
        CarriesEnds, Closed, Deadlock, Malformed, Moved, Overloaded, PeerFailed, PeerKilled,
        PeerTrapped, Poisoned, TimedOut, TooLarge, WouldBlock,
    };
    const ALL: [raw::Error; 13] = [
        Closed,
        Poisoned,
        PeerTrapped,
        PeerFailed,
        PeerKilled,
        Deadlock,
        TimedOut,
        WouldBlock,
        TooLarge,
        Overloaded,
        CarriesEnds,
        Malformed,
        Moved,
    ];
    ALL.get(usize::from(number)).copied().unwrap_or(Malformed)
}

/// Bytes that the host has checked to be a text.
pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A list that the host had this guest allocate.
pub(crate) fn list<T>(at: u32, length: u32) -> Vec<T> {
    let length = length as usize;
    if length == 0 {
        return Vec::new();
    }
    let at = std::ptr::with_exposed_provenance_mut(at as usize);
    // SAFETY: the host has allocated it with `cabi_realloc`, for so many elements, and refers to it once.
    unsafe { Vec::from_raw_parts(at, length, length) }
}
