//! Where a task is, in one atomic. This alone decides who may queue a task and who may poll it.

use crate::sync::{AtomicUsize, Ordering};

/// Waits for a wake-up; in no queue.
const PARKED: usize = 0;
/// In exactly one queue or slot.
const READY: usize = 1;
/// Polled by a worker.
const RUNNING: usize = 2;
/// Polled by a worker, and woken since that poll began.
const WOKEN: usize = 3;
/// Its future is gone.
const DONE: usize = 4;
const PHASE: usize = 7;
/// A flag beside the phase: the next worker that gets the task drops it instead of polling it.
const ABORTED: usize = 8;

/// The state machine of a task.
///
/// Whoever is told `true` by [`wake`](Self::wake), [`abort`](Self::abort) or
/// [`end_poll`](Self::end_poll) must queue the task, once. Every wake-up writes, even one that
/// changes nothing, so that the next poll sees what the waker did before it.
pub(super) struct TaskState(AtomicUsize);

/// What a worker has to do with a task that it took from a queue.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    Poll,
    /// Drop the future: the task was aborted.
    Drop,
    /// Nothing: it has ended already.
    Skip,
}

impl TaskState {
    /// The state of a task that its maker is about to queue.
    pub(super) fn ready() -> Self {
        Self(AtomicUsize::new(READY))
    }

    /// Notes a wake-up. `true`: the caller must queue the task.
    pub(super) fn wake(&self) -> bool {
        self.change(|state| match state & PHASE {
            PARKED => Some(state - PARKED + READY),
            RUNNING => Some(state - RUNNING + WOKEN),
            DONE => None,
            _ => Some(state),
        })
        .is_some_and(|before| before & PHASE == PARKED)
    }

    /// Has the next worker drop the task. `true`: the caller must queue it.
    pub(super) fn abort(&self) -> bool {
        self.change(|state| match state & PHASE {
            PARKED | READY => Some(READY | ABORTED),
            RUNNING | WOKEN => Some(WOKEN | ABORTED),
            _ => None,
        })
        .is_some_and(|before| before & PHASE == PARKED)
    }

    /// A worker has taken the task from a queue.
    pub(super) fn start(&self) -> Start {
        let before = self.change(|state| (state & PHASE == READY).then(|| state - READY + RUNNING));
        match before {
            Some(before) if before & ABORTED == 0 => Start::Poll,
            Some(_) => Start::Drop,
            None => Start::Skip,
        }
    }

    /// The poll has left the future pending. `true`: it was woken meanwhile, and the worker must
    /// queue it again.
    pub(super) fn end_poll(&self) -> bool {
        self.change(|state| match state & PHASE {
            // Aborted before it went on: it was waiting in the middle of this poll.
            RUNNING if state & ABORTED != 0 => Some(state - RUNNING + READY),
            RUNNING => Some(state - RUNNING + PARKED),
            WOKEN => Some(state - WOKEN + READY),
            _ => None,
        })
        .is_some_and(|before| before & PHASE == WOKEN || before & ABORTED != 0)
    }

    /// Whether it was aborted.
    pub(super) fn is_aborted(&self) -> bool {
        self.0.load(Ordering::Acquire) & ABORTED != 0
    }

    /// Whether it was woken in its present poll.
    pub(super) fn is_woken(&self) -> bool {
        self.0.load(Ordering::Acquire) & PHASE == WOKEN
    }

    /// The future is gone, or is about to be dropped by the only one who can reach it.
    pub(super) fn finish(&self) {
        self.0.store(DONE, Ordering::Release);
    }

    pub(super) fn is_done(&self) -> bool {
        self.0.load(Ordering::Acquire) & PHASE == DONE
    }

    /// The state before, if `step` allowed the change.
    fn change(&self, step: impl FnMut(usize) -> Option<usize>) -> Option<usize> {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, step)
            .ok()
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::{Start, TaskState};

    #[test]
    fn a_parked_task_is_queued_by_one_wake_only() {
        let state = TaskState::ready();
        assert_eq!(state.start(), Start::Poll);
        assert!(!state.end_poll());
        assert!(state.wake());
        assert!(!state.wake());
        assert_eq!(state.start(), Start::Poll);
        assert_eq!(state.start(), Start::Skip);
    }

    #[test]
    fn a_wake_during_the_poll_queues_the_task_again() {
        let state = TaskState::ready();
        assert_eq!(state.start(), Start::Poll);
        assert!(!state.wake());
        assert!(!state.wake());
        assert!(state.end_poll());
        assert_eq!(state.start(), Start::Poll);
        assert!(!state.end_poll());
    }

