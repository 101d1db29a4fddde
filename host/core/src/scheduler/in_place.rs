//! How a task waits in the middle of its poll. `stand_ins` states the protocol.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::multi_thread::{MultiThread, now};
use super::shared::{Queue, SEAT, Shared, TURN, was_preempted};
use super::stand_ins::{Order, Seat};
use super::task::{BlockInPlaceError, TaskCell};

impl Shared {
    pub(super) fn has_room_for_waiting(&self) -> bool {
        matches!(self.queue, Queue::MultiThread(_)) && self.stand_ins.has_room()
    }

    /// Waits on this thread until it is the task's turn again, which is being polled here.
    pub(super) fn wait_in_place(
        self: &Arc<Self>,
        task: &Arc<TaskCell>,
    ) -> Result<(), BlockInPlaceError> {
        let Queue::MultiThread(multi_thread) = &self.queue else {
            return Err(BlockInPlaceError::NoThread);
        };
        let worker = self.worker().filter(|_| !self.is_stopping());
        let Some(worker) = worker.filter(|_| !task.state.is_aborted()) else {
            return Err(BlockInPlaceError::Aborted);
        };
        let preempted = was_preempted();
        if task.state.is_woken() && multi_thread.has_nobody_else(worker) {
            task.state.end_poll();
            task.state.start();
        } else {
            self.leave_worker(task, worker, multi_thread, preempted)?;
        }
        match task.state.is_aborted() {
            true => Err(BlockInPlaceError::Aborted),
            false => Ok(()),
        }
    }

    /// Gives this thread's worker to a stand-in, and waits for another one, which it gets when it is the turn of
    /// the task that is being polled here.
    fn leave_worker(
        self: &Arc<Self>,
        task: &Arc<TaskCell>,
        worker: usize,
        multi_thread: &MultiThread,
        preempted: bool,
    ) -> Result<(), BlockInPlaceError> {
        let Some(seat) = SEAT.with(|seat| seat.get().cloned()) else {
            return Err(BlockInPlaceError::NoThread);
        };
        let Some((waiting, stand_in)) = self.stand_ins.begin(&seat) else {
            return Err(BlockInPlaceError::Aborted);
        };
        let stand_in = match stand_in {
            Some(free) => free,
            None => match self.start_stand_in() {
                Ok(started) => started,
                Err(_) => {
                    self.stand_ins.end(waiting);
                    return Err(BlockInPlaceError::NoThread);
                }
            },
        };
        TURN.with_borrow_mut(|turn| multi_thread.fair.charge_with(turn, task.clone(), now));
        task.set_thread(seat.clone());
        self.polls[worker].step();
        self.hold_worker(None);
        // From here on, others may have the task.
        if task.state.end_poll() {
            TURN.with_borrow(|turn| {
                multi_thread.push_again(worker, turn, task.clone(), preempted);
            });
        }
        stand_in.give(Order::Be(worker));
        let order = seat.wait();
        self.stand_ins.end(waiting);
        let Order::Be(worker) = order else {
            return Err(BlockInPlaceError::Aborted);
        };
        self.hold_worker(Some(worker));
        self.polls[worker].step();
        TURN.with_borrow_mut(|turn| turn.begin(now()));
        Ok(())
    }

    /// Starts a thread that waits for a worker.
    fn start_stand_in(self: &Arc<Self>) -> io::Result<Arc<Seat>> {
        let seat = Seat::new();
        self.working.fetch_add(1, Ordering::AcqRel);
        match self.start_thread("transputer-stand-in".to_owned(), seat.clone()) {
            Ok(thread) => {
                self.stand_ins.keep(thread);
                Ok(seat)
            }
            Err(error) => {
                self.working.fetch_sub(1, Ordering::AcqRel);
                Err(error)
            }
        }
    }
}
