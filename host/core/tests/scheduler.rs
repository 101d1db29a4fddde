//! The parallel scheduler: every task gets its turn, ends, and is dropped exactly once.
#![cfg(not(loom))]

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use transputer_core::scheduler::{Mode, Scheduler, SchedulerOptions, Task, preempted};
use transputer_core::{Options, channel};

/// Longer than anything here takes, unless it hangs.
const LONG: Duration = Duration::from_secs(60);

fn options(workers: usize) -> SchedulerOptions {
    SchedulerOptions::new(Mode::Parallel { workers })
}

fn scheduler(workers: usize) -> Scheduler {
    Scheduler::new(options(workers)).expect("threads can be started")
}

/// Lets others run, once.
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

/// A number of permits, and whoever waits for one: enough of a channel for these tests.
#[derive(Clone, Default)]
struct Signal(Arc<Mutex<(usize, Option<Waker>)>>);

impl Signal {
    fn give(&self) {
        let waker = {
            let mut state = self.0.lock().unwrap();
            state.0 += 1;
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn take(&self) -> impl Future<Output = ()> + use<> {
        let signal = self.clone();
        poll_fn(move |context| {
            let mut state = signal.0.lock().unwrap();
            if state.0 > 0 {
                state.0 -= 1;
                return Poll::Ready(());
            }
            state.1 = Some(context.waker().clone());
            Poll::Pending
        })
    }
}

/// Never ready; tells when it is dropped.
struct Parked(Arc<AtomicUsize>, Option<mpsc::Sender<()>>);

impl Future for Parked {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if let Some(polled) = &self.1 {
            polled.send(()).unwrap();
        }
        Poll::Pending
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn wait_for_end(task: &Task) {
    while !task.is_finished() {
        std::thread::yield_now();
    }
}

#[test]
fn ten_thousand_tasks_end_on_two_workers() {
    let scheduler = scheduler(2);
    let count = Arc::new(AtomicUsize::new(0));
    let (done, finished) = mpsc::channel::<()>();
    for number in 0..10_000 {
        let (count, done) = (count.clone(), done.clone());
        scheduler.spawn(async move {
            for _ in 0..number % 5 {
                yield_now().await;
            }
            count.fetch_add(1, Ordering::Relaxed);
            drop(done);
        });
    }
    drop(done);
    assert_eq!(
        finished.recv_timeout(LONG),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
    assert_eq!(count.load(Ordering::Relaxed), 10_000);
}

#[test]
fn a_spawned_task_may_spawn_and_outlive_its_parent() {
    let scheduler = scheduler(2);
    let (done, finished) = mpsc::channel();
    let inner = scheduler.clone();
    scheduler.spawn(async move {
        let again = inner.clone();
        inner.spawn(async move {
            again.spawn(async move { done.send(()).unwrap() });
        });
    });
    finished.recv_timeout(LONG).unwrap();
}

#[test]
fn ping_and_pong_take_turns() {
    let scheduler = scheduler(2);
    let (ping, pong) = (Signal::default(), Signal::default());
    let order = Arc::new(Mutex::new(Vec::new()));
    let (done, finished) = mpsc::channel();
    for (name, mine, other) in [("ping", &ping, &pong), ("pong", &pong, &ping)] {
        let (mine, other) = (mine.clone(), other.clone());
        let (order, done) = (order.clone(), done.clone());
        scheduler.spawn(async move {
            for _ in 0..1_000 {
                mine.take().await;
                order.lock().unwrap().push(name);
                other.give();
            }
            done.send(()).unwrap();
        });
    }
    ping.give();
    finished.recv_timeout(LONG).unwrap();
    finished.recv_timeout(LONG).unwrap();
    let order = order.lock().unwrap();
    assert_eq!(order.len(), 2_000);
    assert!(order.chunks(2).all(|turn| turn == ["ping", "pong"]));
}

#[test]
fn tasks_that_let_others_run_take_turns() {
    let scheduler = scheduler(1);
    let order = Arc::new(Mutex::new(Vec::new()));
    let (done, finished) = mpsc::channel();
    let inner = scheduler.clone();
    scheduler.spawn(async move {
        // Both are queued before either runs.
        for name in ["one", "other"] {
            let (order, done) = (order.clone(), done.clone());
            inner.spawn(async move {
                for _ in 0..1_000 {
                    order.lock().unwrap().push(name);
                    yield_now().await;
                }
                done.send(order).unwrap();
            });
        }
    });
    finished.recv_timeout(LONG).unwrap();
    let order = finished.recv_timeout(LONG).unwrap();
    let order = order.lock().unwrap();
    assert!(
        order
            .chunks(2)
            .all(|turn| turn == &order[..2] && turn[0] != turn[1])
    );
}

/// Two tasks that wake each other for ever would keep a single worker in its slot. Each tick
/// gives the queue a turn.
#[test]
fn tasks_that_wake_each_other_leave_turns_to_the_queue() {
    let mut options = options(1);
    options.tick = Duration::from_millis(1);
    let scheduler = Scheduler::new(options).unwrap();
    let (ping, pong) = (Signal::default(), Signal::default());
    let turns = Arc::new(AtomicUsize::new(0));
    for (mine, other) in [(&ping, &pong), (&pong, &ping)] {
        let (mine, other, turns) = (mine.clone(), other.clone(), turns.clone());
        scheduler.spawn(async move {
            loop {
                mine.take().await;
                turns.fetch_add(1, Ordering::SeqCst);
                other.give();
            }
        });
    }
    ping.give();
    let (done, finished) = mpsc::channel();
    scheduler.spawn(async move {
        yield_now().await;
        let before = turns.load(Ordering::SeqCst);
        for _ in 0..50 {
            yield_now().await;
        }
        done.send(turns.load(Ordering::SeqCst) - before).unwrap();
    });
    let turns = finished.recv_timeout(LONG).unwrap();
    assert!(turns > 0, "the pair ran as well");
}

/// A sender whose message was taken does not wait for a tick, which never comes here.
#[test]
fn a_stream_goes_on_beside_one_that_only_lets_others_run() {
    const MESSAGES: u64 = 1_000;
    for capacity in [0, 1, 128] {
        for is_preempted in [false, true] {
            let mut options = options(1);
            options.tick = Duration::from_secs(3600);
            let scheduler = Scheduler::new(options).unwrap();
            scheduler.spawn(async move {
                loop {
                    if is_preempted {
                        preempted();
                    }
                    yield_now().await;
                }
            });
            let (sender, receiver) = channel::<u64>(Options::bounded(capacity));
            scheduler.spawn(async move {
                for number in 0..MESSAGES {
                    sender.send(number).await.unwrap();
                }
            });
            let (done, finished) = mpsc::channel();
            scheduler.spawn(async move {
                for number in 0..MESSAGES {
                    assert_eq!(receiver.receive().await, Ok(number));
                }
                done.send(()).unwrap();
            });
            finished.recv_timeout(LONG).unwrap();
        }
    }
}

#[test]
fn a_parked_task_is_aborted_and_dropped_once() {
    let scheduler = scheduler(2);
    let dropped = Arc::new(AtomicUsize::new(0));
    let (polled, first_poll) = mpsc::channel();
    let task = scheduler.spawn(Parked(dropped.clone(), Some(polled)));
    first_poll.recv_timeout(LONG).unwrap();
    assert!(!task.is_finished());
    task.abort();
    task.abort();
    wait_for_end(&task);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    task.abort();
    scheduler.shutdown();
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    assert_eq!(task.panicked(), None);
}

#[test]
fn a_running_task_is_aborted_after_its_poll() {
    let scheduler = scheduler(1);
    let (running, runs) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel();
    let (done, finished) = mpsc::channel();
    let task = scheduler.spawn(async move {
        running.send(()).unwrap();
        goes_on.recv().unwrap();
        done.send("end of the poll").unwrap();
        std::future::pending::<()>().await;
    });
    runs.recv_timeout(LONG).unwrap();
    task.abort();
    assert!(!task.is_finished());
    go_on.send(()).unwrap();
    assert_eq!(finished.recv_timeout(LONG), Ok("end of the poll"));
    // The sender goes with the future.
    assert!(finished.recv_timeout(LONG).is_err());
    wait_for_end(&task);
}

#[test]
fn a_panic_ends_its_task_alone() {
    let scheduler = scheduler(1);
    let task = scheduler.spawn(async { panic!("out of {}", "luck") });
    wait_for_end(&task);
    assert_eq!(task.panicked().as_deref(), Some("out of luck"));
    assert_eq!(scheduler.panics(), 1);
    let (done, finished) = mpsc::channel();
    scheduler.spawn(async move { done.send(()).unwrap() });
    finished.recv_timeout(LONG).unwrap();
}

/// Panics when it is dropped.
struct Spiteful;

impl Drop for Spiteful {
    fn drop(&mut self) {
        panic!("from a drop");
    }
}

#[test]
fn a_panic_in_a_drop_is_caught_too() {
    let scheduler = scheduler(1);
    let spiteful = Spiteful;
    let task = scheduler.spawn(async move {
        let _spiteful = spiteful;
        std::future::pending::<()>().await;
    });
    task.abort();
    wait_for_end(&task);
    assert_eq!(task.panicked().as_deref(), Some("from a drop"));
    let spiteful = Spiteful;
    scheduler.spawn(async move {
        let _spiteful = spiteful;
        std::future::pending::<()>().await;
    });
    scheduler.shutdown();
    assert_eq!(scheduler.panics(), 2);
}

#[test]
fn wakes_from_many_foreign_threads_are_all_seen() {
    let scheduler = scheduler(2);
    let signal = Signal::default();
    let (done, finished) = mpsc::channel();
    scheduler.spawn({
        let signal = signal.clone();
        async move {
            for _ in 0..4_000 {
                signal.take().await;
            }
            done.send(()).unwrap();
        }
    });
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1_000).for_each(|_| signal.give()));
        }
    });
    finished.recv_timeout(LONG).unwrap();
}

