//! What lies in the slot of a worker that computes on is taken by one that has nothing to do.
//! The tick is an hour here, so that nothing else comes to its help.
#![cfg(not(loom))]

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::Duration;

use transputer_core::scheduler::{Mode, Scheduler, SchedulerOptions};
use transputer_core::{Options, Receiver, Sender, channel};

/// Longer than anything here takes, unless it hangs.
const LONG: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn scheduler(workers: usize) -> Scheduler {
    let mut options = SchedulerOptions::new(Mode::Parallel { workers });
    options.tick = HOUR;
    Scheduler::new(options).expect("threads can be started")
}

/// Computes until `count` has come so far.
fn compute_until(count: &AtomicUsize, reached: usize) {
    while count.load(Ordering::SeqCst) < reached {
        std::hint::spin_loop();
    }
}

/// Counts the messages that it receives.
async fn count_messages(messages: Receiver<u64>, count: Arc<AtomicUsize>) {
    while messages.receive().await.is_ok() {
        count.fetch_add(1, Ordering::SeqCst);
    }
}

/// Sends so many messages, and computes after each until it has been received.
async fn send_and_compute(messages: &Sender<u64>, count: &AtomicUsize, rounds: u64) {
    for round in 0..rounds {
        let before = count.load(Ordering::SeqCst);
        messages.send(round).await.unwrap();
        compute_until(count, before + 1);
    }
}

#[test]
fn each_message_of_a_sender_that_computes_on_is_received() {
    let scheduler = scheduler(2);
    let (sender, receiver) = channel(Options::bounded(1));
    let count = Arc::new(AtomicUsize::new(0));
    scheduler.spawn(count_messages(receiver, count.clone()));
    let (done, finished) = mpsc::channel();
    scheduler.spawn(async move {
        send_and_compute(&sender, &count, 2_000).await;
        done.send(()).unwrap();
    });
    finished.recv_timeout(LONG).unwrap();
}

/// While messages go to and fro, looking into the slots is in vain, and done seldom.
#[test]
fn so_it_is_after_much_that_nobody_had_to_take_over() {
    let scheduler = scheduler(2);
    let (ping, pinged) = channel::<u64>(Options::rendezvous());
    let (pong, ponged) = channel::<u64>(Options::rendezvous());
    scheduler.spawn(async move {
        while let Ok(number) = pinged.receive().await {
            if pong.send(number).await.is_err() {
                break;
            }
        }
    });
    let (sender, receiver) = channel(Options::bounded(1));
    let count = Arc::new(AtomicUsize::new(0));
    scheduler.spawn(count_messages(receiver, count.clone()));
    let (done, finished) = mpsc::channel();
    scheduler.spawn(async move {
        for _ in 0..20 {
            for number in 0..1_000 {
                ping.send(number).await.unwrap();
                assert_eq!(ponged.receive().await, Ok(number));
            }
            send_and_compute(&sender, &count, 2).await;
        }
        done.send(()).unwrap();
    });
    finished.recv_timeout(LONG).unwrap();
}

/// Each task wakes the next one, and computes until all run: every worker but the first has to
/// take one over, and each that does leaves the watch to another.
#[test]
fn every_idle_worker_takes_over_in_turn() {
    const WORKERS: usize = 4;
    for _ in 0..50 {
        let scheduler = scheduler(WORKERS);
        let running = Arc::new(AtomicUsize::new(0));
        let (start, mut started) = channel::<u64>(Options::bounded(1));
        let (done, finished) = mpsc::channel();
        for number in 0..WORKERS {
            let (tell, next) = channel::<u64>(Options::bounded(1));
            let told = std::mem::replace(&mut started, next);
            let (running, done) = (running.clone(), done.clone());
            scheduler.spawn(async move {
                told.receive().await.unwrap();
                running.fetch_add(1, Ordering::SeqCst);
                if number + 1 < WORKERS {
                    tell.send(0).await.unwrap();
                }
                compute_until(&running, WORKERS);
                done.send(()).unwrap();
            });
        }
        // All wait, so that each is woken by the one before it.
        while !scheduler.is_quiet() {
            std::thread::yield_now();
        }
        start.try_send(0).unwrap();
        for _ in 0..WORKERS {
            finished.recv_timeout(LONG).unwrap();
        }
    }
}

