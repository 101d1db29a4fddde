//! How the scheduler shares processor time, without WebAssembly: a stream beside processes that
//! compute, and a sieve, whose source must not run ahead of its readers.
//!
//! `cargo bench --locked -p transputer-core --bench neighbours [-- stream|sieve]`. The figures depend on
//! what else the machine does; compare those of one run.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::{Duration, Instant};

use transputer_core::channel::Totals;
use transputer_core::scheduler::preempted;
use transputer_core::{
    Mode, Options, Receiver, Scheduler, SchedulerOptions, Sender, TryReceiveError, channel,
};

/// How long a stream is measured, after a warm-up of a tenth of it.
const SPAN: Duration = Duration::from_millis(800);
/// What an item costs a process that computes.
const ITEM: Duration = Duration::from_millis(30);

/// So many ticks mean that everybody stops computing.
const STOP: u64 = 1 << 32;

/// Who runs beside the stream.
#[derive(Copy, Clone, Debug)]
enum Beside {
    Nobody,
    /// So many endless loops.
    Loops(u64),
    /// So many processes that compute for each item they receive.
    Items(u64),
    /// One that only lets others run.
    Yields,
    /// One that asks for a message that never comes, and lets others run.
    Polls,
}

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if wanted != "sieve" {
        streams();
    }
    if wanted != "stream" {
        sieves();
    }
}

fn streams() {
    println!("workers  capacity  beside      messages/s  of its fair share  p99 of an exchange");
    for workers in [1, 2] {
        for capacity in [0, 1, 128] {
            let mut alone = None;
            for beside in [
                Beside::Nobody,
                Beside::Loops(2),
                Beside::Loops(8),
                Beside::Loops(100),
                Beside::Items(2),
                Beside::Yields,
                Beside::Polls,
            ] {
                let (rate, p99) = stream(workers, capacity, beside);
                let alone = *alone.get_or_insert(rate);
                let of_share = rate / (alone * fair_share(workers, beside));
                let beside = format!("{beside:?}");
                println!(
                    "{workers:>7}  {capacity:>8}  {beside:<10} {rate:>11.0}  {of_share:>17.2}  {p99:>15.1?}"
                );
            }
        }
    }
}

/// The part of the rate alone that two of these processes are due.
fn fair_share(workers: usize, beside: Beside) -> f64 {
    let others = match beside {
        Beside::Nobody => 0,
        Beside::Loops(others) | Beside::Items(others) => others,
        Beside::Yields | Beside::Polls => 1,
    };
    (2.0 * workers as f64 / (2.0 + others as f64)).min(1.0)
}

