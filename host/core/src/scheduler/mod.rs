//! Runs tasks on a few worker threads, and keeps their time.
//!
//! # How a task gets to a worker
//!
//! A task is parked, ready, running, running and woken, or done, as one atomic says. Only the
//! wake-up that makes a parked task ready queues it, so a task is in one queue at most; a wake-up
//! during a poll is kept, and the worker queues the task again after the poll.
//!
//! In [`Mode::Parallel`] ready tasks wait in one run queue, in the order of the processor time that
//! they have used, and each worker has a slot besides, for the task that was last woken or spawned
//! by a task running there: after a message between two processes the receiver runs next, on the
//! same processor, and no other worker is woken. `fair.rs` states the order, and how the time is
//! measured. A task that wakes itself lets all others run first, unless it was [`preempted`]. The slot must
//! not starve anybody, nor must its task wait while a worker has nothing to do:
//!
//! - what is in the slot moves to the queue when another task is woken there, and when it has run
//!   ahead of the queue's first by a tick;
//! - what has been in a slot for some 20 µs is taken by a worker that has nothing else to do;
//!   `slots.rs` states how it comes to know;
//! - where all have something to do, a worker in the same poll for a whole tick loses its slot's
//!   task to the queue.
//!
//! A sender that waited for room, or for a receiver, is queued without waking another worker, which
//! would cost a system call per message; a tick tells the workers that have nothing to do.
//!
//! A worker is a place among those that take tasks, not a thread: a task that has to wait in the middle of a poll [keeps its
//! thread](ThisTask::block_in_place), which gives its worker to another one. `stand_ins.rs` states how.
//!
//! In [`Mode::Seeded`] one worker draws from the ready tasks at random, from a seed. Its clock
//! stands still while anything is ready or running, but for the small step that a [look] at it
//! costs, and jumps to the next deadline when nothing is.
//!
//! [look]: crate::clock::Clock::look
//!
//! # The timekeeper
//!
//! One more thread fires timers at their deadlines, and ticks while tasks run. After a tick in
//! which no worker has polled it dozes, and the next worker that finds work wakes it.

mod classes;
mod deterministic;
mod fair;
mod idle;
mod in_place;
mod multi_thread;
mod owned_tasks;
mod parker;
mod run_queue;
mod shared;
mod slots;
mod stand_ins;
mod state;
mod task;
mod timekeeper;

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::clock::Clock;
use shared::{Queue, Shared};
pub(crate) use shared::{spawn_here, wake_in_turn};
use stand_ins::{Order, Seat};
pub use task::{BlockInPlaceError, Task, ThisTask};
use timekeeper::Timekeeper;

/// Something that the scheduler calls.
pub type Hook = Arc<dyn Fn() + Send + Sync>;

/// Something that calls a worker's whole loop.
pub type AroundWorker = Arc<dyn Fn(&mut dyn FnMut()) + Send + Sync>;

/// How tasks are chosen, and by whose clock.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// So many worker threads, in real time.
    Parallel {
        /// At least 1.
        workers: usize,
    },
    /// One worker, an order of polls drawn from the seed, and virtual time.
    ///
    /// Every ready task is the next with the same chance, whatever processor time it has used: this
    /// mode explores orders, and is fair only as dice are. The clock stands still while a task is
    /// ready or running, but for [`Clock::LOOK`] with each [`Clock::look`]; when none is, it jumps
    /// to the next deadline, so that waiting takes no time.
    ///
    /// The same seed gives the same order, unless threads outside the scheduler wake tasks or
    /// spawn them; [`Scheduler::hold_tasks`] makes several spawns from outside one step.
    Seeded {
        /// Any number.
        seed: u64,
    },
}

/// Asks idle workers to leave the task that the running one has woken last to this worker, for
/// so much longer than they would: what it is going to read lies in this worker's cache, and
/// to bring it over would take as long. A hint; nothing happens outside of a task.
#[doc(hidden)]
pub fn keep_woken(longer: Duration) {
    Shared::keep_woken(longer);
}

