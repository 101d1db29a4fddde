//! The run queue in all interleavings.

use super::{Notify, Place, RunQueue, Waited};
use crate::sync::{Arc, AtomicUsize, Ordering, lock};
use loom::thread;

fn bounded(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    // Three threads: all interleavings would take minutes.
    builder.preemption_bound = Some(3);
    builder.check(run);
}

#[test]
fn a_task_pushed_while_a_worker_goes_to_sleep_is_taken() {
    loom::model(|| {
        let queue = Arc::new(RunQueue::new(1));
        let pusher = thread::spawn({
            let queue = queue.clone();
            move || queue.push(Place::Woken(1), 7, Notify::One)
        });
        // If it slept for good, loom would report a deadlock.
        assert_eq!(queue.wait(None, || false, || {}), Waited::Task(7));
        pusher.join().unwrap();
    });
}

#[test]
fn two_tasks_wake_two_sleepers() {
    bounded(|| {
        let queue = Arc::new(RunQueue::new(1));
        let workers = [(); 2].map(|()| {
            let queue = queue.clone();
            thread::spawn(move || match queue.wait(None, || false, || {}) {
                Waited::Task(task) => task,
                other => panic!("{other:?}"),
            })
        });
        queue.push(Place::Woken(2), 2, Notify::One);
        queue.push(Place::Woken(1), 1, Notify::One);
        let taken = workers.map(|worker| worker.join().unwrap());
        assert_eq!(taken[0] + taken[1], 3, "each once");
    });
}

#[test]
fn a_task_and_a_call_wake_two_sleepers() {
    bounded(|| {
        let queue = Arc::new(RunQueue::new(1));
        let workers = [(); 2].map(|()| {
            let queue = queue.clone();
            thread::spawn(move || queue.wait(None, || false, || {}) == Waited::Task(1))
        });
        queue.call();
        queue.push(Place::Woken(1), 1, Notify::One);
        let tasks = workers.map(|worker| usize::from(worker.join().unwrap()));
        assert_eq!(tasks[0] + tasks[1], 1);
    });
}

#[test]
fn a_stop_wakes_every_sleeper() {
    bounded(|| {
        let queue = Arc::new(RunQueue::<u32>::new(1));
        let stop = Arc::new(AtomicUsize::new(0));
        let workers = [(); 2].map(|()| {
            let (queue, stop) = (queue.clone(), stop.clone());
            thread::spawn(move || {
                let is_stopping = || stop.load(Ordering::SeqCst) == 1;
                assert_eq!(queue.wait(None, is_stopping, || {}), Waited::Stopped);
            })
        });
        stop.store(1, Ordering::SeqCst);
        queue.wake_all();
        workers
            .into_iter()
            .for_each(|worker| worker.join().unwrap());
    });
}

#[test]
fn while_all_are_idle_and_the_queue_is_empty_no_task_is_under_way() {
    loom::model(|| {
        let queue = Arc::new(RunQueue::new(1));
        let [idle, ran] = [1, 0].map(|n| Arc::new(AtomicUsize::new(n)));
        // In a poll it pushes a task without telling anybody, then runs out of work.
        let worker = thread::spawn({
            let (queue, idle, ran) = (queue.clone(), idle.clone(), ran.clone());
            move || {
                queue.push(Place::Woken(1), 7, Notify::Worker(0));
                if queue.pop().is_some() {
                    ran.fetch_add(1, Ordering::Relaxed);
                }
                idle.fetch_add(1, Ordering::SeqCst);
            }
        });
        // Another, which was idle, and takes it at a tick.
        let other = thread::spawn({
            let (queue, idle, ran) = (queue.clone(), idle.clone(), ran.clone());
            move || {
                queue.wake_sleepers();
                // What a wait does, but that it does not wait: loom has no time.
                let mut state = lock(&queue.state);
                if queue.take_announced(&mut state).is_some() {
                    idle.fetch_sub(1, Ordering::SeqCst);
                    drop(state);
                    ran.fetch_add(1, Ordering::Relaxed);
                    idle.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        if queue.is_empty_and(|| idle.load(Ordering::SeqCst) == 2) {
            assert_eq!(ran.load(Ordering::Relaxed), 1, "a task is left");
        }
        worker.join().unwrap();
        other.join().unwrap();
    });
}
