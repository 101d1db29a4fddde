//! Tasks that wait in the middle of a poll, on threads of their own.
#![cfg(not(loom))]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::Duration;

use transputer_core::scheduler::{
    self, BlockInPlaceError, Mode, Scheduler, SchedulerOptions, ThisTask,
};
use transputer_core::{Options, channel};

/// No wait in these tests should take this long, even on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn scheduler(workers: usize) -> Scheduler {
    Scheduler::new(SchedulerOptions::new(Mode::Parallel { workers })).unwrap()
}

/// What a call that computes does at each tick.
fn preempt(task: &ThisTask) -> Result<(), BlockInPlaceError> {
    let mut yielded = false;
    task.block_in_place(std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        scheduler::preempted();
        context.waker().wake_by_ref();
        Poll::Pending
    }))
}

#[test]
fn others_run_while_one_waits_in_place() {
    let scheduler = scheduler(1);
    let (sender, receiver) = channel::<u64>(Options::rendezvous());
    let (done, finished) = mpsc::channel();
    scheduler.spawn_with(|task| async move {
        let thread = std::thread::current().id();
        let received = task.block_in_place(receiver.receive());
        // It has not left its stack.
        assert_eq!(std::thread::current().id(), thread);
        done.send(received.unwrap().unwrap()).unwrap();
    });
    scheduler.spawn(async move { sender.send(7).await.unwrap() });
    assert_eq!(finished.recv_timeout(LONG), Ok(7));
}

#[test]
fn what_is_awaited_after_it_is_as_ever() {
    let scheduler = scheduler(1);
    let (sender, receiver) = channel::<u64>(Options::rendezvous());
    let (done, finished) = mpsc::channel();
    scheduler.spawn_with(|task| async move {
        for n in 0..100 {
            let received = match n % 2 {
                0 => task.block_in_place(receiver.receive()).unwrap(),
                _ => receiver.receive().await,
            };
            assert_eq!(received, Ok(n));
        }
        done.send(()).unwrap();
    });
    scheduler.spawn(async move {
        for n in 0..100 {
            sender.send(n).await.unwrap();
        }
    });
    assert_eq!(finished.recv_timeout(LONG), Ok(()));
}

/// One worker, and many that compute without end beside two that communicate.
#[test]
fn who_computes_gives_way_in_place() {
    let scheduler = scheduler(1);
    let stop = Arc::new(AtomicBool::new(false));
    let turns: Vec<_> = (0..8).map(|_| Arc::new(AtomicU64::new(0))).collect();
    for turns in &turns {
        let (turns, stop) = (turns.clone(), stop.clone());
        scheduler.spawn_with(|task| async move {
            while !stop.load(Ordering::Relaxed) {
                turns.fetch_add(1, Ordering::Relaxed);
                preempt(&task).unwrap();
            }
        });
    }
    let (ping, pinged) = channel::<u64>(Options::rendezvous());
    let (pong, ponged) = channel::<u64>(Options::rendezvous());
    let (done, finished) = mpsc::channel();
    scheduler.spawn(async move {
        while let Ok(n) = pinged.receive().await {
            pong.send(n).await.unwrap();
        }
    });
    scheduler.spawn(async move {
        for n in 0..1_000 {
            ping.send(n).await.unwrap();
            assert_eq!(ponged.receive().await, Ok(n));
        }
        done.send(()).unwrap();
    });
    assert_eq!(finished.recv_timeout(LONG), Ok(()));
    for turns in &turns {
        let seen = turns.load(Ordering::Relaxed);
        while turns.load(Ordering::Relaxed) == seen {
            std::thread::yield_now();
        }
    }
    stop.store(true, Ordering::Relaxed);
    while scheduler.tasks() > 0 {
        std::thread::yield_now();
    }
}