/// Tells the scheduler that the task which is being polled lets others run because it was made to:
/// it is queued where the processor time that it has used puts it, not behind all others, as a
/// task is that wakes itself to let others run. To be called in the poll, before its waker. Nothing
/// happens outside of a task.
#[doc(hidden)]
pub fn preempted() {
    shared::set_preempted();
}

/// What a [`Scheduler`] is made from.
#[derive(Clone)]
#[non_exhaustive]
pub struct SchedulerOptions {
    /// How tasks are chosen.
    pub mode: Mode,
    /// The time between two ticks, in real time, in both modes. More than zero.
    pub tick: Duration,
    /// Called once on each worker thread with the worker's loop, which it must call once.
    pub around_worker: Option<AroundWorker>,
    /// Called on the timekeeper at each tick in which a task has run. Must not block.
    pub on_tick: Option<Hook>,
    /// Called on the timekeeper each time that everything has become [quiet], if it has stayed so
    /// for a tick. In seeded mode at once, and no task runs before it returns.
    ///
    /// [quiet]: Scheduler::is_quiet
    pub on_quiet: Option<Hook>,
    /// How many tasks may [wait in place](ThisTask::block_in_place) at once, each on a thread of its own;
    /// 256 by default.
    pub max_blocked_in_place: usize,
    /// Bytes of each worker's stack; as the standard library has it by default.
    pub stack_size: Option<usize>,
}

impl SchedulerOptions {
    /// A tick of 2 ms, and no hooks.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            tick: Duration::from_millis(2),
            around_worker: None,
            on_tick: None,
            on_quiet: None,
            max_blocked_in_place: 256,
            stack_size: None,
        }
    }

    /// Sets the time between two ticks.
    #[must_use]
    pub fn tick(mut self, tick: Duration) -> Self {
        self.tick = tick;
        self
    }

    /// Sets what is called on each worker thread with the worker's loop.
    #[must_use]
    pub fn around_worker(mut self, around: AroundWorker) -> Self {
        self.around_worker = Some(around);
        self
    }

    /// Sets what is called at each tick in which a task has run.
    #[must_use]
    pub fn on_tick(mut self, hook: Hook) -> Self {
        self.on_tick = Some(hook);
        self
    }

    /// Sets what is called each time that everything has become quiet.
    #[must_use]
    pub fn on_quiet(mut self, hook: Hook) -> Self {
        self.on_quiet = Some(hook);
        self
    }

    /// Sets how many tasks may wait in place at once.
    #[must_use]
    pub fn max_blocked_in_place(mut self, tasks: usize) -> Self {
        self.max_blocked_in_place = tasks;
        self
    }

    /// Sets the size of each worker's stack, in bytes.
    #[must_use]
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    fn check(&self) -> io::Result<()> {
        let fault = match self.mode {
            Mode::Parallel { workers: 0 } => "a scheduler needs at least 1 worker, got 0",
            _ if self.tick.is_zero() => "a scheduler's tick must be longer than zero",
            _ => return Ok(()),
        };
        Err(io::Error::new(io::ErrorKind::InvalidInput, fault))
    }
}

/// As many parallel workers as the machine has processors for this program.
impl Default for SchedulerOptions {
    fn default() -> Self {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        Self::new(Mode::Parallel { workers })
    }
}

impl fmt::Debug for SchedulerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchedulerOptions")
            .field("mode", &self.mode)
            .field("tick", &self.tick)
            .finish_non_exhaustive()
    }
}