#[test]
fn a_shutdown_drops_every_future_once() {
    let scheduler = scheduler(2);
    let dropped = Arc::new(AtomicUsize::new(0));
    for _ in 0..500 {
        scheduler.spawn(Parked(dropped.clone(), None));
        let clock = scheduler.clock().clone();
        let parked = Parked(dropped.clone(), None);
        scheduler.spawn(async move {
            clock.sleep(Duration::from_secs(3600)).await;
            parked.await;
        });
    }
    scheduler.shutdown();
    assert_eq!(dropped.load(Ordering::SeqCst), 1_000);
    assert_eq!(scheduler.tasks(), 0);
    assert_eq!(scheduler.timers_pending(), 0);
    scheduler.shutdown();
    let late = scheduler.spawn(Parked(dropped.clone(), None));
    assert!(late.is_finished());
    assert_eq!(dropped.load(Ordering::SeqCst), 1_001);
}

/// A task whose drop wakes all others, while they are dropped in turn.
#[test]
fn a_drop_that_wakes_others_does_not_disturb_a_shutdown() {
    struct WakeAll(Arc<Mutex<Vec<Waker>>>);
    impl Drop for WakeAll {
        fn drop(&mut self) {
            let wakers = self.0.lock().unwrap().clone();
            wakers.iter().for_each(Waker::wake_by_ref);
        }
    }
    let scheduler = scheduler(2);
    let wakers = Arc::new(Mutex::new(Vec::new()));
    let (parked, parks) = mpsc::channel();
    for _ in 0..50 {
        let wakers = wakers.clone();
        let parked = parked.clone();
        scheduler.spawn(async move {
            let _wake_all = WakeAll(wakers.clone());
            let mut first = true;
            poll_fn(move |context| {
                if std::mem::take(&mut first) {
                    wakers.lock().unwrap().push(context.waker().clone());
                    parked.send(()).unwrap();
                }
                Poll::<()>::Pending
            })
            .await;
        });
    }
    for _ in 0..50 {
        parks.recv_timeout(LONG).unwrap();
    }
    scheduler.shutdown();
    assert_eq!(scheduler.tasks(), 0);
}

