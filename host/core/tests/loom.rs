//! Every interleaving, up to a number of preemptions, of the races that matter.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p transputer-core --test loom --release`.
#![cfg(loom)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::thread;
use transputer_core::{
    Alternation, Chosen, Guard, GuardError, Options, Order, Outcome, Poison, PoisonKind, Prepared,
    ReceiveError, Receiver, SendError, Sender, TryReceiveError, TrySendError, channel,
};

fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

fn open(capacity: usize) -> (Sender<u64>, Receiver<u64>) {
    channel(Options::bounded(capacity))
}

/// Polls once, with a waker that does nothing.
fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn choose(guards: Vec<Guard<'_, u64>>) -> Chosen<u64> {
    block_on(Alternation::seeded(Order::Priority, 0).wait(guards))
}

#[test]
fn a_rendezvous_hands_over() {
    explore(|| {
        let (sender, receiver) = open(0);
        let sending = thread::spawn(move || block_on(sender.send(1)));
        assert_eq!(block_on(receiver.receive()), Ok(1));
        assert_eq!(sending.join().unwrap(), Ok(()));
        assert_eq!(block_on(receiver.receive()), Err(ReceiveError::Closed));
    });
}

#[test]
fn two_senders_meet_two_receivers() {
    explore(|| {
        let (sender, receiver) = open(0);
        let other = sender.clone();
        let first = thread::spawn(move || block_on(sender.send(1)));
        let second = thread::spawn(move || block_on(other.send(2)));
        let a = block_on(receiver.receive()).unwrap();
        let b = block_on(receiver.receive()).unwrap();
        assert_eq!(a + b, 3);
        assert_eq!(first.join().unwrap(), Ok(()));
        assert_eq!(second.join().unwrap(), Ok(()));
    });
}

#[test]
fn a_buffer_hands_over_in_order() {
    explore(|| {
        let (sender, receiver) = open(1);
        let sending = thread::spawn(move || {
            for n in 1..=3 {
                assert_eq!(block_on(sender.send(n)), Ok(()));
            }
        });
        for n in 1..=3 {
            assert_eq!(block_on(receiver.receive()), Ok(n));
        }
        assert_eq!(block_on(receiver.receive()), Err(ReceiveError::Closed));
        sending.join().unwrap();
    });
}

#[test]
fn alternation_meets_alternation() {
    explore(|| {
        let (a, a_receiver) = open(0);
        let (b, b_receiver) = open(0);
        let (a_probe, b_probe) = (a.inspect(), b.inspect());
        let sending = thread::spawn(move || {
            // One after the other, so that the second meets what the first left behind.
            let first = choose(vec![Guard::Send(&a, 1), Guard::Send(&b, 2)]);
            let second = choose(vec![Guard::Send(&b, 4), Guard::Send(&a, 3)]);
            [first, second].map(|chosen| {
                assert_eq!(chosen.outcome, Outcome::Sent);
                chosen.unsent[0].1
            })
        });
        let received = [(); 2].map(|()| {
            let guards = vec![Guard::Receive(&b_receiver), Guard::Receive(&a_receiver)];
            match choose(guards).outcome {
                Outcome::Received(message) => message,
                other => panic!("{other:?}"),
            }
        });
        let unsent = sending.join().unwrap();
        assert_eq!(received[0] + unsent[0], 3, "one of the first two");
        assert_eq!(received[1] + unsent[1], 7, "one of the second two");
        for probe in [a_probe, b_probe] {
            assert!(probe.snapshot().waiting.is_empty());
        }
    });
}

/// The second wait uses the memory of the first.
#[test]
fn a_prepared_alternation_is_served_twice() {
    explore(|| {
        let (a, a_receiver) = open(0);
        let (b, b_receiver) = open(0);
        let sending = thread::spawn(move || {
            assert_eq!(block_on(a.send(1)), Ok(()));
            assert_eq!(block_on(b.send(2)), Ok(()));
            (a, b)
        });
        let mut prepared = Prepared::seeded(Order::Priority, 0);
        for n in 1..=2 {
            let guards = [&b_receiver, &a_receiver].map(|end| Some(Guard::Receive(end)));
            let chosen = block_on(prepared.wait(guards));
            assert_eq!(chosen.outcome, Outcome::Received(n));
        }
        sending.join().unwrap();
    });
}

/// Polled by one task, then by another: the second is woken.
#[test]
fn a_waker_that_changes_races_with_a_delivery() {
    explore(|| {
        let (sender, receiver) = open(0);
        let sending = thread::spawn(move || block_on(sender.send(1)));
        let mut receive = pin!(receiver.receive());
        let received = match poll_once(receive.as_mut()) {
            Poll::Ready(received) => received,
            Poll::Pending => block_on(receive),
        };
        assert_eq!(received, Ok(1));
        assert_eq!(sending.join().unwrap(), Ok(()));
    });
    explore(|| {
        let (sender, receiver) = open(0);
        let (_other, idle) = open(0);
        let sending = thread::spawn(move || block_on(sender.send(1)));
        let mut alternation = Alternation::seeded(Order::Priority, 0);
        let guards = vec![Guard::Receive(&idle), Guard::Receive(&receiver)];
        let mut wait = pin!(alternation.wait(guards));
        let chosen = match poll_once(wait.as_mut()) {
            Poll::Ready(chosen) => chosen,
            Poll::Pending => block_on(wait),
        };
        assert_eq!(chosen.outcome, Outcome::Received(1));
        assert_eq!(sending.join().unwrap(), Ok(()));
    });
}

