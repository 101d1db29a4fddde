//! Clocks and sleeps: deadlines, cancellation, and no timer left behind.
#![cfg(not(loom))]

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use transputer_core::clock::{Clock, Sleep, Time};
use transputer_core::scheduler::{Mode, Scheduler, SchedulerOptions};

const LONG: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll(sleep: &mut Sleep, waker: &Waker) -> Poll<()> {
    Pin::new(sleep).poll(&mut Context::from_waker(waker))
}

#[test]
fn a_manual_clock_wakes_what_is_due_and_no_more() {
    let clock = Clock::manual();
    let wakes = Arc::new(Count::default());
    let waker = Waker::from(wakes.clone());
    let mut short = clock.sleep(SECOND);
    let mut long = clock.sleep(3 * SECOND);
    assert_eq!(poll(&mut short, &waker), Poll::Pending);
    assert_eq!(poll(&mut long, &waker), Poll::Pending);
    assert!(clock.advance(SECOND - Duration::from_nanos(1)));
    assert_eq!(wakes.get(), 0);
    assert!(clock.advance(Duration::from_nanos(1)));
    assert_eq!(wakes.get(), 1);
    assert_eq!(poll(&mut short, &waker), Poll::Ready(()));
    assert_eq!(poll(&mut long, &waker), Poll::Pending);
    assert!(clock.advance(10 * SECOND));
    assert_eq!(wakes.get(), 2);
    assert_eq!(poll(&mut long, &waker), Poll::Ready(()));
    assert_eq!(clock.now(), Time::ZERO + 11 * SECOND);
}

#[test]
fn a_deadline_that_has_passed_is_ready_at_the_first_poll() {
    let clock = Clock::manual();
    clock.advance(5 * SECOND);
    for deadline in [Time::ZERO, clock.now()] {
        let mut sleep = clock.sleep_until(deadline);
        assert!(sleep.is_elapsed());
        assert_eq!(poll(&mut sleep, Waker::noop()), Poll::Ready(()));
    }
    assert_eq!(clock.timers_pending(), 0);
}

#[test]
fn cancelled_sleeps_leave_nothing_behind() {
    let clock = Clock::manual();
    for _ in 0..1_000 {
        let mut sleep = clock.sleep(SECOND);
        assert_eq!(poll(&mut sleep, Waker::noop()), Poll::Pending);
        assert_eq!(clock.timers_pending(), 1);
    }
    assert_eq!(clock.timers_pending(), 0);
}

#[test]
fn a_sleep_polled_again_is_one_timer_and_wakes_the_last_waker() {
    let clock = Clock::manual();
    let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let mut sleep = clock.sleep(SECOND);
    assert_eq!(poll(&mut sleep, &first.clone().into()), Poll::Pending);
    assert_eq!(poll(&mut sleep, &second.clone().into()), Poll::Pending);
    assert_eq!(clock.timers_pending(), 1);
    clock.advance(SECOND);
    assert_eq!((first.get(), second.get()), (0, 1));
}

#[test]
fn time_saturates_and_the_last_moment_never_comes() {
    assert_eq!(Time::ZERO + Duration::MAX, Time::MAX);
    assert_eq!(Time::ZERO - Time::MAX, Duration::ZERO);
    let clock = Clock::manual();
    let mut never = clock.sleep(Duration::MAX);
    assert_eq!(never.deadline(), Time::MAX);
    assert_eq!(poll(&mut never, Waker::noop()), Poll::Pending);
    assert_eq!(clock.timers_pending(), 0);
    clock.advance(Duration::MAX);
    assert_eq!(poll(&mut never, Waker::noop()), Poll::Pending);
}

/// Ten periods end ten periods after the start, however late each wake-up is.
#[test]
fn absolute_deadlines_do_not_drift() {
    let clock = Clock::manual();
    let period = Duration::from_millis(10);
    let late = Duration::from_millis(3);
    let mut deadline = clock.now();
    let mut wakes = Vec::new();
    for _ in 0..10 {
        deadline += period;
        let mut sleep = clock.sleep_until(deadline);
        let _ = poll(&mut sleep, Waker::noop());
        clock.advance((deadline - clock.now()) + late);
        assert_eq!(poll(&mut sleep, Waker::noop()), Poll::Ready(()));
        wakes.push(clock.now());
    }
    assert_eq!(wakes[9], Time::ZERO + 10 * period + late);
}

fn parallel() -> Scheduler {
    Scheduler::new(SchedulerOptions::new(Mode::Parallel { workers: 2 })).unwrap()
}

#[test]
fn a_real_sleep_ends_at_its_deadline_and_not_before() {
    let scheduler = parallel();
    let (done, finished) = mpsc::channel();
    let start = Instant::now();
    for millis in [20, 1, 7] {
        let (clock, done) = (scheduler.clock().clone(), done.clone());
        scheduler.spawn(async move {
            clock.sleep(Duration::from_millis(millis)).await;
            done.send((millis, start.elapsed())).unwrap();
        });
    }
    for _ in 0..3 {
        let (millis, elapsed) = finished.recv_timeout(LONG).unwrap();
        assert!(elapsed >= Duration::from_millis(millis));
    }
    assert!(!scheduler.clock().advance(SECOND), "only by itself");
}

/// An earlier timer must reach a timekeeper that waits for a later one.
#[test]
fn a_short_sleep_overtakes_a_long_one() {
    let scheduler = parallel();
    let (done, finished) = mpsc::channel();
    let long = scheduler.clock().sleep(Duration::from_secs(3600));
    scheduler.spawn(long);
    while scheduler.timers_pending() == 0 {
        std::thread::yield_now();
    }
    let short = scheduler.clock().sleep(Duration::from_millis(1));
    scheduler.spawn(async move {
        short.await;
        done.send(()).unwrap();
    });
    finished.recv_timeout(LONG).unwrap();
    assert_eq!(scheduler.timers_pending(), 1);
}

#[test]
fn a_shutdown_ends_the_sleep_of_a_host_thread() {
    let scheduler = parallel();
    let sleep = scheduler.clock().sleep(Duration::from_secs(3600));
    let sleeper = std::thread::spawn(move || block_on(sleep));
    while scheduler.timers_pending() == 0 {
        std::thread::yield_now();
    }
    scheduler.shutdown();
    sleeper.join().unwrap();
    block_on(scheduler.clock().sleep(SECOND));
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on(future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    while future
        .as_mut()
        .poll(&mut Context::from_waker(&waker))
        .is_pending()
    {
        std::thread::park();
    }
}