/// A shutdown that meets workers just as they run out of work, a little later in each round.
#[test]
fn a_shutdown_at_any_moment_stops_every_worker() {
    for round in 0..800 {
        let scheduler = scheduler(1 + round % 2);
        let polled = Arc::new(AtomicBool::new(false));
        let ran = polled.clone();
        scheduler.spawn(async move { ran.store(true, Ordering::SeqCst) });
        while !polled.load(Ordering::SeqCst) {
            std::hint::spin_loop();
        }
        for _ in 0..round % 100 {
            std::hint::spin_loop();
        }
        scheduler.shutdown();
        assert_eq!(scheduler.tasks(), 0);
    }
}

#[test]
fn a_task_may_shut_its_scheduler_down() {
    let scheduler = scheduler(2);
    let dropped = Arc::new(AtomicUsize::new(0));
    scheduler.spawn(Parked(dropped.clone(), None));
    let inner = scheduler.clone();
    let (done, finished) = mpsc::channel();
    scheduler.spawn(async move {
        inner.shutdown();
        done.send(()).unwrap();
    });
    finished.recv_timeout(LONG).unwrap();
    scheduler.shutdown();
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

#[test]
fn the_last_handle_may_be_dropped_in_a_task() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let (polled, polls) = mpsc::channel();
    {
        let scheduler = scheduler(2);
        let inner = scheduler.clone();
        let (hand_over, handed_over) = mpsc::channel::<()>();
        scheduler.spawn(Parked(dropped.clone(), Some(polled)));
        scheduler.spawn(async move {
            handed_over.recv().unwrap();
            drop(inner);
        });
        drop(scheduler);
        hand_over.send(()).unwrap();
    }
    // The other task's sender goes when its future is dropped.
    while polls.recv_timeout(LONG).is_ok() {}
    while dropped.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
}

