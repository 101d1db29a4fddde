//! Ticks, and the report that nothing is ready or running any more.
#![cfg(not(loom))]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use transputer_core::scheduler::{Mode, Scheduler, SchedulerOptions};
use transputer_core::{Options, channel};

const LONG: Duration = Duration::from_secs(60);

fn reporting(workers: usize) -> (Scheduler, mpsc::Receiver<()>) {
    let (report, reports) = mpsc::channel();
    let mut options = SchedulerOptions::new(Mode::Parallel { workers });
    options.on_quiet = Some(Arc::new(move || report.send(()).unwrap_or_default()));
    (Scheduler::new(options).unwrap(), reports)
}

#[test]
fn quiet_is_reported_once_each_time() {
    let (scheduler, reports) = reporting(2);
    for round in 0..5 {
        scheduler.spawn(std::future::pending());
        reports.recv_timeout(LONG).unwrap();
        assert!(scheduler.is_quiet());
        assert_eq!(scheduler.tasks(), round + 1);
    }
    // After the shutdown the timekeeper is gone: whatever it reported is in the channel.
    scheduler.shutdown();
    assert!(reports.try_recv().is_err());
}

/// Whatever the workers are at between two waits when the timekeeper looks.
#[test]
fn no_quiet_is_missed() {
    let (scheduler, reports) = reporting(2);
    for _ in 0..300 {
        let (sender, receiver) = channel::<u64>(Options::rendezvous());
        scheduler.spawn(async move { while sender.send(1).await.is_ok() {} });
        scheduler.spawn(async move {
            for _ in 0..100 {
                receiver.receive().await.unwrap();
            }
        });
        reports.recv_timeout(LONG).unwrap();
        while !scheduler.is_quiet() {
            reports.recv_timeout(LONG).unwrap();
        }
    }
}

#[test]
fn a_pending_timer_does_not_keep_quiet_from_being_reported() {
    let (scheduler, reports) = reporting(1);
    scheduler.spawn(scheduler.clock().sleep(Duration::from_secs(3600)));
    reports.recv_timeout(LONG).unwrap();
    assert_eq!(scheduler.timers_pending(), 1);
}

#[test]
fn a_task_that_runs_is_not_quiet() {
    let (scheduler, reports) = reporting(2);
    let (running, runs) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    scheduler.spawn(async move {
        running.send(()).unwrap();
        let _ = goes_on.recv();
    });
    runs.recv_timeout(LONG).unwrap();
    for _ in 0..1_000 {
        assert!(!scheduler.is_quiet());
    }
    assert!(reports.try_recv().is_err());
    go_on.send(()).unwrap();
    reports.recv_timeout(LONG).unwrap();
    assert!(scheduler.is_quiet());
}

#[test]
fn held_time_is_not_quiet_and_is_reported_when_released() {
    let (scheduler, reports) = reporting(1);
    let hold = scheduler.hold_time();
    let (ran, runs) = mpsc::channel();
    scheduler.spawn(async move { ran.send(()).unwrap() });
    runs.recv_timeout(LONG).unwrap();
    while scheduler.tasks() > 0 {
        std::thread::yield_now();
    }
    assert!(!scheduler.is_quiet());
    assert!(reports.try_recv().is_err());
    drop(hold);
    reports.recv_timeout(LONG).unwrap();
}

/// Looks at a scheduler that two tasks keep busy all the time: never quiet.
#[test]
fn a_busy_pair_is_never_seen_quiet() {
    let (scheduler, reports) = reporting(2);
    let (there, from_here) = channel::<u64>(Options::rendezvous());
    let (back, from_there) = channel::<u64>(Options::rendezvous());
    scheduler.spawn(async move {
        while let Ok(number) = from_here.receive().await {
            if back.send(number + 1).await.is_err() {
                break;
            }
        }
    });
    let (start, starts) = mpsc::channel();
    let busy = Arc::new(AtomicBool::new(true));
    let looked = Arc::new(AtomicUsize::new(0));
    let looks = looked.clone();
    let is_busy = busy.clone();
    scheduler.spawn(async move {
        start.send(()).unwrap();
        let mut number = 0;
        while looks.load(Ordering::SeqCst) < 20_000 {
            there.send(number).await.unwrap();
            assert_eq!(from_there.receive().await, Ok(number + 1));
            number += 1;
        }
        is_busy.store(false, Ordering::SeqCst);
    });
    starts.recv_timeout(LONG).unwrap();
    while busy.load(Ordering::SeqCst) {
        let quiet = scheduler.is_quiet();
        // Quiet is right only if the pair had stopped by then.
        assert!(!quiet || !busy.load(Ordering::SeqCst));
        looked.fetch_add(1, Ordering::SeqCst);
    }
    reports.recv_timeout(LONG).unwrap();
}

#[test]
fn ticks_come_while_a_task_computes_and_a_hook_may_panic() {
    let ticks = Arc::new(AtomicUsize::new(0));
    let counted = ticks.clone();
    let mut options = SchedulerOptions::new(Mode::Parallel { workers: 1 });
    options.tick = Duration::from_millis(1);
    options.on_tick = Some(Arc::new(move || {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            panic!("in the first tick");
        }
    }));
    let scheduler = Scheduler::new(options).unwrap();
    let (done, finished) = mpsc::channel();
    scheduler.spawn(async move {
        while ticks.load(Ordering::SeqCst) < 5 {
            std::hint::spin_loop();
        }
        done.send(()).unwrap();
    });
    finished.recv_timeout(LONG).unwrap();
    assert_eq!(scheduler.panics(), 1);
}
