//! Channels between threads: blocking ends, and many at once.
#![cfg(not(loom))]

mod channel_support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use channel_support::{bounded, poison, rendezvous};
use transputer_core::{
    Alternation, Guard, Order, Outcome, ReceiveError, ReceiveTimeoutError, SendError,
    SendTimeoutError,
};

#[test]
fn blocking_ends_meet() {
    for capacity in [0, 1, 7] {
        let (sender, receiver) = bounded(capacity);
        let sending = thread::spawn(move || {
            for n in 0..1_000 {
                sender.send_blocking(n).unwrap();
            }
        });
        for n in 0..1_000 {
            assert_eq!(receiver.receive_blocking(), Ok(n));
        }
        assert_eq!(receiver.receive_blocking(), Err(ReceiveError::Closed));
        sending.join().unwrap();
    }
}

#[test]
fn blocking_ends_time_out() {
    let (sender, receiver) = rendezvous();
    let moment = Duration::from_millis(1);
    assert_eq!(
        sender.send_timeout(1, moment),
        Err(SendTimeoutError::TimedOut(1))
    );
    assert_eq!(
        receiver.receive_timeout(moment),
        Err(ReceiveTimeoutError::TimedOut)
    );
    assert_eq!(receiver.inspect().snapshot().waiting, []);
    let sending = thread::spawn(move || sender.send_timeout(2, Duration::MAX));
    assert_eq!(receiver.receive_timeout(Duration::MAX), Ok(2));
    assert_eq!(sending.join().unwrap(), Ok(()));
}

#[test]
fn ending_a_channel_frees_blocked_threads() {
    let (sender, receiver) = rendezvous();
    let blocked: Vec<_> = (0..4)
        .map(|n| {
            let sender = sender.clone();
            thread::spawn(move || sender.send_blocking(n))
        })
        .collect();
    while sender.inspect().snapshot().waiting.len() < 4 {
        thread::yield_now();
    }
    receiver.poison(poison("enough"));
    for (n, thread) in blocked.into_iter().enumerate() {
        assert_eq!(
            thread.join().unwrap(),
            Err(SendError::Poisoned(n as u64, poison("enough")))
        );
    }
}

/// Senders and receivers, plain and by alternation over two channels: every message arrives
/// once, whatever the capacity.
#[test]
fn many_threads_lose_and_double_nothing() {
    const EACH: u64 = 5_000;
    for capacity in [0, 1, 3] {
        let channels = [bounded(capacity), bounded(capacity)];
        let (count, sum) = (AtomicU64::new(0), AtomicU64::new(0));
        let add = |n: u64| {
            count.fetch_add(1, Ordering::Relaxed);
            sum.fetch_add(n, Ordering::Relaxed);
        };
        thread::scope(|scope| {
            for (which, (_, receiver)) in channels.iter().enumerate() {
                let receiver = receiver.clone();
                scope.spawn(move || {
                    let mut impatient = which == 0;
                    loop {
                        let result = match impatient {
                            true => receiver.receive_timeout(Duration::ZERO),
                            false => receiver.receive_blocking().map_err(Into::into),
                        };
                        impatient = !impatient;
                        match result {
                            Ok(n) => add(n),
                            Err(ReceiveTimeoutError::TimedOut) => {}
                            Err(_) => break,
                        }
                    }
                });
            }
            let receivers = [channels[0].1.clone(), channels[1].1.clone()];
            scope.spawn(move || {
                let mut open = [true, true];
                let mut alternation = Alternation::seeded(Order::Fair, 3);
                while open.contains(&true) {
                    let listening: Vec<_> = (0..2).filter(|n| open[*n]).collect();
                    let guards = listening.iter().map(|&n| Guard::Receive(&receivers[n]));
                    let chosen = alternation.wait_blocking(guards.collect());
                    match chosen.outcome {
                        Outcome::Received(n) => add(n),
                        _ => open[listening[chosen.guard]] = false,
                    }
                }
            });
            for which in 0..3 {
                let [a, b] = [channels[0].0.clone(), channels[1].0.clone()];
                scope.spawn(move || {
                    let mut alternation = Alternation::seeded(Order::Fair, which);
                    for n in 0..EACH {
                        if which == 0 {
                            a.send_blocking(n).unwrap();
                            continue;
                        }
                        let guards = vec![Guard::Send(&b, n), Guard::Send(&a, n)];
                        let chosen = alternation.wait_blocking(guards);
                        assert_eq!(chosen.outcome, Outcome::Sent);
                        assert_eq!(chosen.unsent.len(), 1);
                    }
                });
            }
            let inspected = [channels[0].0.inspect(), channels[1].0.inspect()];
            drop(channels);
            scope.spawn(move || {
                while inspected
                    .iter()
                    .any(|probe| !probe.snapshot().senders.is_empty())
                {
                    thread::yield_now();
                }
            });
        });
        assert_eq!(
            count.load(Ordering::Relaxed),
            3 * EACH,
            "capacity {capacity}"
        );
        assert_eq!(sum.load(Ordering::Relaxed), 3 * (EACH * (EACH - 1) / 2));
    }
}
