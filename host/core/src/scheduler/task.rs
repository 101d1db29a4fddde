use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Context, Poll, Wake, Waker};

use super::fair::Timed;
use super::lock;
use super::owned_tasks::Key;
use super::shared::Shared;
use super::stand_ins::Seat;
use super::state::{Start, TaskState};

/// A task of a [`Scheduler`](super::Scheduler). Clones are the same task; dropping them all
/// leaves it running.
#[derive(Clone)]
pub struct Task {
    cell: Arc<TaskCell>,
}

impl Task {
    pub(super) fn new(cell: Arc<TaskCell>) -> Self {
        Self { cell }
    }

    /// Its number, unique in its scheduler.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.cell.id
    }

    /// Ends the task: a worker drops its future soon, in place of its next poll, or after the
    /// poll that it is in. Never blocks; does nothing to a task that has ended.
    pub fn abort(&self) {
        if self.cell.state.abort() {
            self.cell.shared.push(&self.cell);
        }
    }

    /// Has a worker poll the task once more, as its own wakers do: for a future that looks at
    /// something besides what it waits for. Never blocks; does nothing to a task that has ended.
    pub fn wake(&self) {
        if self.cell.state.wake() {
            self.cell.shared.push(&self.cell);
        }
    }

    /// Whether it has ended, in any way, and its future has been dropped.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.cell.state.is_done()
    }

    /// The message of the panic that ended it, if one did.
    #[must_use]
    pub fn panicked(&self) -> Option<Arc<str>> {
        self.cell.panicked.get().cloned()
    }
}

/// The task that a future is, for the future itself: see [`Scheduler::spawn_with`](super::Scheduler::spawn_with).
///
/// It does not keep the task alive.
#[derive(Clone)]
pub struct ThisTask(Weak<TaskCell>);

impl ThisTask {
    /// Waits for a future in the middle of a poll of the task, on this thread, which gives its worker to another
    /// one meanwhile. To everybody else the task is between two polls: it is woken, takes its turn and
    /// is aborted like all others. If nobody else is ready, the thread keeps its worker.
    ///
    /// To be called in a poll of the task only. Whoever does so where the scheduler has [no
    /// room](super::Scheduler::may_block_in_place) takes a thread more than there should be.
    ///
    /// # Errors
    ///
    /// [`Aborted`](BlockInPlaceError::Aborted), after which the caller has to return from the poll soon, and
    /// [`NoThread`](BlockInPlaceError::NoThread). The future is dropped.
    pub fn block_in_place<F: Future>(&self, future: F) -> Result<F::Output, BlockInPlaceError> {
        let Some(task) = self.0.upgrade() else {
            return Err(BlockInPlaceError::Aborted);
        };
        let waker = Waker::from(task.clone());
        let mut future = std::pin::pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Ok(output);
            }
            task.shared.wait_in_place(&task)?;
        }
    }
}

impl fmt::Debug for ThisTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThisTask").finish_non_exhaustive()
    }
}

/// Why a task could not wait [in place](ThisTask::block_in_place).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlockInPlaceError {
    /// The task was aborted, or the scheduler stops.
    Aborted,
    /// There is no thread that could go on in place of this one: the system refuses one, or
    /// the scheduler is in seeded mode, which has a single one.
    NoThread,
}

impl fmt::Display for BlockInPlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aborted => "the task is ended while it waits",
            Self::NoThread => "there is no thread to go on in place of one that waits",
        })
    }
}

