//! What the parts cost without WebAssembly: one operation of a channel, one hand-off, one
//! alternation, one wake-up by the scheduler.

use std::hint::black_box;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use transputer_core::{
    Alternation, Guard, Mode, Options, Order, Receiver, Scheduler, SchedulerOptions, Sender,
    channel,
};

const MESSAGE: u64 = 7;

/// Polls a future once, and says whether that was enough.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A send and a receive that need not wait.
fn ready_operations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("channel, ready");
    let (sender, receiver) = channel::<u64>(Options::bounded(1));
    group.bench_function("try-send and try-receive", |bencher| {
        bencher
            .iter(|| sender.try_send(black_box(MESSAGE)).is_ok() && receiver.try_receive().is_ok());
    });
    group.bench_function("send and receive", |bencher| {
        bencher.iter(|| {
            poll_once(sender.send(black_box(MESSAGE))).is_ready()
                && poll_once(receiver.receive()).is_ready()
        });
    });
    let (sender, receiver) = channel::<Vec<u8>>(Options::bounded(1));
    group.throughput(Throughput::Bytes(1 << 10));
    group.bench_function("send and receive, 1 KiB", |bencher| {
        bencher.iter_batched(
            || vec![0; 1 << 10],
            |message| {
                poll_once(sender.send(message)).is_ready()
                    && poll_once(receiver.receive()).is_ready()
            },
            criterion::BatchSize::SmallInput,
        );
    });
}

/// A message that goes from a sender to a receiver that waits for it, or the other way round.
fn hand_off(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rendezvous");
    let (sender, receiver) = channel::<u64>(Options::rendezvous());
    let mut context = Context::from_waker(Waker::noop());
    group.bench_function("receiver waits", |bencher| {
        bencher.iter(|| {
            let mut receiving = pin!(receiver.receive());
            let parked = receiving.as_mut().poll(&mut context).is_pending();
            let sent = sender.try_send(black_box(MESSAGE)).is_ok();
            parked && sent && receiving.poll(&mut context).is_ready()
        });
    });
    group.bench_function("sender waits", |bencher| {
        bencher.iter(|| {
            let mut sending = pin!(sender.send(black_box(MESSAGE)));
            let parked = sending.as_mut().poll(&mut context).is_pending();
            let received = receiver.try_receive().is_ok();
            parked && received && sending.poll(&mut context).is_ready()
        });
    });
}

/// Alternations of several sizes, with one guard that is ready, or with all to wait for.
fn alternation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("alternation");
    let mut context = Context::from_waker(Waker::noop());
    for guards in [2, 16, 256] {
        let channels: Vec<_> = (0..guards)
            .map(|_| channel::<u64>(Options::bounded(1)))
            .collect();
        let (last, _) = &channels[guards - 1];
        let mut alternation = Alternation::seeded(Order::Fair, 1);
        group.bench_function(BenchmarkId::new("one ready", guards), |bencher| {
            bencher.iter(|| {
                let sent = last.try_send(black_box(MESSAGE)).is_ok();
                sent && poll_once(alternation.wait(receive_guards(&channels))).is_ready()
            });
        });
        group.bench_function(BenchmarkId::new("parked", guards), |bencher| {
            bencher.iter(|| {
                let mut waiting = pin!(alternation.wait(receive_guards(&channels)));
                let parked = waiting.as_mut().poll(&mut context).is_pending();
                let sent = last.try_send(black_box(MESSAGE)).is_ok();
                parked && sent && waiting.poll(&mut context).is_ready()
            });
        });
    }
}

fn receive_guards(channels: &[(Sender<u64>, Receiver<u64>)]) -> Vec<Guard<'_, u64>> {
    let receivers = channels.iter().map(|(_, receiver)| receiver);
    receivers.map(Guard::Receive).collect()
}

/// Two tasks that answer each other: each message parks one and wakes the other.
fn wake(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scheduler, a round trip of two tasks");
    for workers in [1, 2] {
        let mode = Mode::Parallel { workers };
        let scheduler =
            Scheduler::new(SchedulerOptions::new(mode)).expect("threads can be started");
        group.bench_function(BenchmarkId::new("workers", workers), |bencher| {
            bencher.iter_custom(|rounds| round_trips(&scheduler, rounds));
        });
        scheduler.shutdown();
    }
}

/// How long so many round trips take.
fn round_trips(scheduler: &Scheduler, rounds: u64) -> Duration {
    let (ping, pinged) = channel::<u64>(Options::rendezvous());
    let (pong, ponged) = channel::<u64>(Options::rendezvous());
    let (tell, told) = mpsc::channel();
    scheduler.spawn(async move {
        while let Ok(number) = pinged.receive().await {
            if pong.send(number).await.is_err() {
                break;
            }
        }
    });
    scheduler.spawn(async move {
        let start = Instant::now();
        for round in 0..rounds {
            if ping.send(round).await.is_err() || ponged.receive().await.is_err() {
                return;
            }
        }
        // Nobody listens any more only if the bench has been given up.
        let _ = tell.send(start.elapsed());
    });
    told.recv().expect("the tasks answer each other to the end")
}

criterion_group!(benches, ready_operations, hand_off, alternation, wake);
criterion_main!(benches);
