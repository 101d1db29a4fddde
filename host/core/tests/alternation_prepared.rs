//! Prepared alternations: guards that are switched off, and no allocation once warmed up.
#![cfg(not(loom))]

mod channel_support;

use channel_support::{bounded, now, parked, rendezvous};
use transputer_core::{Alternation, Guard, Order, Outcome, Prepared, Receiver, Sender};

fn prepared() -> Prepared<u64> {
    Prepared::seeded(Order::Priority, 0)
}

#[test]
fn a_guard_that_is_off_keeps_its_number_and_never_wins() {
    let (a, a_receiver) = bounded(2);
    let (b, b_receiver) = bounded(2);
    a.try_send(1).unwrap();
    b.try_send(2).unwrap();
    let mut prepared = prepared();
    let chosen = prepared.wait_blocking([None, Some(Guard::Receive(&b_receiver))]);
    assert_eq!((chosen.guard, chosen.outcome), (1, Outcome::Received(2)));
    let both = [&a_receiver, &b_receiver].map(|end| Some(Guard::Receive(end)));
    let chosen = prepared.wait_blocking(both);
    assert_eq!((chosen.guard, chosen.outcome), (0, Outcome::Received(1)));
    a.try_send(3).unwrap();
    let mut waiting = parked(prepared.wait([None, Some(Guard::Receive(&b_receiver))]));
    assert!(a_receiver.inspect().snapshot().waiting.is_empty());
    b.try_send(4).unwrap();
    assert_eq!(waiting.woken().outcome, Outcome::Received(4));
}

#[test]
fn all_off_waits_for_ever_and_leaves_no_trace() {
    let mut prepared = prepared();
    drop(parked(prepared.wait([None, None])));
    let chosen = now(prepared.wait([None, Some(Guard::Skip)]));
    assert_eq!((chosen.guard, chosen.outcome), (1, Outcome::Skipped));
}

/// What a wait that was cancelled left behind must not reach the next one.
#[test]
fn a_cancelled_wait_does_not_disturb_the_next() {
    let (a, a_receiver) = rendezvous();
    let (_b, b_receiver) = rendezvous();
    let mut prepared = prepared();
    for n in 0..4 {
        drop(parked(prepared.wait(guards(&a_receiver, &b_receiver))));
        let mut waiting = parked(prepared.wait(guards(&a_receiver, &b_receiver)));
        a.try_send(n).unwrap();
        // Served, and dropped before it was polled: the message goes back.
        if n == 3 {
            drop(waiting);
            assert_eq!(a_receiver.try_receive(), Ok(3));
            break;
        }
        let chosen = waiting.woken();
        assert_eq!((chosen.guard, chosen.outcome), (1, Outcome::Received(n)));
    }
    assert!(b_receiver.inspect().snapshot().waiting.is_empty());
}

#[test]
fn the_choice_goes_on_where_the_alternation_was() {
    let ends = [bounded(1), bounded(1), bounded(1)];
    for (sender, _) in &ends {
        sender.try_send(0).unwrap();
    }
    let on = || ends.iter().map(|(_, receiver)| Guard::Receive(receiver));
    let mut plain = Alternation::seeded(Order::Fair, 7);
    let mut prepared: Prepared<u64> = plain.clone().into();
    for _ in 0..100 {
        let one = plain.wait_blocking(on().collect()).guard;
        ends[one].0.try_send(0).unwrap();
        let other = prepared.wait_blocking(on().map(Some)).guard;
        ends[other].0.try_send(0).unwrap();
        assert_eq!(one, other);
    }
}

type Guards<'a> = [Option<Guard<'a, u64>>; 3];

fn guards<'a>(a: &'a Receiver<u64>, b: &'a Receiver<u64>) -> Guards<'a> {
    [
        Some(Guard::Receive(b)),
        Some(Guard::Receive(a)),
        Some(Guard::Receive(b)),
    ]
}

/// One wait that is ready at once, and one that has to wait.
fn both_ways(prepared: &mut Prepared<u64>, sender: &Sender<u64>, ends: [&Receiver<u64>; 2]) {
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    let [a, b] = ends;
    sender.try_send(1).unwrap();
    let ready = prepared.wait_blocking(guards(a, b));
    assert_eq!(ready.outcome, Outcome::Received(1));

    let mut context = Context::from_waker(Waker::noop());
    let mut waiting = std::pin::pin!(prepared.wait(guards(a, b)));
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    sender.try_send(2).unwrap();
    match waiting.poll(&mut context) {
        Poll::Ready(chosen) => assert_eq!(chosen.outcome, Outcome::Received(2)),
        Poll::Pending => panic!("it was handed a message"),
    }
}

#[test]
fn allocates_nothing_once_warmed_up() {
    let (a, a_receiver) = bounded(1);
    let (_b, b_receiver) = bounded(1);
    let mut prepared = prepared();
    both_ways(&mut prepared, &a, [&a_receiver, &b_receiver]);
    let allocated = allocation_counter::measure(|| {
        for _ in 0..10 {
            both_ways(&mut prepared, &a, [&a_receiver, &b_receiver]);
        }
    });
    assert_eq!(allocated.count_total, 0, "{allocated:?}");
}
