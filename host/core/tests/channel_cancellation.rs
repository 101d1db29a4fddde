//! A dropped operation leaves its queue, and nothing that was accepted is lost.
#![cfg(not(loom))]

mod channel_support;

use channel_support::{bounded, now, parked, poison, rendezvous};
use transputer_core::{Options, TryReceiveError, TrySendError, channel};

#[test]
fn a_dropped_send_withdraws_its_message() {
    let (sender, receiver) = rendezvous();
    let first = parked(sender.send(1));
    let mut second = parked(sender.send(2));
    drop(first);
    assert_eq!(receiver.try_receive(), Ok(2));
    assert_eq!(second.woken(), Ok(()));
    assert_eq!(receiver.try_receive(), Err(TryReceiveError::Empty));
}

#[test]
fn any_place_in_the_queue_can_be_left_the_last_included() {
    for gone in 0..3 {
        let (sender, receiver) = rendezvous();
        let mut sends: Vec<_> = (0..3).map(|n| parked(sender.send(n))).collect();
        drop(sends.remove(gone));
        let mut last = parked(sender.send(3));
        let left = (0..4).filter(|n| *n != gone as u64);
        for n in left {
            assert_eq!(receiver.try_receive(), Ok(n), "{gone} is gone");
        }
        assert_eq!(last.woken(), Ok(()));
        assert_eq!(receiver.inspect().snapshot().waiting, []);
    }
}

#[test]
fn a_dropped_receive_is_passed_over() {
    let (sender, receiver) = rendezvous();
    let first = parked(receiver.receive());
    let mut second = parked(receiver.receive());
    drop(first);
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(second.woken(), Ok(1));
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
}

#[test]
fn a_message_handed_to_a_dropped_receive_goes_to_the_next_waiting() {
    let (sender, receiver) = rendezvous();
    let first = parked(receiver.receive());
    let mut second = parked(receiver.receive());
    sender.try_send(1).unwrap();
    assert_eq!(first.wakes(), 1);
    drop(first);
    assert_eq!(second.woken(), Ok(1));
}

#[test]
fn a_message_handed_to_a_dropped_receive_goes_back_to_the_front() {
    for capacity in 0..2 {
        let (sender, receiver) = bounded(capacity);
        let receive = parked(receiver.receive());
        sender.try_send(1).unwrap();
        drop(receive);
        // It takes the only place of a channel of one; a rendezvous has none anyway.
        let mut send = parked(sender.send(2));
        assert_eq!(receiver.statistics().received, 0);
        assert_eq!(now(receiver.receive()), Ok(1));
        assert_eq!(now(receiver.receive()), Ok(2));
        assert_eq!(send.ready(), Ok(()));
    }
}

#[test]
fn messages_handed_to_dropped_receives_keep_their_order() {
    let orders: [[usize; 3]; 4] = [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]];
    for order in orders {
        let (sender, receiver) = bounded(3);
        let mut receives: Vec<_> = (0..3).map(|_| Some(parked(receiver.receive()))).collect();
        for n in 0..5 {
            sender.try_send(n).unwrap();
        }
        for which in order {
            receives[which] = None;
        }
        let received: Vec<_> = std::iter::from_fn(|| receiver.try_receive().ok()).collect();
        assert_eq!(received, [0, 1, 2, 3, 4], "dropped in the order {order:?}");
    }
}

#[test]
fn a_returned_message_at_a_poisoned_channel_is_counted() {
    let (sender, receiver) = rendezvous();
    let receive = parked(receiver.receive());
    sender.try_send(1).unwrap();
    receiver.poison(poison("p"));
    drop(receive);
    let statistics = receiver.statistics();
    assert_eq!((statistics.received, statistics.dropped), (0, 1));
}

#[test]
fn a_returned_message_outlives_the_senders() {
    let (sender, receiver) = rendezvous();
    let receive = parked(receiver.receive());
    sender.try_send(1).unwrap();
    drop(sender);
    drop(receive);
    assert_eq!(receiver.try_receive(), Ok(1));
    assert_eq!(receiver.try_receive(), Err(TryReceiveError::Closed));
}

#[test]
fn put_back_comes_first_again() {
    let (sender, receiver) = bounded(2);
    for n in 1..=2 {
        sender.try_send(n).unwrap();
    }
    let first = receiver.try_receive().unwrap();
    receiver.put_back(first);
    assert_eq!(receiver.statistics().received, 0);
    assert_eq!(receiver.drain(9, |_| true), [1, 2]);
    receiver.put_back(2);
    receiver.put_back(1);
    assert_eq!(receiver.drain(9, |_| true), [1, 2]);
    let mut waiting = parked(receiver.receive());
    receiver.put_back(2);
    assert_eq!(waiting.woken(), Ok(2));
}

#[test]
fn put_back_over_the_capacity_admits_nobody_early() {
    let (sender, receiver) = bounded(1);
    sender.try_send(1).unwrap();
    let mut second = parked(sender.send(2));
    let first = receiver.try_receive().unwrap();
    assert_eq!(second.woken(), Ok(()));
    receiver.put_back(first);
    let mut third = parked(sender.send(3));
    assert_eq!(receiver.try_receive(), Ok(1));
    third.waits();
    assert_eq!(receiver.try_receive(), Ok(2));
    assert_eq!(third.woken(), Ok(()));
}

#[test]
fn a_withdrawn_large_message_lets_small_ones_pass() {
    let (sender, receiver) = channel(Options::bounded(9).max_bytes(10));
    sender.try_send(vec![1u8; 6]).unwrap();
    let large = parked(sender.send(vec![2; 8]));
    let mut small = parked(sender.send(vec![3; 2]));
    drop(large);
    assert_eq!(small.woken(), Ok(()));
    assert_eq!(receiver.drain(9, |_| true), [vec![1; 6], vec![3; 2]]);
}

#[test]
fn drain_stops_where_it_is_told() {
    let (sender, receiver) = bounded(2);
    for n in 0..2 {
        sender.try_send(n).unwrap();
    }
    let mut waiting: Vec<_> = (2..5).map(|n| parked(sender.send(n))).collect();
    assert_eq!(receiver.drain(3, |_| true), [0, 1, 2], "at the number");
    assert_eq!(receiver.drain(9, |n| *n != 4), [3], "at a message");
    assert_eq!(receiver.drain(9, |_| true), [4]);
    for send in &mut waiting {
        assert_eq!(send.woken(), Ok(()));
    }

    let (sender, receiver) = rendezvous();
    let mut waiting: Vec<_> = (0..3).map(|n| parked(sender.send(n))).collect();
    assert_eq!(receiver.drain(9, |n| *n < 2), [0, 1], "waiting senders'");
    assert_eq!(waiting[0].woken(), Ok(()));
    assert_eq!(waiting[1].woken(), Ok(()));
    waiting[2].waits();
    receiver.poison(poison("p"));
    assert!(receiver.drain(9, |_| true).is_empty());
}