/// Runs tasks. Clones are the same scheduler; dropping the last one shuts it down.
///
/// A task that holds a clone keeps the scheduler alive: call [`shutdown`](Self::shutdown) then.
///
/// ```
/// use std::sync::mpsc;
/// use std::time::Duration;
/// use transputer_core::scheduler::{Mode, Scheduler, SchedulerOptions};
///
/// // Virtual time: the hour passes at once.
/// let scheduler = Scheduler::new(SchedulerOptions::new(Mode::Seeded { seed: 7 }))?;
/// let (done, finished) = mpsc::channel();
/// let clock = scheduler.clock().clone();
/// scheduler.spawn(async move {
///     clock.sleep(Duration::from_secs(3600)).await;
///     done.send(clock.now()).ok();
/// });
/// assert_eq!(finished.recv().unwrap().as_nanos(), 3_600_000_000_000);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct Scheduler {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Scheduler {
    /// Starts the workers and the timekeeper.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] for no workers or a tick of zero; otherwise what the
    /// system says when it cannot start a thread. Nothing is left running then.
    pub fn new(options: SchedulerOptions) -> io::Result<Self> {
        options.check()?;
        let shared = Shared::new(&options);
        // From here on, dropping `scheduler` stops the threads that have been started.
        let scheduler = Self {
            handle: Arc::new(Handle {
                shared: shared.clone(),
                threads: Mutex::default(),
            }),
        };
        for index in 0..scheduler.workers() {
            let seat = Seat::new();
            seat.give(Order::Be(index));
            let thread = shared.start_thread(format!("transputer-{index}"), seat)?;
            lock(&scheduler.handle.threads).push(thread);
        }
        let timekeeper = Timekeeper::new(
            shared.clone(),
            options.tick,
            options.on_tick,
            options.on_quiet,
        );
        let timekeeping = move || {
            shared.adopt_thread();
            timekeeper.run();
        };
        let thread = thread::Builder::new()
            .name("transputer-time".to_owned())
            .spawn(timekeeping)?;
        lock(&scheduler.handle.threads).push(thread);
        Ok(scheduler)
    }

    /// Adds a task. Never blocks; may be called from anywhere. In parallel mode a task that was
    /// spawned by another runs next on the same worker, unless a second one is spawned or woken
    /// there first, or another worker is out of work; others run after those that are ready.
    ///
    /// A panic in the future ends its task alone ([`Task::panicked`] tells). After a
    /// [`shutdown`](Self::shutdown) the future is dropped at once.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Task {
        self.handle.shared.spawn(future)
    }

    /// Adds a task, likewise, whose future knows [which task it is](ThisTask).
    ///
    /// ```
    /// use transputer_core::scheduler::{Scheduler, SchedulerOptions};
    /// use transputer_core::{Options, channel};
    ///
    /// let scheduler = Scheduler::new(SchedulerOptions::default())?;
    /// let (sender, receiver) = channel::<u64>(Options::rendezvous());
    /// let (doubled, doubles) = std::sync::mpsc::channel();
    /// scheduler.spawn_with(|task| async move {
    ///     // A plain function, in which nothing can be awaited.
    ///     let double = || 2 * task.block_in_place(receiver.receive()).unwrap().unwrap();
    ///     doubled.send(double()).unwrap();
    /// });
    /// sender.send_blocking(21).unwrap();
    /// assert_eq!(doubles.recv(), Ok(42));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn spawn_with<F>(&self, future: impl FnOnce(ThisTask) -> F) -> Task
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.handle.shared.spawn_with(future)
    }

    /// Whether one more task may [wait in place](ThisTask::block_in_place): in parallel mode, as long as
    /// not too many others do. A bit more than those may come to wait if all workers ask at the same time.
    #[must_use]
    #[inline]
    pub fn may_block_in_place(&self) -> bool {
        self.handle.shared.has_room_for_waiting()
    }

    /// The clock of this scheduler's tasks: real time, or virtual in seeded mode. Sleeps of
    /// host threads may use it too. After a shutdown its sleeps end at once.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.handle.shared.clock
    }

    /// How many worker threads there are.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.handle.shared.polls.len()
    }

    /// How many tasks have been spawned and haven't ended.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.handle.shared.tasks.len()
    }

    /// How many sleeps wait for the clock, of tasks and of host threads.
    #[must_use]
    pub fn timers_pending(&self) -> usize {
        self.clock().timers_pending()
    }

    /// How many panics in tasks and hooks have been caught.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.handle.shared.panics()
    }

    /// Whether nothing is ready or running, and nobody [holds the time](Self::hold_time). In
    /// seeded mode no timer may be pending either, since time would jump to it.
    ///
    /// By the time that the caller has the answer a thread outside may have woken a task.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.handle.shared.is_quiet()
    }

    /// The next seed for something that chooses at random, as an alternation does: from the
    /// scheduler's seed in seeded mode, so that a replay makes the same choices.
    #[must_use]
    pub fn random_seed(&self) -> u64 {
        self.handle.shared.random_seed()
    }

    /// While the guard lives, the scheduler isn't quiet, and virtual time doesn't jump to the next
    /// deadline, though a [look](Clock::look) at the clock moves it as ever: for work under way
    /// outside, such as I/O, that will wake a task. Real time goes on.
    #[must_use = "time moves on when the guard is dropped"]
    pub fn hold_time(&self) -> TimeHold {
        let shared = self.handle.shared.clone();
        match &shared.queue {
            Queue::MultiThread(multi_thread) => multi_thread.hold(),
            Queue::Deterministic(deterministic) => deterministic.hold_time(),
        }
        TimeHold { shared }
    }

    /// In seeded mode no task is polled while the guard lives, except the one that is being
    /// polled, so that what is spawned or woken from outside meanwhile becomes one set to choose
    /// from. Does nothing in parallel mode.
    #[must_use = "tasks go on when the guard is dropped"]
    pub fn hold_tasks(&self) -> TaskHold {
        let shared = self.handle.shared.clone();
        if let Queue::Deterministic(deterministic) = &shared.queue {
            deterministic.hold_tasks();
        }
        TaskHold { shared }
    }

    /// Ends everything, in these steps:
    ///
    /// 1. The scheduler is marked as stopping: no worker begins another poll.
    /// 2. Idle workers, and the timekeeper, are woken to see the mark.
    /// 3. Each worker leaves its loop after the poll that it is in.
    /// 4. The last one to leave refuses new tasks, marks all tasks as ended, then drops their
    ///    futures, inside `around_worker`. A drop that wakes other tasks queues nothing.
    /// 5. That worker empties the queue.
    /// 6. The timekeeper leaves after the hook that it is in, and ends all sleeps.
    /// 7. The caller joins the threads, and drops what the workers could not.
    ///
    /// A second call waits for the first, and does nothing more. On a thread of this scheduler
    /// (in a task or a hook) it cannot wait for itself: it returns after step 2. Blocks as long
    /// as the longest poll otherwise.
    pub fn shutdown(&self) {
        self.handle.shutdown();
    }
}

