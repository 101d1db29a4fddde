//! Tasks that wait without leaving their stack, and the threads that stand in for them.
//!
//! A task that is polled may have to wait, or to let others run, in the middle of a call that cannot be
//! suspended, such as one into a guest that has no stack of its own. Then the thread that polls it
//! gives its worker (its place among those that take tasks from the queue) to another thread, a
//! *stand-in*, and waits. To everybody else the task has returned from its poll: it is parked, is woken,
//! takes its turn in the queue. The worker that gets it from there has nothing to poll: it gives itself to the
//! thread that waits, and what ran there as a stand-in is free for the next.
//!
//! So there are always as many workers as at the beginning, each on one thread, and the order of the
//! queue is the order in which those go on that wait on threads of their own.
//!
//! # Invariants
//!
//! - A worker is held by one thread, or is in one order that has been given to a thread and not taken.
//!   Only once the scheduler stops may it get lost.
//! - A thread gets at most one order besides [`Order::Stop`], and gets it only while it is among the
//!   free ones, or while a task waits on it. An order that was given is never overwritten.
//! - Whoever waits when the scheduler stops, or comes later, is told so.
//!
//! The lock of the register is taken before that of a seat. Under both nothing else is locked.

use std::sync::PoisonError;
use std::thread::JoinHandle;

use slab::Slab;

use crate::sync::{Arc, AtomicUsize, Condvar, Mutex, Ordering, lock};

/// What a thread that waits is told.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// It is this worker from now on.
    Be(usize),
    /// The scheduler stops: the thread is no longer a worker.
    Stop,
}

/// Where a thread waits for its order.
pub(super) struct Seat {
    order: Mutex<Option<Order>>,
    given: Condvar,
}

impl Seat {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            order: Mutex::new(None),
            given: Condvar::new(),
        })
    }

    /// Gives an order, unless there is one: that would be to stop, or the scheduler has stopped since.
    pub(super) fn give(&self, order: Order) {
        lock(&self.order).get_or_insert(order);
        self.given.notify_one();
    }

    /// Waits for an order.
    pub(super) fn wait(&self) -> Order {
        let mut order = lock(&self.order);
        loop {
            if let Some(order) = order.take() {
                return order;
            }
            order = self
                .given
                .wait(order)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The threads that wait: for a worker to stand in for, or for the turn of their task.
pub(super) struct StandIns {
    register: Mutex<Register>,
    /// Tasks that wait on threads; written under the lock.
    waiting: AtomicUsize,
    /// Not more of them, if those who could be one more ask first.
    most: usize,
    /// So many free threads are kept: each worker may want one at the same time.
    kept: usize,
}

struct Register {
    free: Vec<Arc<Seat>>,
    waiting: Slab<Arc<Seat>>,
    /// Threads that were started beyond the first ones, and their handles.
    started: Vec<JoinHandle<()>>,
    stopped: bool,
}

/// A task's place among those that wait.
#[derive(Debug)]
pub(super) struct Waiting(usize);

impl StandIns {
    pub(super) fn new(most: usize, workers: usize) -> Self {
        Self {
            register: Mutex::new(Register {
                free: Vec::new(),
                waiting: Slab::new(),
                started: Vec::new(),
                stopped: false,
            }),
            waiting: AtomicUsize::new(0),
            most,
            kept: workers + 1,
        }
    }

    /// Whether one more task may come to wait on its thread. Out of date at once: as many more than the most may
    /// come to wait as there are workers.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < self.most
    }

    /// Registers a task that is about to wait on the thread of this seat, and takes a stand-in out of the free threads,
    /// if there is one. `None`: the scheduler stops.
    pub(super) fn begin(&self, seat: &Arc<Seat>) -> Option<(Waiting, Option<Arc<Seat>>)> {
        let mut register = lock(&self.register);
        if register.stopped {
            return None;
        }
        let waiting = Waiting(register.waiting.insert(seat.clone()));
        self.waiting
            .store(register.waiting.len(), Ordering::Relaxed);
        Some((waiting, register.free.pop()))
    }

    /// The task goes on, or has not come to wait.
    pub(super) fn end(&self, waiting: Waiting) {
        let mut register = lock(&self.register);
        register.waiting.remove(waiting.0);
        self.waiting
            .store(register.waiting.len(), Ordering::Relaxed);
    }

    /// This seat's thread has given its worker away. False: nobody will give it another, because the scheduler
    /// stops, or enough are free.
    pub(super) fn free(&self, seat: &Arc<Seat>) -> bool {
        let mut register = lock(&self.register);
        let kept = !register.stopped && register.free.len() < self.kept;
        if kept {
            register.free.push(seat.clone());
        }
        kept
    }

    /// Keeps the handle of a thread that was started.
    pub(super) fn keep(&self, thread: JoinHandle<()>) {
        let started = &mut lock(&self.register).started;
        started.retain(|thread| !thread.is_finished());
        started.push(thread);
    }

    /// Tells all who wait, and all who will, that the scheduler stops.
    pub(super) fn stop(&self) {
        let mut register = lock(&self.register);
        register.stopped = true;
        let free = std::mem::take(&mut register.free);
        for seat in free.iter().chain(register.waiting.iter().map(|(_, it)| it)) {
            seat.give(Order::Stop);
        }
    }

    /// The threads that were started and have not been joined.
    pub(super) fn take_started(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut lock(&self.register).started)
    }
}

