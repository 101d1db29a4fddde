//! Which calls of a stackless process may be done, since their wakers were called.
//!
//! Whoever wakes notes the place first, then wakes the task. The task takes the places in its next poll,
//! which is after that wake-up or is repeated because of it: so no place is missed. It forgets that a place
//! is noted before it looks there: who wakes later notes it again, and who has woken before is seen.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// Which places were woken.
#[derive(Default)]
pub(super) struct Woken {
    any: AtomicBool,
    marks: Mutex<Vec<Arc<Mark>>>,
}

/// Wakes the task, and notes for which place.
struct Mark {
    place: u32,
    /// Whether it is in the list: so it is there once, however often it is woken before the process
    /// looks.
    noted: AtomicBool,
    woken: Arc<Woken>,
    task: Waker,
}

impl Wake for Mark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.noted.swap(true, Ordering::AcqRel) {
            self.woken.lock().push(self.clone());
            self.woken.any.store(true, Ordering::Release);
        }
        self.task.wake_by_ref();
    }
}

impl Woken {
    /// A waker that notes this place, and wakes this task.
    pub(super) fn waker(self: &Arc<Self>, place: u32, task: &Waker) -> Waker {
        Waker::from(Arc::new(Mark {
            place,
            noted: AtomicBool::new(false),
            woken: self.clone(),
            task: task.clone(),
        }))
    }

    /// Takes the places that were woken.
    pub(super) fn take(&self) -> impl Iterator<Item = u32> + use<> {
        let marks = match self.any.load(Ordering::Acquire) {
            true => {
                let mut marks = self.lock();
                self.any.store(false, Ordering::Relaxed);
                mem::take(&mut *marks)
            }
            false => Vec::new(),
        };
        marks.into_iter().map(|mark| {
            // From now on it is noted again, although the place is about to be looked at.
            mark.noted.store(false, Ordering::Release);
            mark.place
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Mark>>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
