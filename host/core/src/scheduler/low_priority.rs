//! Tasks that all others go before.

use std::collections::VecDeque;

use crate::sync::{AtomicUsize, Mutex, Ordering, lock};

/// First in, first out. To see that it is empty takes no lock.
pub(super) struct LowPriorityQueue<T> {
    tasks: Mutex<VecDeque<T>>,
    /// Written under the lock.
    len: AtomicUsize,
}

impl<T> LowPriorityQueue<T> {
    pub(super) fn new() -> Self {
        Self {
            tasks: Mutex::new(VecDeque::new()),
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

#[cfg(test)]
#[cfg(loom)]
mod models {
    use super::LowPriorityQueue;
    use crate::sync::{Arc, AtomicUsize, Ordering};
    use loom::thread;

    #[test]
    fn who_is_idle_has_no_low_priority_task_that_is_not_counted() {
        loom::model(|| {
            let queue = Arc::new(LowPriorityQueue::new());
            let [idle, pushed, ran] = [0, 0, 0].map(|n| Arc::new(AtomicUsize::new(n)));
            let worker = thread::spawn({
                let (queue, idle, ran) = (queue.clone(), idle.clone(), ran.clone());
                move || {
                    queue.push(7);
                    if queue.take().is_some() {
                        ran.store(1, Ordering::Relaxed);
                    }
                    idle.fetch_add(1, Ordering::SeqCst);
                }
            });
            let ticker = thread::spawn({
                let (queue, pushed) = (queue.clone(), pushed.clone());
                move || {
                    let count = || {
                        pushed.fetch_add(1, Ordering::SeqCst);
                    };
                    queue.take_after(count).is_some()
                }
            });
            let all_idle = idle.load(Ordering::SeqCst) == 1;
            if all_idle && pushed.load(Ordering::SeqCst) == 0 {
                assert_eq!(ran.load(Ordering::Relaxed), 1, "a task is left");
            }
            worker.join().unwrap();
            let moved = ticker.join().unwrap();
            assert_eq!(usize::from(moved) + ran.load(Ordering::Relaxed), 1, "once");
        });
    }
}
