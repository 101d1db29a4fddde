//! The seeded scheduler: one schedule a seed, in virtual time.
#![cfg(not(loom))]

use std::collections::HashSet;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::time::{Duration, Instant};

use transputer_core::scheduler::{Hook, Mode, Scheduler, SchedulerOptions};
use transputer_core::{Options, channel};

const LONG: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn seeded(seed: u64) -> Scheduler {
    Scheduler::new(SchedulerOptions::new(Mode::Seeded { seed })).unwrap()
}

async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

type Trace = Arc<Mutex<Vec<(u64, u64)>>>;

/// Six tasks that yield, sleep and send to each other; what each did, and when.
fn trace(seed: u64) -> Vec<(u64, u64)> {
    let scheduler = seeded(seed);
    let trace = Trace::default();
    let (done, finished) = mpsc::channel::<()>();
    let (sender, receiver) = channel::<u64>(Options::rendezvous());
    let hold = scheduler.hold_tasks();
    for task in 0..6 {
        let clock = scheduler.clock().clone();
        let (trace, done) = (trace.clone(), done.clone());
        let seeds = scheduler.clone();
        let (sender, receiver) = (sender.clone(), receiver.clone());
        scheduler.spawn(async move {
            for round in 0..10 {
                let now = clock.now().as_nanos();
                trace.lock().unwrap().push((task, now));
                yield_now().await;
                if task % 2 == 0 {
                    sender.send(task).await.unwrap();
                } else {
                    let from = receiver.receive().await.unwrap();
                    trace.lock().unwrap().push((task, 100 + from));
                }
                let pause = seeds.random_seed() % 3 * (round + 1);
                clock.sleep(Duration::from_millis(pause)).await;
            }
            drop(done);
        });
    }
    drop((done, hold));
    assert_eq!(
        finished.recv_timeout(LONG),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
    let trace = trace.lock().unwrap();
    assert_eq!(trace.len(), 6 * 10 + 3 * 10);
    trace.clone()
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..10 {
        let first = trace(seed);
        for _ in 0..5 {
            assert_eq!(trace(seed), first, "seed {seed}");
        }
    }
}

#[test]
fn seeds_explore_different_orders() {
    let orders: HashSet<_> = (0..64)
        .map(|seed| {
            let scheduler = seeded(seed);
            let (done, finished) = mpsc::channel();
            let hold = scheduler.hold_tasks();
            for task in 0..3 {
                let done = done.clone();
                scheduler.spawn(async move { done.send(task).unwrap() });
            }
            drop((hold, done));
            finished.iter().collect::<Vec<_>>()
        })
        .collect();
    // 64 fixed seeds find all 6 orders of 3 tasks.
    assert_eq!(orders.len(), 6);
}

#[test]
fn an_hour_of_virtual_time_takes_no_time() {
    let scheduler = seeded(1);
    let (done, finished) = mpsc::channel();
    let start = Instant::now();
    for hours in [3, 1, 2] {
        let (clock, done) = (scheduler.clock().clone(), done.clone());
        scheduler.spawn(async move {
            clock.sleep(hours * HOUR).await;
            done.send((hours, clock.now())).unwrap();
        });
    }
    drop(done);
    let ends: Vec<_> = finished.iter().collect();
    assert!(start.elapsed() < HOUR);
    assert_eq!(ends.iter().map(|(hours, _)| *hours).max(), Some(3));
    for (hours, now) in ends {
        assert!(now.as_nanos() >= (hours * HOUR).as_nanos() as u64);
    }
}

#[test]
fn time_stands_still_while_anything_is_ready() {
    let scheduler = seeded(2);
    let (done, finished) = mpsc::channel();
    let clock = scheduler.clock().clone();
    let hold = scheduler.hold_tasks();
    scheduler.spawn(scheduler.clock().sleep(Duration::from_nanos(1)));
    scheduler.spawn(async move {
        for _ in 0..1_000 {
            yield_now().await;
        }
        done.send(clock.now()).unwrap();
    });
    drop(hold);
    assert_eq!(finished.recv_timeout(LONG).unwrap().as_nanos(), 0);
}

#[test]
fn time_stands_still_while_it_is_held() {
    let scheduler = seeded(3);
    let hold = scheduler.hold_time();
    let (sleeping, sleeps) = mpsc::channel();
    let (done, finished) = mpsc::channel();
    let clock = scheduler.clock().clone();
    scheduler.spawn(async move {
        sleeping.send(()).unwrap();
        clock.sleep(HOUR).await;
        done.send(()).unwrap();
    });
    sleeps.recv_timeout(LONG).unwrap();
    while scheduler.timers_pending() == 0 {
        std::thread::yield_now();
    }
    // What is spawned now runs, at the same time.
    let (other, others) = mpsc::channel();
    let clock = scheduler.clock().clone();
    scheduler.spawn(async move { other.send(clock.now()).unwrap() });
    assert_eq!(others.recv_timeout(LONG).unwrap().as_nanos(), 0);
    assert!(!scheduler.is_quiet());
    assert!(finished.try_recv().is_err());
    drop(hold);
    finished.recv_timeout(LONG).unwrap();
}

/// Timers set from outside, one after the other, while the worker waits with nothing to do.
#[test]
fn a_timer_of_another_scheduler_moves_time_too() {
    let scheduler = seeded(4);
    let outside = Scheduler::new(SchedulerOptions::new(Mode::Parallel { workers: 1 })).unwrap();
    for hours in 1..4 {
        let (done, finished) = mpsc::channel();
        let sleep = scheduler.clock().sleep(HOUR);
        outside.spawn(async move {
            sleep.await;
            done.send(()).unwrap();
        });
        finished.recv_timeout(LONG).unwrap();
        let now = scheduler.clock().now();
        assert_eq!(now.as_nanos(), (hours * HOUR).as_nanos() as u64);
    }
}

#[test]
fn quiet_comes_after_the_last_timer_and_holds_the_tasks() {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let parts: Arc<Mutex<Option<Scheduler>>> = Arc::default();
    let (told, tells) = mpsc::channel();
    let on_quiet: Hook = Arc::new({
        let (parts, reports) = (parts.clone(), reports.clone());
        move || {
            let scheduler = parts.lock().unwrap().clone().unwrap();
            assert!(scheduler.is_quiet());
            reports.lock().unwrap().push(scheduler.clock().now());
            let _ = told.send(());
        }
    });
    let mut options = SchedulerOptions::new(Mode::Seeded { seed: 5 });
    options.on_quiet = Some(on_quiet);
    let scheduler = Scheduler::new(options).unwrap();
    *parts.lock().unwrap() = Some(scheduler.clone());
    let hold = scheduler.hold_tasks();
    for hours in 1..4 {
        scheduler.spawn(scheduler.clock().sleep(hours * HOUR));
    }
    drop(hold);
    tells.recv_timeout(LONG).unwrap();
    let now = scheduler.clock().now();
    assert_eq!(now.as_nanos(), (3 * HOUR).as_nanos() as u64);
    assert_eq!(*reports.lock().unwrap(), [now]);
    scheduler.spawn(async {});
    tells.recv_timeout(LONG).unwrap();
    assert_eq!(*reports.lock().unwrap(), [now, now]);
    *parts.lock().unwrap() = None;
    scheduler.shutdown();
    assert_eq!(reports.lock().unwrap().len(), 2);
}

#[test]
fn a_loop_until_some_time_ends_and_lets_what_is_due_run() {
    let ends = || {
        let scheduler = seeded(3);
        let (done, finished) = mpsc::channel();
        let hold = scheduler.hold_tasks();
        let (clock, told) = (scheduler.clock().clone(), done.clone());
        scheduler.spawn(async move {
            let end = clock.now() + Duration::from_millis(1);
            let mut looks = 0_u64;
            while clock.look() < end {
                looks += 1;
                yield_now().await;
            }
            told.send(("looks", looks)).unwrap();
        });
        let clock = scheduler.clock().clone();
        scheduler.spawn(async move {
            clock.sleep(Duration::from_micros(500)).await;
            done.send(("sleeps", clock.now().as_nanos())).unwrap();
        });
        drop(hold);
        finished.iter().collect::<Vec<_>>()
    };
    let first = ends();
    assert_eq!(first[1], ("looks", 999), "a look is a microsecond");
    let (who, when) = first[0];
    assert_eq!(who, "sleeps", "its time came while the other looked");
    assert!((500_000..1_000_000).contains(&when), "{when}");
    assert_eq!(ends(), first);
}
