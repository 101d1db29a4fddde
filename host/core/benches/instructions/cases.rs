//! What is counted. Every case is decided by its rounds alone: one thread, or the seeded
//! scheduler's one worker.

use std::hint::black_box;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};

use transputer_core::{
    Alternation, Barrier, Guard, Holder, Mode, Options, Order, Prepared, Receiver, Scheduler,
    SchedulerOptions, Sender, channel,
};

/// A piece of work to be done so many times.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) rounds: u64,
    pub(crate) run: fn(u64),
}

pub(crate) const CASES: &[Case] = &[
    case("try-send and try-receive", 20_000, try_operations),
    case("send and receive through a buffer", 20_000, buffered),
    case("rendezvous, the receiver waits", 20_000, receiver_waits),
    case("rendezvous, the sender waits", 20_000, sender_waits),
    case("batch of 128, sent and prefetched", 500, batch),
    case("alternation of 2, one ready", 5_000, ready_among::<2>),
    case("alternation of 16, one ready", 2_000, ready_among::<16>),
    case("alternation of 256, one ready", 200, ready_among::<256>),
    case("alternation of 2, parked", 5_000, parked_among::<2>),
    case("alternation of 16, parked", 2_000, parked_among::<16>),
    case("alternation of 256, parked", 200, parked_among::<256>),
    case(
        "prepared alternation of 16, one ready",
        2_000,
        prepared_ready,
    ),
    case("prepared alternation of 16, parked", 2_000, prepared_parked),
    case("barrier of 2", 10_000, barrier),
    case("open and close a channel", 5_000, open),
    case("spawn a task that sends once", 2_000, spawn),
    case("wake: a round trip of two tasks", 5_000, round_trips),
    case("wake: the same on a worker", 5_000, round_trips_on_a_worker),
    case(
        "wake: a message of a rendezvous stream, on a worker",
        5_000,
        stream_on_a_worker,
    ),
];

const fn case(name: &'static str, rounds: u64, run: fn(u64)) -> Case {
    Case { name, rounds, run }
}

/// Polls a future that is ready at once.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it was to be ready at once"),
    }
}

/// Polls a future that has to wait until `then` has been done.
fn parked<F: Future>(future: F, then: impl FnOnce()) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    assert!(future.as_mut().poll(&mut context).is_pending());
    then();
    ready(future)
}

fn try_operations(rounds: u64) {
    let (sender, receiver) = channel::<u64>(Options::bounded(1));
    for round in 0..rounds {
        sender.try_send(black_box(round)).expect("there is room");
        assert_eq!(receiver.try_receive(), Ok(round));
    }
}

fn buffered(rounds: u64) {
    let (sender, receiver) = channel::<u64>(Options::bounded(1));
    for round in 0..rounds {
        ready(sender.send(black_box(round))).expect("there is room");
        assert_eq!(ready(receiver.receive()), Ok(round));
    }
}

fn receiver_waits(rounds: u64) {
    let (sender, receiver) = channel::<u64>(Options::rendezvous());
    for round in 0..rounds {
        let received = parked(receiver.receive(), || {
            sender.try_send(black_box(round)).expect("it waits");
        });
        assert_eq!(received, Ok(round));
    }
}

fn sender_waits(rounds: u64) {
    let (sender, receiver) = channel::<u64>(Options::rendezvous());
    for round in 0..rounds {
        let sent = parked(sender.send(black_box(round)), || {
            assert_eq!(receiver.try_receive(), Ok(round));
        });
        assert!(sent.is_ok());
    }
}

fn batch(rounds: u64) {
    const SIZE: u64 = 128;
    let (sender, receiver) = channel::<u64>(Options::bounded(SIZE as usize));
    for _ in 0..rounds {
        for message in 0..SIZE {
            sender.try_send(black_box(message)).expect("there is room");
        }
        let mut taken = 0;
        while receiver.try_receive().is_ok() {
            taken += 1;
            receiver.prefetch(SIZE as usize, |_| {
                taken += 1;
                1
            });
        }
        assert_eq!(taken, SIZE);
    }
}

type Ends = (Sender<u64>, Receiver<u64>);

fn channels(count: usize) -> Vec<Ends> {
    (0..count).map(|_| channel(Options::bounded(1))).collect()
}

fn guards(channels: &[Ends]) -> impl Iterator<Item = Guard<'_, u64>> {
    channels
        .iter()
        .map(|(_, receiver)| Guard::Receive(receiver))
}

