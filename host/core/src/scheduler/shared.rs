//! What a scheduler's handles, workers, timekeeper and tasks share.

use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use fastrand::Rng;

use super::deterministic::Deterministic;
use super::fair::Turn;
use super::multi_thread::{MultiThread, now};
use super::owned_tasks::OwnedTasks;
use super::parker::Parker;
use super::stand_ins::{Order, Seat, StandIns};
use super::state::Start;
use super::task::{Task, TaskCell, ThisTask};
use super::{AroundWorker, Mode, SchedulerOptions, lock};
use crate::clock::Clock;

pub(super) struct Shared {
    id: u64,
    pub(super) queue: Queue,
    pub(super) tasks: OwnedTasks,
    pub(super) clock: Clock,
    /// One per worker.
    pub(super) polls: Vec<PollCount>,
    pub(super) parker: Parker,
    next_task: AtomicU64,
    panics: AtomicU64,
    stopping: AtomicBool,
    /// Threads that haven't left their loop.
    pub(super) working: AtomicUsize,
    pub(super) stand_ins: StandIns,
    around_worker: Option<AroundWorker>,
    stack_size: Option<usize>,
    seeds: Option<Mutex<Rng>>,
}

#[expect(clippy::large_enum_variant, reason = "a scheduler has one")]
pub(super) enum Queue {
    MultiThread(MultiThread),
    Deterministic(Deterministic),
}

impl Queue {
    /// A task is new.
    fn joined(&self) {
        if let Self::MultiThread(multi_thread) = self {
            multi_thread.fair.queue.joined();
        }
    }

    /// A task has ended.
    pub(super) fn left(&self) {
        if let Self::MultiThread(multi_thread) = self {
            multi_thread.fair.queue.left();
        }
    }
}

/// A worker's polls, begun and ended: odd while it is in one. Only that worker writes it.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct PollCount(AtomicU64);

