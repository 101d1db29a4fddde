//! Tasks that all others go before.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::lock;

/// First in, first out. To see that it is empty takes no lock.
pub(super) struct Patient<T> {
    tasks: Mutex<VecDeque<T>>,
    /// Written under the lock.
    len: AtomicUsize,
}

impl<T> Patient<T> {
    pub(super) fn new() -> Self {
        Self {
            tasks: Mutex::default(),
            len: AtomicUsize::new(0),
        }
    }

    pub(super) fn push(&self, task: T) {
        let mut tasks = lock(&self.tasks);
        tasks.push_back(task);
        self.len.store(tasks.len(), Ordering::Release);
    }

    /// The first task, if there is one. Who sees that there is none has seen as well what came
    /// before the last one was taken.
    pub(super) fn take(&self) -> Option<T> {
        self.take_after(|| {})
    }

    /// The same; if there is one, `before` is called before others can see that it is gone.
    pub(super) fn take_after(&self, before: impl FnOnce()) -> Option<T> {
        if self.len.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut tasks = lock(&self.tasks);
        let task = tasks.pop_front()?;
        before();
        self.len.store(tasks.len(), Ordering::Release);
        Some(task)
    }

    /// Takes all there are, and gives their memory back. Sees every push that has not seen what
    /// the caller did before.
    pub(super) fn take_all(&self) -> VecDeque<T> {
        let mut tasks = lock(&self.tasks);
        self.len.store(0, Ordering::Release);
        std::mem::take(&mut tasks)
    }
}