/// A pipeline in which everybody waits in place, on two workers: no wake-up is lost.
#[test]
fn no_wake_up_is_lost() {
    const MESSAGES: u64 = 500;
    let scheduler = scheduler(2);
    let (first, mut from) = channel::<u64>(Options::bounded(2));
    for stage in 0..30 {
        let (to, next) = channel(Options::bounded(stage % 3));
        let previous = std::mem::replace(&mut from, next);
        scheduler.spawn_with(|task| async move {
            while let Ok(n) = task.block_in_place(previous.receive()).unwrap() {
                task.block_in_place(to.send(n + 1)).unwrap().unwrap();
            }
        });
    }
    let feeding = std::thread::spawn(move || {
        for n in 0..MESSAGES {
            first.send_blocking(n).unwrap();
        }
    });
    for n in 0..MESSAGES {
        assert_eq!(from.receive_blocking(), Ok(n + 30));
    }
    feeding.join().unwrap();
    while scheduler.tasks() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn an_abort_ends_a_wait() {
    let scheduler = scheduler(2);
    let (_sender, receiver) = channel::<u64>(Options::rendezvous());
    let (told, tells) = mpsc::channel();
    let waiting = told.clone();
    let task = scheduler.spawn_with(|task| async move {
        waiting.send(None).unwrap();
        let ended = task.block_in_place(receiver.receive());
        // From now on it cannot wait any more.
        assert_eq!(preempt(&task), Err(BlockInPlaceError::Aborted));
        told.send(ended.err()).unwrap();
        std::future::pending::<()>().await;
    });
    assert_eq!(tells.recv_timeout(LONG), Ok(None));
    task.abort();
    assert_eq!(
        tells.recv_timeout(LONG),
        Ok(Some(BlockInPlaceError::Aborted))
    );
    while !task.is_finished() {
        std::thread::yield_now();
    }
}

#[test]
fn an_abort_reaches_one_that_computes() {
    let scheduler = scheduler(1);
    let (told, tells) = mpsc::channel();
    let task = scheduler.spawn_with(|task| async move {
        told.send(()).unwrap();
        while preempt(&task).is_ok() {}
    });
    assert_eq!(tells.recv_timeout(LONG), Ok(()));
    task.abort();
    while !task.is_finished() {
        std::thread::yield_now();
    }
}

#[test]
fn a_shutdown_ends_all_waits() {
    struct Dropped(Arc<AtomicU64>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicU64::new(0));
    let scheduler = scheduler(2);
    let (told, tells) = mpsc::channel();
    for _ in 0..20 {
        let (told, held) = (told.clone(), Dropped(dropped.clone()));
        scheduler.spawn_with(|task| async move {
            told.send(()).unwrap();
            let ended = task.block_in_place(std::future::pending::<()>());
            assert_eq!(ended, Err(BlockInPlaceError::Aborted));
            drop(held);
            std::future::pending::<()>().await;
        });
    }
    for _ in 0..20 {
        assert_eq!(tells.recv_timeout(LONG), Ok(()));
    }
    scheduler.shutdown();
    assert_eq!(dropped.load(Ordering::Relaxed), 20);
    assert_eq!(scheduler.tasks(), 0);
    assert_eq!(scheduler.panics(), 0);
}

#[test]
fn room_is_bounded_and_comes_back() {
    let options = SchedulerOptions::new(Mode::Parallel { workers: 1 }).max_blocked_in_place(2);
    let scheduler = Scheduler::new(options).unwrap();
    let (sender, receiver) = channel::<u64>(Options::rendezvous());
    for _ in 0..2 {
        assert!(scheduler.may_block_in_place());
        let receiver = receiver.clone();
        scheduler.spawn_with(|task| async move {
            let _ = task.block_in_place(receiver.receive()).unwrap();
        });
        while !scheduler.is_quiet() {
            std::thread::yield_now();
        }
    }
    assert!(!scheduler.may_block_in_place());
    sender.send_blocking(1).unwrap();
    while !scheduler.may_block_in_place() {
        std::thread::yield_now();
    }
    sender.send_blocking(2).unwrap();
}

#[test]
fn a_scheduler_whose_tasks_all_wait_is_quiet() {
    let scheduler = scheduler(2);
    let (sender, receiver) = channel::<u64>(Options::rendezvous());
    let (done, finished) = mpsc::channel();
    scheduler.spawn_with(|task| async move {
        let received = task.block_in_place(receiver.receive()).unwrap();
        done.send(received).unwrap();
    });
    while !scheduler.is_quiet() {
        std::thread::yield_now();
    }
    sender.send_blocking(1).unwrap();
    assert_eq!(finished.recv_timeout(LONG), Ok(Ok(1)));
}

#[test]
fn a_panic_after_a_wait_ends_its_task_alone() {
    let scheduler = scheduler(1);
    let (sender, receiver) = channel::<u64>(Options::rendezvous());
    let task = scheduler.spawn_with(|task| async move {
        let received = task.block_in_place(receiver.receive()).unwrap();
        panic!("{received:?} is the last");
    });
    let (done, finished) = mpsc::channel();
    scheduler.spawn(async move {
        sender.send(1).await.unwrap();
        done.send(()).unwrap();
    });
    assert_eq!(finished.recv_timeout(LONG), Ok(()));
    while !task.is_finished() {
        std::thread::yield_now();
    }
    assert_eq!(task.panicked().as_deref(), Some("Ok(1) is the last"));
}

#[test]
fn a_seeded_scheduler_has_no_thread_for_it() {
    let scheduler = Scheduler::new(SchedulerOptions::new(Mode::Seeded { seed: 1 })).unwrap();
    assert!(!scheduler.may_block_in_place());
    let (told, tells) = mpsc::channel();
    scheduler.spawn_with(|task| async move {
        told.send(task.block_in_place(std::future::pending::<()>()))
            .unwrap();
    });
    assert_eq!(
        tells.recv_timeout(LONG),
        Ok(Err(BlockInPlaceError::NoThread))
    );
}