#[cfg(test)]
#[cfg(loom)]
mod models {
    use super::{Order, Seat, StandIns};
    use crate::sync::{Arc, AtomicUsize, Ordering};
    use loom::thread;

    #[test]
    fn a_worker_that_is_given_to_who_waits_gets_there() {
        loom::model(|| {
            let stand_ins = Arc::new(StandIns::new(1, 1));
            let seat = Seat::new();
            let (waiting, _) = stand_ins.begin(&seat).unwrap();
            let giver = thread::spawn({
                let seat = seat.clone();
                move || seat.give(Order::Be(3))
            });
            assert_eq!(seat.wait(), Order::Be(3));
            stand_ins.end(waiting);
            giver.join().unwrap();
            assert!(stand_ins.has_room());
        });
    }

    #[test]
    fn whoever_waits_while_the_scheduler_stops_is_told() {
        loom::model(|| {
            let stand_ins = Arc::new(StandIns::new(1, 1));
            let (own, free) = (Seat::new(), Seat::new());
            let stopper = thread::spawn({
                let stand_ins = stand_ins.clone();
                move || stand_ins.stop()
            });
            let stand_in = thread::spawn({
                let stand_ins = stand_ins.clone();
                move || !stand_ins.free(&free) || free.wait() != Order::Stop
            });
            if let Some((waiting, stand_in)) = stand_ins.begin(&own) {
                if let Some(seat) = stand_in {
                    seat.give(Order::Be(0));
                }
                assert_eq!(own.wait(), Order::Stop);
                stand_ins.end(waiting);
            }
            stand_in.join().unwrap();
            stopper.join().unwrap();
        });
    }

    #[test]
    fn two_who_begin_to_wait_get_different_stand_ins() {
        loom::model(|| {
            let stand_ins = Arc::new(StandIns::new(2, 1));
            let free = Seat::new();
            assert!(stand_ins.free(&free));
            let new = Arc::new(AtomicUsize::new(0));
            let begin = {
                let (stand_ins, new) = (stand_ins.clone(), new.clone());
                move || match stand_ins.begin(&Seat::new()).unwrap() {
                    (_, None) => drop(new.fetch_add(1, Ordering::Relaxed)),
                    (_, Some(seat)) => seat.give(Order::Be(1)),
                }
            };
            let other = thread::spawn(begin.clone());
            begin();
            other.join().unwrap();
            assert_eq!(new.load(Ordering::Relaxed), 1);
            assert_eq!(free.wait(), Order::Be(1));
            assert!(!stand_ins.has_room());
        });
    }
}