impl Handle {
    fn shutdown(&self) {
        self.shared.stop();
        if self.shared.owns_this_thread() {
            return;
        }
        // Held while joining, so that a second caller waits as well.
        let mut threads = lock(&self.threads);
        for thread in threads.drain(..) {
            // An `Err` is a panic in `around_worker`, which the panic hook has shown.
            let _ = thread.join();
        }
        for stand_in in self.shared.stand_ins.take_started() {
            let _ = stand_in.join();
        }
        self.shared.drop_tasks();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("workers", &self.workers())
            .field("tasks", &self.tasks())
            .field("clock", self.clock())
            .finish_non_exhaustive()
    }
}

/// Holds a scheduler's time: see [`Scheduler::hold_time`].
#[must_use = "time moves on when the guard is dropped"]
pub struct TimeHold {
    shared: Arc<Shared>,
}

impl Drop for TimeHold {
    fn drop(&mut self) {
        match &self.shared.queue {
            Queue::MultiThread(multi_thread) => {
                multi_thread.release();
                // The quiet that it kept from being reported may be due now.
                self.shared.parker.stir();
            }
            Queue::Deterministic(deterministic) => deterministic.release_time(),
        }
    }
}

impl fmt::Debug for TimeHold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeHold").finish_non_exhaustive()
    }
}

/// Holds a seeded scheduler's tasks: see [`Scheduler::hold_tasks`].
#[must_use = "tasks go on when the guard is dropped"]
pub struct TaskHold {
    shared: Arc<Shared>,
}

impl Drop for TaskHold {
    fn drop(&mut self) {
        if let Queue::Deterministic(deterministic) = &self.shared.queue {
            deterministic.release_tasks();
        }
    }
}

impl fmt::Debug for TaskHold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHold").finish_non_exhaustive()
    }
}

/// Locks, also after a panic: nothing under these locks is left half changed by one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