#[test]
fn two_counterparts_race_for_one_alternation() {
    explore(|| {
        let (a, a_receiver) = open(0);
        let (b, b_receiver) = open(0);
        let first = thread::spawn(move || a.try_send(1).is_ok());
        let second = thread::spawn(move || b.try_send(2).is_ok());
        let guards = vec![Guard::Receive(&a_receiver), Guard::Receive(&b_receiver)];
        let chosen = choose(guards);
        let (first, second) = (first.join().unwrap(), second.join().unwrap());
        match chosen.outcome {
            Outcome::Received(1) => assert!(first && !second),
            Outcome::Received(2) => assert!(second && !first),
            // Both gave up before it waited, or between; whoever closed first was seen.
            Outcome::Failed(GuardError::Closed) => assert!(!first && !second),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn closing_races_with_a_send() {
    for capacity in [0, 1] {
        explore(move || {
            let (sender, receiver) = open(capacity);
            let probe = sender.inspect();
            let sending = thread::spawn(move || block_on(sender.send(1)));
            let received = receiver.try_receive();
            drop(receiver);
            let sent = sending.join().unwrap();
            let statistics = probe.statistics();
            match sent {
                Ok(()) => assert!(received == Ok(1) || statistics.dropped == 1),
                Err(refused) => {
                    assert_eq!(refused, SendError::Closed(1), "the message comes back");
                    assert_eq!(statistics.sent, 0);
                }
            }
        });
    }
}

#[test]
fn closing_wakes_who_waits() {
    explore(|| {
        let (sender, receiver) = open(0);
        let closing = thread::spawn(move || drop(sender));
        assert_eq!(block_on(receiver.receive()), Err(ReceiveError::Closed));
        closing.join().unwrap();
    });
}

/// Neither is a message, and both synchronise memory as one does.
#[test]
fn what_came_before_an_end_is_seen_after_it() {
    use loom::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::Arc;
    for poisons in [false, true] {
        explore(move || {
            let (sender, receiver) = open(1);
            let written = Arc::new(AtomicUsize::new(0));
            let seen = Arc::clone(&written);
            let ending = thread::spawn(move || {
                written.store(1, Ordering::Relaxed);
                if poisons {
                    sender.poison(Poison::new(PoisonKind::Poisoned, "end"));
                }
            });
            assert!(block_on(receiver.receive()).is_err());
            assert_eq!(seen.load(Ordering::Relaxed), 1);
            ending.join().unwrap();
        });
    }
}

#[test]
fn poison_races_with_a_rendezvous() {
    explore(|| {
        let (sender, receiver) = open(0);
        let poisoner = sender.clone();
        let poisoning =
            thread::spawn(move || poisoner.poison(Poison::new(PoisonKind::Poisoned, "race")));
        let sending = thread::spawn(move || block_on(sender.send(1)));
        let received = block_on(receiver.receive());
        let sent = sending.join().unwrap();
        assert_eq!(received.is_ok(), sent.is_ok(), "both or neither");
        assert!(poisoning.join().unwrap());
    });
}

#[test]
fn cancelling_races_with_a_delivery() {
    explore(|| {
        let (sender, receiver) = open(0);
        let delivering = thread::spawn(move || (sender.try_send(1), sender));
        {
            let mut receive = pin!(receiver.receive());
            if let Poll::Ready(done) = poll_once(receive.as_mut()) {
                panic!("nobody waits to send: {done:?}");
            }
        }
        let (sent, _sender) = delivering.join().unwrap();
        let expected = match sent {
            Ok(()) => Ok(1),
            Err(refused) => {
                assert_eq!(refused, TrySendError::Full(1));
                Err(TryReceiveError::Empty)
            }
        };
        assert_eq!(receiver.try_receive(), expected);
    });
}

#[test]
fn cancelling_passes_a_delivery_on() {
    explore(|| {
        let (sender, receiver) = open(0);
        let other = receiver.clone();
        let cancelling = thread::spawn(move || {
            let mut receive = pin!(other.receive());
            match poll_once(receive.as_mut()) {
                Poll::Ready(done) => done.ok(),
                Poll::Pending => None,
            }
        });
        let sending = thread::spawn(move || {
            assert_eq!(block_on(sender.send(1)), Ok(()));
        });
        let received = block_on(receiver.receive());
        let taken = cancelling.join().unwrap();
        sending.join().unwrap();
        match taken {
            Some(message) => assert_eq!((message, received), (1, Err(ReceiveError::Closed))),
            None => assert_received_or_left(received, &receiver),
        }
    });
}

/// A receiver that was told that the channel is closed, before a message came back from a
/// dropped receive, finds that message afterwards.
fn assert_received_or_left(received: Result<u64, ReceiveError>, receiver: &Receiver<u64>) {
    if received == Err(ReceiveError::Closed) {
        assert_eq!(receiver.try_receive(), Ok(1));
    } else {
        assert_eq!(received, Ok(1));
    }
}

#[test]
fn dropping_an_alternation_races_with_a_delivery() {
    explore(|| {
        let (a, a_receiver) = open(0);
        let (_b, b_receiver) = open(0);
        let delivering = thread::spawn(move || (a.try_send(1), a));
        let chosen = {
            let mut alternation = Alternation::seeded(Order::Priority, 0);
            let guards = vec![Guard::Receive(&b_receiver), Guard::Receive(&a_receiver)];
            let mut wait = pin!(alternation.wait(guards));
            poll_once(wait.as_mut())
        };
        let (sent, _a) = delivering.join().unwrap();
        match chosen {
            // Served between entering the queues and looking at the claim.
            Poll::Ready(chosen) => {
                assert_eq!(sent, Ok(()));
                assert_eq!(chosen.outcome, Outcome::Received(1));
            }
            Poll::Pending => assert_eq!(a_receiver.try_receive().is_ok(), sent.is_ok()),
        }
        assert!(b_receiver.inspect().snapshot().waiting.is_empty());
    });
}