impl PollCount {
    pub(super) fn step(&self) {
        let count = self.0.load(Ordering::Relaxed);
        self.0.store(count.wrapping_add(1), Ordering::Release);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// The scheduler that this thread belongs to, and its worker's index while it runs tasks.
const OUTSIDE: (u64, Option<usize>) = (0, None);

thread_local! {
    static THREAD: Cell<(u64, Option<usize>)> = const { Cell::new(OUTSIDE) };
    /// That scheduler, for a task that is given away with its own reference to it.
    static SCHEDULER: OnceCell<Arc<Shared>> = const { OnceCell::new() };
    /// Who is woken here now takes its turn in the queue.
    static IN_TURN: Cell<bool> = const { Cell::new(false) };
    /// The task that is polled here has been made to let others run.
    static PREEMPTED: Cell<bool> = const { Cell::new(false) };
    /// What this thread has polled as a worker, and not charged yet.
    pub(super) static TURN: RefCell<Turn<Arc<TaskCell>>> = RefCell::new(Turn::new(now()));
    /// Where this thread waits, for a worker or for the turn of its task.
    pub(super) static SEAT: OnceCell<Arc<Seat>> = const { OnceCell::new() };
}

/// Wakes a task that makes work for others, which have enough of it: on a worker of its scheduler
/// it takes its turn in the queue, not the worker's slot.
pub(crate) fn wake_in_turn(waker: Waker) {
    let before = IN_TURN.replace(true);
    waker.wake();
    IN_TURN.set(before);
}

/// Adds a task to the scheduler whose worker this thread is; gives it back elsewhere.
pub(crate) fn spawn_here<F>(future: F) -> Result<(), F>
where
    F: Future<Output = ()> + Send + 'static,
{
    let here = THREAD.get().1.is_some();
    let shared = SCHEDULER.try_with(|shared| shared.get().cloned());
    match shared.ok().flatten().filter(|_| here) {
        Some(shared) => {
            shared.spawn(future);
            Ok(())
        }
        None => Err(future),
    }
}

static SCHEDULERS: AtomicU64 = AtomicU64::new(1);

/// Whether who is woken now takes its turn in the queue.
pub(super) fn takes_its_turn() -> bool {
    IN_TURN.get()
}

pub(super) fn set_preempted() {
    PREEMPTED.set(true);
}

/// Whether the task that was just polled had been made to let others run.
pub(super) fn was_preempted() -> bool {
    PREEMPTED.replace(false)
}

impl Shared {
    pub(super) fn new(options: &SchedulerOptions) -> Arc<Self> {
        let (workers, queue, clock, seeds) = match options.mode {
            Mode::Parallel { workers } => {
                let queue = Queue::MultiThread(MultiThread::new(workers, options.tick));
                (workers, queue, Clock::real(), None)
            }
            Mode::Seeded { seed } => {
                let mut random = Rng::with_seed(seed);
                let queue = Queue::Deterministic(Deterministic::new(random.u64(..)));
                (1, queue, Clock::virtual_time(), Some(Mutex::new(random)))
            }
        };
        let shared = Arc::new(Self {
            id: SCHEDULERS.fetch_add(1, Ordering::Relaxed),
            queue,
            tasks: OwnedTasks::new(),
            clock,
            polls: (0..workers).map(|_| PollCount::default()).collect(),
            parker: Parker::default(),
            next_task: AtomicU64::new(1),
            panics: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            working: AtomicUsize::new(workers),
            stand_ins: StandIns::new(options.max_blocked_in_place, workers),
            around_worker: options.around_worker.clone(),
            stack_size: options.stack_size,
            seeds,
        });
        let weak = Arc::downgrade(&shared);
        shared.clock.set_alarm(move || {
            if let Some(shared) = weak.upgrade() {
                shared.look_at_timers();
            }
        });
        shared
    }

    /// Queues a task that was spawned, woken or aborted.
    pub(super) fn push(&self, task: &Arc<TaskCell>) {
        match (&self.queue, self.worker()) {
            (Queue::MultiThread(multi_thread), Some(worker)) => {
                multi_thread.push_here(worker, task.clone())
            }
            _ => self.push_last(task),
        }
    }

    /// Queues a task that was woken. On one of its scheduler's workers nothing is counted for it:
    /// the reference that was the waker's is the queue's.
    pub(super) fn push_woken(task: Arc<TaskCell>) {
        let mut task = Some(task);
        // Where that is gone the thread ends, and runs no tasks.
        let _ = SCHEDULER.try_with(|shared| {
            if let Some(shared) = shared.get()
                && let Queue::MultiThread(multi_thread) = &shared.queue
                && let (_, Some(worker)) = THREAD.get()
                && let Some(here) = task.take_if(|task| Arc::ptr_eq(&task.shared, shared))
            {
                multi_thread.push_here(worker, here);
            }
        });
        if let Some(task) = task {
            task.shared.push_last(&task);
        }
    }

    /// Adds a task.
    pub(super) fn spawn(
        self: &Arc<Self>,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> Task {
        self.spawn_with(|_| future)
    }

    /// Adds a task that knows itself.
    pub(super) fn spawn_with<F>(self: &Arc<Self>, future: impl FnOnce(ThisTask) -> F) -> Task
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let id = self.next_task_id();
        let make = |key| TaskCell::new(id, key, |this| Box::pin(future(this)), self.clone());
        let cell = match self.tasks.insert(make) {
            Ok(cell) => {
                self.queue.joined();
                self.push(&cell);
                cell
            }
            Err(cell) => {
                cell.cancel();
                cell.drop_future();
                cell
            }
        };
        Task::new(cell)
    }

    /// Has idle workers leave the task that this one has woken last alone for so much longer.
    pub(super) fn keep_woken(longer: Duration) {
        let _ = SCHEDULER.try_with(|shared| {
            if let Some(Queue::MultiThread(multi_thread)) = shared.get().map(|shared| &shared.queue)
                && let (_, Some(worker)) = THREAD.get()
            {
                multi_thread.fair.slots.keep(worker, longer);
            }
        });
    }

    /// The worker that the calling thread is, if it is one of this scheduler's and runs tasks.
    pub(super) fn worker(&self) -> Option<usize> {
        let (id, worker) = THREAD.get();
        worker.filter(|_| id == self.id)
    }

    /// Queues a task behind the others.
    pub(super) fn push_last(&self, task: &Arc<TaskCell>) {
        match &self.queue {
            Queue::MultiThread(multi_thread) => multi_thread.push(task.clone()),
            Queue::Deterministic(deterministic) => deterministic.push(task.clone()),
        }
    }

    pub(super) fn next_task_id(&self) -> u64 {
        self.next_task.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn random_seed(&self) -> u64 {
        match &self.seeds {
            Some(seeds) => lock(seeds).u64(..),
            None => fastrand::u64(..),
        }
    }

    pub(super) fn count_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Runs a hook of the embedding program, whose panic must not end the timekeeper.
    pub(super) fn call(&self, hook: &(dyn Fn() + Send + Sync)) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(hook)) {
            self.count_panic();
            std::mem::forget(payload);
        }
    }

    pub(super) fn is_quiet(&self) -> bool {
        match &self.queue {
            Queue::MultiThread(multi_thread) => multi_thread.is_quiet(),
            Queue::Deterministic(deterministic) => deterministic.is_quiet(self),
        }
    }

    /// Whether no worker has anything to do, held or not.
    pub(super) fn is_idle(&self) -> bool {
        match &self.queue {
            Queue::MultiThread(multi_thread) => multi_thread.is_idle(),
            Queue::Deterministic(deterministic) => deterministic.is_idle(),
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Whether the calling thread is a worker or the timekeeper of this scheduler.
    pub(super) fn owns_this_thread(&self) -> bool {
        THREAD.get().0 == self.id
    }

    /// Marks the calling thread as this scheduler's.
    pub(super) fn adopt_thread(self: &Arc<Self>) {
        THREAD.set((self.id, None));
        // A thread is one scheduler's for life.
        let _ = SCHEDULER.with(|shared| shared.set(self.clone()));
    }

    /// Tells workers and timekeeper to stop.
    pub(super) fn stop(&self) {
        if self.stopping.swap(true, Ordering::SeqCst) {
            return;
        }
        match &self.queue {
            Queue::MultiThread(multi_thread) => multi_thread.fair.queue.wake_all(),
            Queue::Deterministic(deterministic) => deterministic.wake_worker(),
        }
        self.parker.ring();
        self.stand_ins.stop();
    }

    /// Starts a thread that waits on this seat to be told which worker it is, and runs tasks, inside the
    /// hook for that.
    pub(super) fn start_thread(
        self: &Arc<Self>,
        name: String,
        seat: Arc<Seat>,
    ) -> io::Result<JoinHandle<()>> {
        let shared = self.clone();
        let mut thread = thread::Builder::new().name(name);
        if let Some(bytes) = self.stack_size {
            thread = thread.stack_size(bytes);
        }
        thread.spawn(move || {
            shared.adopt_thread();
            // A thread has one seat for life.
            let _ = SEAT.with(|own| own.set(seat.clone()));
            let mut worked = false;
            let mut work = || {
                if !std::mem::replace(&mut worked, true) {
                    shared.work(&seat);
                }
            };
            match &shared.around_worker {
                Some(around) => {
                    // Its panic ends this worker alone; a shutdown still finds every task.
                    let _ = catch_unwind(AssertUnwindSafe(|| around(&mut work)));
                }
                None => work(),
            }
        })
    }

    /// A thread's loop: runs tasks until the scheduler stops, or the thread is no longer needed.
    fn work(self: &Arc<Self>, seat: &Arc<Seat>) {
        while let Order::Be(worker) = seat.wait() {
            self.hold_worker(Some(worker));
            let gave_worker = match &self.queue {
                Queue::MultiThread(multi_thread) => self.work_in_turn(multi_thread),
                Queue::Deterministic(deterministic) => self.work_alone(worker, deterministic),
            };
            if !gave_worker || !self.stand_ins.free(seat) {
                break;
            }
        }
        self.hold_worker(None);
        TURN.with_borrow_mut(Turn::forget);
        if self.working.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.drop_tasks();
        }
    }

    /// Runs tasks as long as this thread is a worker. Whether it has given that away.
    fn work_in_turn(&self, multi_thread: &MultiThread) -> bool {
        TURN.with_borrow_mut(|turn| turn.begin(now()));
        let mut polled = None;
        // Which worker it is may change in a poll.
        while let Some(worker) = self.worker() {
            let next = TURN.with_borrow_mut(|turn| {
                let again = polled
                    .take()
                    .and_then(|(task, woken)| multi_thread.end_poll(worker, turn, task, woken));
                match again {
                    Some(task) if !self.is_stopping() => Some(task),
                    _ => multi_thread.next(worker, turn, self),
                }
            });
            let Some(task) = next else {
                return false;
            };
            let start = task.state.start();
            if let Some(seat) = task.take_thread() {
                self.give_worker(worker, multi_thread, &seat);
                return true;
            }
            let woken = self.poll(worker, &task, start);
            polled = Some((task, woken));
        }
        false
    }

    fn work_alone(&self, worker: usize, deterministic: &Deterministic) -> bool {
        while let Some(task) = deterministic.next(self) {
            let start = task.state.start();
            if self.poll(worker, &task, start) {
                deterministic.push(task);
            }
        }
        false
    }

    /// Whether the task must be queued again.
    fn poll(&self, worker: usize, task: &Arc<TaskCell>, start: Start) -> bool {
        self.polls[worker].step();
        let woken = task.run(start);
        if let Some(worker) = self.worker() {
            self.polls[worker].step();
        }
        woken
    }

    /// Makes this thread a worker, or none.
    pub(super) fn hold_worker(&self, worker: Option<usize>) {
        THREAD.set((self.id, worker));
    }

    /// Gives this thread's worker to one on which a task waits that has its turn now.
    fn give_worker(&self, worker: usize, multi_thread: &MultiThread, seat: &Seat) {
        TURN.with_borrow_mut(|turn| multi_thread.fair.charge_rest(turn, now));
        self.hold_worker(None);
        seat.give(Order::Be(worker));
    }

    /// Drops the futures of all tasks that are left and refuses new ones. Only when no worker
    /// polls any more. All are marked as ended first: a drop that wakes another task, or that
    /// sends to it, then queues nothing.
    pub(super) fn drop_tasks(&self) {
        let left = self.tasks.close();
        left.iter().for_each(|task| task.cancel());
        left.iter().for_each(|task| task.drop_future());
        match &self.queue {
            Queue::MultiThread(multi_thread) => multi_thread.drain(),
            Queue::Deterministic(deterministic) => deterministic.drain(),
        }
    }

    fn look_at_timers(&self) {
        match &self.queue {
            Queue::MultiThread(_) => self.parker.ring(),
            Queue::Deterministic(deterministic) => deterministic.wake_worker(),
        }
    }
}