impl std::error::Error for BlockInPlaceError {}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id())
            .field("finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What queues and wakers point to.
pub(super) struct TaskCell {
    id: u64,
    key: Key,
    /// What it has used: see `fair`.
    virtual_time: AtomicU64,
    /// Whether it has been preempted since it last waited.
    preempted: AtomicBool,
    pub(super) state: TaskState,
    body: Mutex<Option<Body>>,
    /// Whether its poll waits on a thread: `thread` is set then. Changed only by who may poll it.
    on_thread: AtomicBool,
    /// Where that thread waits.
    thread: Mutex<Option<Arc<Seat>>>,
    panicked: OnceLock<Arc<str>>,
    pub(super) shared: Arc<Shared>,
}

struct Body {
    future: BoxFuture,
    /// One waker for all polls; made by the first.
    waker: Option<Waker>,
}

impl TaskCell {
    pub(super) fn new(
        id: u64,
        key: Key,
        future: impl FnOnce(ThisTask) -> BoxFuture,
        shared: Arc<Shared>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            id,
            key,
            virtual_time: AtomicU64::new(0),
            preempted: AtomicBool::new(false),
            state: TaskState::ready(),
            body: Mutex::new(Some(Body {
                future: future(ThisTask(this.clone())),
                waker: None,
            })),
            on_thread: AtomicBool::new(false),
            thread: Mutex::new(None),
            panicked: OnceLock::new(),
            shared,
        })
    }

    /// Where its poll waits, if it does on a thread. Called by who has started it: it is taken out.
    pub(super) fn take_thread(&self) -> Option<Arc<Seat>> {
        if !self.on_thread.load(Ordering::Relaxed) {
            return None;
        }
        self.on_thread.store(false, Ordering::Relaxed);
        lock(&self.thread).take()
    }

    /// Its poll is about to wait on a thread.
    pub(super) fn set_thread(&self, seat: Arc<Seat>) {
        *lock(&self.thread) = Some(seat);
        self.on_thread.store(true, Ordering::Relaxed);
    }

    /// Polls the task, or drops its future, whichever is due. Called by the worker that took it
    /// from a queue, and has started it. `true`: it was woken meanwhile, and the worker must queue it again.
    pub(super) fn run(self: &Arc<Self>, start: Start) -> bool {
        match start {
            Start::Skip => {}
            Start::Drop => self.end(),
            Start::Poll => match self.poll() {
                Ok(Poll::Pending) => return self.state.end_poll(),
                Ok(Poll::Ready(())) => self.end(),
                Err(payload) => {
                    self.note_panic(payload);
                    self.end();
                }
            },
        }
        false
    }

    fn poll(self: &Arc<Self>) -> Result<Poll<()>, Box<dyn Any + Send>> {
        let mut guard = lock(&self.body);
        let Some(body) = guard.as_mut() else {
            return Ok(Poll::Ready(()));
        };
        let waker = body.waker.get_or_insert_with(|| Waker::from(self.clone()));
        let future = body.future.as_mut();
        // Whatever the future leaves broken goes with it: it is never polled again.
        catch_unwind(AssertUnwindSafe(|| {
            future.poll(&mut Context::from_waker(waker))
        }))
    }

    /// Drops the future and leaves the registry.
    fn end(&self) {
        self.drop_future();
        self.state.finish();
        if self.shared.tasks.remove(self.key).is_some() {
            self.shared.queue.left();
        }
    }

    /// Marks the task as ended, so that wake-ups no longer queue it. Only for a shutdown, when
    /// no worker polls any more.
    pub(super) fn cancel(&self) {
        self.state.finish();
    }

    pub(super) fn drop_future(&self) {
        let body = lock(&self.body).take();
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(body))) {
            self.note_panic(payload);
        }
    }

    fn note_panic(&self, payload: Box<dyn Any + Send>) {
        // A task that panics again while it is dropped keeps its first message.
        let _ = self.panicked.set(panic_message(payload.as_ref()));
        self.shared.count_panic();
        // The payload is foreign code's, and its drop could panic as well.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(second);
        }
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> Arc<str> {
    if let Some(text) = payload.downcast_ref::<&str>() {
        Arc::from(*text)
    } else if let Some(text) = payload.downcast_ref::<String>() {
        Arc::from(text.as_str())
    } else {
        Arc::from("a panic without a message")
    }
}

impl Timed for Arc<TaskCell> {
    fn virtual_time(&self) -> u64 {
        self.virtual_time.load(Ordering::Relaxed)
    }

    fn charge(&self, spent: u64) -> u64 {
        let time = self.virtual_time().saturating_add(spent);
        self.virtual_time.store(time, Ordering::Relaxed);
        time
    }

    fn raise_to(&self, least: u64) {
        self.virtual_time.fetch_max(least, Ordering::Relaxed);
    }

    fn note_preempted(&self, preempted: bool) -> bool {
        // Only by the worker that has polled it.
        let before = self.preempted.load(Ordering::Relaxed);
        if before != preempted {
            self.preempted.store(preempted, Ordering::Relaxed);
        }
        before
    }
}

impl Wake for TaskCell {
    fn wake(self: Arc<Self>) {
        if self.state.wake() {
            Shared::push_woken(self);
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.wake() {
            self.shared.push(self);
        }
    }
}