    #[test]
    fn an_abort_reaches_the_task_in_every_phase() {
        let ready = TaskState::ready();
        assert!(!ready.abort());
        assert_eq!(ready.start(), Start::Drop);

        let running = TaskState::ready();
        assert_eq!(running.start(), Start::Poll);
        assert!(!running.abort());
        assert!(running.end_poll());
        assert_eq!(running.start(), Start::Drop);

        let parked = TaskState::ready();
        assert_eq!(parked.start(), Start::Poll);
        assert!(!parked.end_poll());
        assert!(parked.abort());
        assert!(!parked.abort());
        assert_eq!(parked.start(), Start::Drop);

        let done = TaskState::ready();
        done.finish();
        assert!(!done.abort());
        assert!(!done.wake());
        assert_eq!(done.start(), Start::Skip);
        assert!(done.is_done());
    }
}

#[cfg(test)]
#[cfg(loom)]
mod models {
    use super::{Start, TaskState};
    use crate::sync::{Arc, AtomicUsize, Ordering};
    use loom::thread;

    /// A task's life as a worker sees it. The queue is a counter, and like the real one it orders
    /// a push before the pop. The message is relaxed: only the state orders it.
    struct Model {
        state: TaskState,
        queued: AtomicUsize,
        message: AtomicUsize,
    }

    impl Model {
        /// A task in its first poll.
        fn running() -> Arc<Self> {
            let state = TaskState::ready();
            assert_eq!(state.start(), Start::Poll);
            Arc::new(Self {
                state,
                queued: AtomicUsize::new(0),
                message: AtomicUsize::new(0),
            })
        }

        fn wake(&self, message: usize) {
            self.message.fetch_add(message, Ordering::Relaxed);
            if self.state.wake() {
                self.queued.fetch_add(1, Ordering::Release);
            }
        }

        fn end_poll(&self) {
            if self.state.end_poll() {
                self.queued.fetch_add(1, Ordering::Release);
            }
        }

        /// Polls what is queued. The message that the last poll saw.
        fn poll_queued(&self) -> Option<usize> {
            let mut seen = None;
            while self.queued.load(Ordering::Acquire) > 0 {
                self.queued.fetch_sub(1, Ordering::Relaxed);
                assert_eq!(self.state.start(), Start::Poll, "queued twice");
                seen = Some(self.message.load(Ordering::Relaxed));
                self.end_poll();
            }
            seen
        }
    }

    #[test]
    fn a_wake_at_the_end_of_a_poll_is_never_lost() {
        loom::model(|| {
            let task = Model::running();
            let waker = thread::spawn({
                let task = task.clone();
                move || task.wake(1)
            });
            let seen = task.message.load(Ordering::Relaxed);
            task.end_poll();
            let later = task.poll_queued();
            waker.join().unwrap();
            let last = task.poll_queued().or(later).unwrap_or(seen);
            assert_eq!(last, 1, "parked for good without having seen the message");
        });
    }

    #[test]
    fn two_wakers_queue_a_task_once_and_both_are_seen() {
        let mut builder = loom::model::Builder::new();
        // Three threads: all interleavings would take minutes.
        builder.preemption_bound = Some(3);
        builder.check(|| {
            let task = Model::running();
            let wakers = [1, 2].map(|message| {
                let task = task.clone();
                thread::spawn(move || task.wake(message))
            });
            let seen = task.message.load(Ordering::Relaxed);
            task.end_poll();
            let later = task.poll_queued();
            for waker in wakers {
                waker.join().unwrap();
            }
            assert!(task.queued.load(Ordering::Relaxed) <= 1);
            let last = task.poll_queued().or(later).unwrap_or(seen);
            assert_eq!(last, 3);
        });
    }

    #[test]
    fn the_poll_after_a_wake_sees_what_came_before_the_wake() {
        loom::model(|| {
            let state = Arc::new(TaskState::ready());
            let message = Arc::new(AtomicUsize::new(0));
            let waker = thread::spawn({
                let (state, message) = (state.clone(), message.clone());
                move || {
                    message.store(1, Ordering::Relaxed);
                    // The task is in the queue, or polled: this wake queues nothing.
                    assert!(!state.wake());
                }
            });
            assert_eq!(state.start(), Start::Poll);
            let mut seen = message.load(Ordering::Relaxed);
            if seen == 0 {
                waker.join().unwrap();
                // Missed, so the wake fell into the poll, which must be repeated.
                assert!(state.end_poll());
                assert_eq!(state.start(), Start::Poll);
                seen = message.load(Ordering::Relaxed);
            }
            assert_eq!(seen, 1);
        });
    }

    #[test]
    fn an_abort_against_the_end_of_a_poll_is_never_lost() {
        loom::model(|| {
            let task = Model::running();
            let killer = thread::spawn({
                let task = task.clone();
                move || {
                    if task.state.abort() {
                        task.queued.fetch_add(1, Ordering::Release);
                    }
                }
            });
            task.end_poll();
            killer.join().unwrap();
            assert_eq!(task.queued.load(Ordering::Relaxed), 1);
            assert_eq!(task.state.start(), Start::Drop);
        });
    }
}