/// A scheduler, and a counter of its ticks.
fn scheduler(workers: usize) -> (Scheduler, Arc<AtomicU64>) {
    let ticks = Arc::<AtomicU64>::default();
    let mut options = SchedulerOptions::new(Mode::Parallel { workers });
    options.on_tick = Some(Arc::new({
        let ticks = ticks.clone();
        move || {
            ticks.fetch_add(1, Ordering::Relaxed);
        }
    }));
    let scheduler = Scheduler::new(options).expect("threads can be started");
    (scheduler, ticks)
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

/// Computes so long, and is preempted at each tick.
async fn compute(ticks: &AtomicU64, long: Duration) {
    let mut spent = Duration::ZERO;
    while spent < long {
        let start = Instant::now();
        let tick = ticks.load(Ordering::Relaxed);
        while ticks.load(Ordering::Relaxed) == tick && tick < STOP && spent + start.elapsed() < long
        {
            std::hint::spin_loop();
        }
        spent += start.elapsed();
        if spent < long {
            // As the host does with a process that computes on past a tick.
            preempted();
            yield_now().await;
        }
    }
}

fn start_neighbours(scheduler: &Scheduler, ticks: &Arc<AtomicU64>, beside: Beside) {
    match beside {
        Beside::Nobody => {}
        Beside::Loops(count) => {
            for _ in 0..count {
                let ticks = ticks.clone();
                scheduler.spawn(async move { compute(&ticks, Duration::MAX).await });
            }
        }
        Beside::Items(count) => {
            for _ in 0..count {
                let (items, wanted) = channel::<u64>(Options::bounded(8));
                let (done, results) = channel::<u64>(Options::rendezvous());
                scheduler.spawn(feed(items));
                let ticks = ticks.clone();
                scheduler.spawn(async move {
                    while let Ok(item) = wanted.receive().await {
                        compute(&ticks, ITEM).await;
                        if done.send(item).await.is_err() {
                            break;
                        }
                    }
                });
                scheduler.spawn(async move { while results.receive().await.is_ok() {} });
            }
        }
        Beside::Yields => {
            scheduler.spawn(async {
                loop {
                    yield_now().await;
                }
            });
        }
        Beside::Polls => {
            let (sender, receiver) = channel::<u64>(Options::bounded(1));
            scheduler.spawn(async move {
                while receiver.try_receive() == Err(TryReceiveError::Empty) {
                    yield_now().await;
                }
                drop(sender);
            });
        }
    }
}

async fn feed(numbers: Sender<u64>) {
    let mut number = 0;
    while numbers.send(number).await.is_ok() {
        number += 1;
    }
}

/// Messages a second, and the 99th percentile of the time from one to the next.
fn stream(workers: usize, capacity: usize, beside: Beside) -> (f64, Duration) {
    let (scheduler, ticks) = scheduler(workers);
    start_neighbours(&scheduler, &ticks, beside);
    let (numbers, receiver) = channel::<u64>(Options::bounded(capacity));
    scheduler.spawn(feed(numbers));
    let (tell, told) = mpsc::channel();
    scheduler.spawn(async move {
        let _ = tell.send(measure(receiver).await);
    });
    let measured = told.recv().expect("the stream is measured");
    ticks.store(STOP, Ordering::Relaxed);
    scheduler.shutdown();
    measured
}

async fn measure(numbers: Receiver<u64>) -> (f64, Duration) {
    let warm = Instant::now() + SPAN / 10;
    while Instant::now() < warm && numbers.receive().await.is_ok() {}
    let start = Instant::now();
    let mut gaps = Vec::with_capacity(1 << 24);
    gaps.push(0);
    let mut before = start;
    // The first, of no length, keeps the list from being empty.
    while before < start + SPAN && numbers.receive().await.is_ok() {
        let now = Instant::now();
        gaps.push(u32::try_from((now - before).as_nanos()).unwrap_or(u32::MAX));
        before = now;
    }
    let rate = (gaps.len() - 1) as f64 / (before - start).as_secs_f64();
    let place = gaps.len().saturating_sub(1) * 99 / 100;
    let (_, p99, _) = gaps.select_nth_unstable(place);
    (rate, Duration::from_nanos((*p99).into()))
}

fn sieves() {
    println!("workers  capacity  primes  messages sent  time");
    for workers in [1, 2] {
        for capacity in [0, 1, 128] {
            let (sent, time) = sieve(workers, capacity, 1_000);
            println!(
                "{workers:>7}  {capacity:>8}  {:>6}  {sent:>13}  {time:.1?}",
                1_000
            );
        }
    }
}

/// Finds so many primes, each with a process of its own: how many messages were sent for it, and
/// how long it took.
fn sieve(workers: usize, capacity: usize, primes: usize) -> (u64, Duration) {
    let (scheduler, _) = scheduler(workers);
    let totals = Arc::<Totals>::default();
    let options = Options::bounded(capacity).totals(totals.clone());
    let (tell, told) = mpsc::channel();
    let inner = scheduler.clone();
    let start = Instant::now();
    scheduler.spawn(async move {
        let (numbers, mut candidates) = channel::<u64>(options.clone());
        inner.spawn(async move {
            for number in 2.. {
                if numbers.send(number).await.is_err() {
                    break;
                }
            }
        });
        for _ in 0..primes {
            let Ok(prime) = candidates.receive().await else {
                return;
            };
            let (survivors, next) = channel::<u64>(options.clone());
            let filtered = std::mem::replace(&mut candidates, next);
            inner.spawn(filter(prime, filtered, survivors));
        }
        let _ = tell.send(start.elapsed());
    });
    let time = told.recv().expect("the sieve ends");
    scheduler.shutdown();
    (totals.sent.load(Ordering::Acquire), time)
}

async fn filter(prime: u64, candidates: Receiver<u64>, survivors: Sender<u64>) {
    while let Ok(number) = candidates.receive().await {
        if number % prime != 0 && survivors.send(number).await.is_err() {
            break;
        }
    }
}