#[test]
fn each_worker_runs_inside_its_wrapper() {
    thread_local!(static WRAPPED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
    let mut options = options(2);
    options.around_worker = Some(Arc::new(|work| {
        WRAPPED.set(true);
        work();
        WRAPPED.set(false);
    }));
    let scheduler = Scheduler::new(options).unwrap();
    struct InWrapper(mpsc::Sender<bool>);
    impl Drop for InWrapper {
        fn drop(&mut self) {
            self.0.send(WRAPPED.get()).unwrap();
        }
    }
    let (seen, sees) = mpsc::channel();
    // Both workers at once, so that each is looked at.
    let both = Arc::new(Barrier::new(2));
    for _ in 0..2 {
        let (seen, both) = (seen.clone(), both.clone());
        scheduler.spawn(async move {
            both.wait();
            let in_wrapper = InWrapper(seen.clone());
            seen.send(WRAPPED.get()).unwrap();
            std::future::pending::<()>().await;
            drop(in_wrapper);
        });
    }
    drop(seen);
    for _ in 0..2 {
        assert_eq!(sees.recv_timeout(LONG), Ok(true), "polled inside");
    }
    scheduler.shutdown();
    assert_eq!(
        sees.into_iter().collect::<Vec<_>>(),
        [true, true],
        "dropped inside"
    );
}

#[test]
fn options_that_cannot_work_are_refused() {
    let no_workers = Scheduler::new(options(0)).unwrap_err();
    assert_eq!(no_workers.kind(), std::io::ErrorKind::InvalidInput);
    let mut no_tick = options(1);
    no_tick.tick = Duration::ZERO;
    let no_tick = Scheduler::new(no_tick).unwrap_err();
    assert_eq!(no_tick.kind(), std::io::ErrorKind::InvalidInput);
}