fn ready_among<const GUARDS: usize>(rounds: u64) {
    let channels = channels(GUARDS);
    let mut alternation = Alternation::seeded(Order::Fair, 1);
    for round in 0..rounds {
        channels[GUARDS - 1].0.try_send(round).expect("it is empty");
        let chosen = ready(alternation.wait(guards(&channels).collect()));
        assert_eq!(chosen.guard, GUARDS - 1);
    }
}

fn parked_among<const GUARDS: usize>(rounds: u64) {
    let channels = channels(GUARDS);
    let mut alternation = Alternation::seeded(Order::Fair, 1);
    for round in 0..rounds {
        let chosen = parked(alternation.wait(guards(&channels).collect()), || {
            channels[GUARDS - 1].0.try_send(round).expect("it is empty");
        });
        assert_eq!(chosen.guard, GUARDS - 1);
    }
}

fn prepared_ready(rounds: u64) {
    let channels = channels(16);
    let mut prepared = Prepared::seeded(Order::Fair, 1);
    for round in 0..rounds {
        channels[15].0.try_send(round).expect("it is empty");
        let chosen = ready(prepared.wait(guards(&channels).map(Some)));
        assert_eq!(chosen.guard, 15);
    }
}

fn prepared_parked(rounds: u64) {
    let channels = channels(16);
    let mut prepared = Prepared::seeded(Order::Fair, 1);
    for round in 0..rounds {
        let chosen = parked(prepared.wait(guards(&channels).map(Some)), || {
            channels[15].0.try_send(round).expect("it is empty");
        });
        assert_eq!(chosen.guard, 15);
    }
}

fn barrier(rounds: u64) {
    let first = Barrier::new("counted");
    let second = first.enrol_for(Holder::Host);
    for _ in 0..rounds {
        let synced = parked(first.sync(), || {
            ready(second.sync()).expect("it is the last to arrive");
        });
        assert!(synced.is_ok());
    }
}

fn open(rounds: u64) {
    for _ in 0..rounds {
        let (sender, receiver) = channel::<u64>(Options::bounded(1));
        drop(black_box(sender));
        assert!(receiver.try_receive().is_err());
    }
}

/// Runs `work` as a task of a seeded scheduler, to its end.
fn run(scheduler: &Scheduler, work: impl Future<Output = ()> + Send + 'static) {
    let (tell, told) = mpsc::channel();
    scheduler.spawn(async move {
        work.await;
        tell.send(()).expect("the case waits for it");
    });
    told.recv().expect("the task runs to its end");
}

fn spawn(rounds: u64) {
    let (ends, ended) = channel::<u64>(Options::rendezvous());
    let options = SchedulerOptions::new(Mode::Seeded { seed: 1 });
    let scheduler = Arc::new(Scheduler::new(options).expect("threads can be started"));
    let spawning = scheduler.clone();
    run(&scheduler, async move {
        for round in 0..rounds {
            let ends = ends.clone_for(Holder::Host);
            spawning.spawn(async move {
                ends.send(round).await.expect("the other one receives");
            });
            assert_eq!(ended.receive().await, Ok(round));
        }
    });
}

fn round_trips(rounds: u64) {
    round_trips_in(Mode::Seeded { seed: 1 }, rounds);
}

fn round_trips_on_a_worker(rounds: u64) {
    round_trips_in(Mode::Parallel { workers: 1 }, rounds);
}

fn round_trips_in(mode: Mode, rounds: u64) {
    let (ping, pinged) = channel::<u64>(Options::rendezvous());
    let (pong, ponged) = channel::<u64>(Options::rendezvous());
    let options = SchedulerOptions::new(mode);
    let scheduler = Scheduler::new(options).expect("threads can be started");
    scheduler.spawn(async move {
        while let Ok(number) = pinged.receive().await {
            pong.send(number).await.expect("the other one waits for it");
        }
    });
    run(&scheduler, async move {
        for round in 0..rounds {
            ping.send(round).await.expect("the other one receives");
            assert_eq!(ponged.receive().await, Ok(round));
        }
    });
}

fn stream_on_a_worker(rounds: u64) {
    let (numbers, received) = channel::<u64>(Options::rendezvous());
    let options = SchedulerOptions::new(Mode::Parallel { workers: 1 });
    let scheduler = Scheduler::new(options).expect("threads can be started");
    scheduler.spawn(async move {
        for number in 0..rounds {
            numbers.send(number).await.expect("the other one receives");
        }
    });
    run(&scheduler, async move {
        let mut count = 0;
        while received.receive().await.is_ok() {
            count += 1;
        }
        assert_eq!(count, rounds);
    });
}