/// The slot was filled before anybody was idle.
#[test]
fn a_worker_that_runs_out_of_work_finds_what_waits_in_a_slot() {
    for _ in 0..200 {
        let scheduler = scheduler(2);
        let (sender, receiver) = channel(Options::bounded(1));
        let count = Arc::new(AtomicUsize::new(0));
        scheduler.spawn(count_messages(receiver, count.clone()));
        while !scheduler.is_quiet() {
            std::thread::yield_now();
        }
        let (is_busy, is_filled) = (Arc::default(), Arc::<AtomicBool>::default());
        scheduler.spawn({
            let (is_busy, is_filled) = (Arc::<AtomicBool>::clone(&is_busy), is_filled.clone());
            async move {
                is_busy.store(true, Ordering::SeqCst);
                while !is_filled.load(Ordering::SeqCst) {
                    std::hint::spin_loop();
                }
            }
        });
        let (done, finished) = mpsc::channel();
        scheduler.spawn(async move {
            while !is_busy.load(Ordering::SeqCst) {
                std::hint::spin_loop();
            }
            sender.send(0).await.unwrap();
            is_filled.store(true, Ordering::SeqCst);
            compute_until(&count, 1);
            done.send(()).unwrap();
        });
        finished.recv_timeout(LONG).unwrap();
    }
}

/// Beside a task that computes and wakes nobody, the other worker sleeps for good.
#[cfg(target_os = "linux")]
#[test]
fn nobody_watches_where_nothing_happens() {
    let (scheduler, workers) = threads::scheduler();
    let (sender, receiver) = channel(Options::bounded(1));
    let count = Arc::new(AtomicUsize::new(0));
    scheduler.spawn(count_messages(receiver, count.clone()));
    let stop = Arc::new(AtomicBool::new(false));
    scheduler.spawn({
        let stop = stop.clone();
        async move {
            // Has the other worker watch.
            send_and_compute(&sender, &count, 10).await;
            while !stop.load(Ordering::SeqCst) {
                std::hint::spin_loop();
            }
        }
    });
    threads::wait_until_none_wakes(&workers);
    stop.store(true, Ordering::SeqCst);
}

/// A task that lets others run, where there are none, goes on without the other worker, which may
/// have gone to sleep a few times before.
#[cfg(target_os = "linux")]
#[test]
fn nobody_is_woken_for_a_task_that_lets_others_run() {
    const TURNS: u64 = 100_000;
    let (scheduler, workers) = threads::scheduler();
    let (done, finished) = mpsc::channel();
    let mut turns = 0;
    scheduler.spawn(poll_fn(move |context| {
        turns += 1;
        if turns > TURNS {
            done.send(()).unwrap();
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }));
    finished.recv_timeout(LONG).unwrap();
    let waits = threads::waits(&workers);
    assert!(waits < 10, "{waits} times for {TURNS} turns");
}

/// What the kernel says of threads.
#[cfg(target_os = "linux")]
mod threads {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::{Arc, mpsc};
    use std::time::{Duration, Instant};

    use super::{HOUR, LONG, Mode, Scheduler, SchedulerOptions};

    /// A scheduler of two workers, and where their figures are.
    pub(super) fn scheduler() -> (Scheduler, [PathBuf; 2]) {
        let (report, reports) = mpsc::channel();
        let mut options = SchedulerOptions::new(Mode::Parallel { workers: 2 });
        options.tick = HOUR;
        options.around_worker = Some(Arc::new(move |work| {
            let thread = fs::read_link("/proc/thread-self").unwrap();
            let figures = PathBuf::from("/proc").join(thread).join("status");
            report.send(figures).unwrap();
            work();
        }));
        let scheduler = Scheduler::new(options).unwrap();
        let workers = [(); 2].map(|()| reports.recv_timeout(LONG).unwrap());
        (scheduler, workers)
    }

    /// Waits for a time in which none of these threads has woken and gone to sleep again.
    pub(super) fn wait_until_none_wakes(threads: &[PathBuf]) {
        let late = Instant::now() + LONG;
        loop {
            let before = waits(threads);
            // Long enough for many looks into slots.
            std::thread::sleep(Duration::from_millis(50));
            if waits(threads) == before {
                return;
            }
            assert!(Instant::now() < late, "somebody wakes again and again");
        }
    }

    /// How often these threads have gone to sleep.
    pub(super) fn waits(threads: &[PathBuf]) -> u64 {
        let of_one = |status: &PathBuf| -> u64 {
            let figures = fs::read_to_string(status).unwrap();
            let mut lines = figures.lines();
            let waits = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            waits.unwrap().trim().parse().unwrap()
        };
        threads.iter().map(of_one).sum()
    }
}
