//! What channels promise, row by row.
#![cfg(not(loom))]

mod channel_support;

use std::time::Duration;

use channel_support::{bounded, now, parked, poison, rendezvous};
use transputer_core::clock::Clock;
use transputer_core::{
    Options, Overflow, Poison, PoisonKind, ReceiveError, ReceiveTimeoutError, SendError,
    SendTimeoutError, TryReceiveError, TrySendError, channel,
};

#[test]
fn rendezvous_completes_when_a_receiver_has_the_message() {
    let (sender, receiver) = rendezvous();
    assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
    let mut send = parked(sender.send(2));
    assert_eq!(sender.statistics().sent, 0, "offered is not sent");
    assert_eq!(receiver.try_receive(), Ok(2));
    assert_eq!(send.woken(), Ok(()));

    let mut receive = parked(receiver.receive());
    assert_eq!(sender.try_send(3), Ok(()));
    assert_eq!(receive.woken(), Ok(3));
}

#[test]
fn rendezvous_is_not_a_buffer_of_one_plus_an_acknowledgement() {
    let (sender, receiver) = rendezvous();
    let mut first = parked(sender.send(1));
    let mut second = parked(sender.send(2));
    assert_eq!(now(receiver.receive()), Ok(1));
    assert_eq!(first.woken(), Ok(()));
    second.waits();
    assert_eq!(sender.statistics().waiting, 0);
    assert_eq!(now(receiver.receive()), Ok(2));
    assert_eq!(second.woken(), Ok(()));
}

#[test]
fn bounded_buffers_its_capacity_and_no_more() {
    let (sender, receiver) = bounded(2);
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(now(sender.send(2)), Ok(()));
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
    let mut send = parked(sender.send(4));
    assert_eq!(receiver.try_receive(), Ok(1));
    assert_eq!(send.woken(), Ok(()), "there is room");
    assert_eq!(sender.statistics().waiting, 2);
    assert_eq!(receiver.try_receive(), Ok(2));
    assert_eq!(receiver.try_receive(), Ok(4));
    assert_eq!(receiver.try_receive(), Err(TryReceiveError::Empty));
}

#[test]
fn waiting_senders_are_served_first_in_first_out() {
    for capacity in 0..3 {
        let (sender, receiver) = bounded(capacity);
        for n in 0..capacity as u64 {
            sender.try_send(n).unwrap();
        }
        let first = capacity as u64;
        let mut sends: Vec<_> = (first..first + 4).map(|n| parked(sender.send(n))).collect();
        assert_eq!(
            sender.try_send(99),
            Err(TrySendError::Full(99)),
            "a newcomer passes nobody"
        );
        for n in 0..first + 4 {
            assert_eq!(receiver.try_receive(), Ok(n), "capacity {capacity}");
        }
        for send in &mut sends {
            assert_eq!(send.woken(), Ok(()));
        }
    }
}

#[test]
fn waiting_receivers_are_served_first_in_first_out() {
    for capacity in 0..3 {
        let (sender, receiver) = bounded(capacity);
        let mut receives: Vec<_> = (0..4).map(|_| parked(receiver.receive())).collect();
        for n in 0..4 {
            assert_eq!(sender.try_send(n), Ok(()));
        }
        for (n, receive) in receives.iter_mut().enumerate() {
            assert_eq!(receive.woken(), Ok(n as u64));
        }
    }
}

#[test]
fn drop_oldest_keeps_the_newest_and_counts() {
    let (sender, receiver) = channel(Options::bounded(2).overflow(Overflow::DropOldest));
    for n in 0..5u64 {
        assert_eq!(sender.try_send(n), Ok(()));
    }
    let seen = receiver.statistics();
    assert_eq!((seen.sent, seen.received), (5, 0));
    assert_eq!((seen.dropped, seen.waiting), (3, 2));
    assert_eq!(receiver.try_receive(), Ok(3));
    assert_eq!(receiver.try_receive(), Ok(4));
}

#[test]
fn drop_newest_keeps_the_oldest_and_counts() {
    let (sender, receiver) = channel(Options::bounded(2).overflow(Overflow::DropNewest));
    for n in 0..5u64 {
        assert_eq!(now(sender.send(n)), Ok(()));
    }
    assert_eq!(receiver.statistics().dropped, 3);
    assert_eq!(receiver.try_receive(), Ok(0));
    assert_eq!(receiver.try_receive(), Ok(1));
    assert_eq!(receiver.try_receive(), Err(TryReceiveError::Empty));
}

#[test]
fn a_rendezvous_blocks_whatever_its_overflow() {
    let (sender, receiver) = channel(Options::rendezvous().overflow(Overflow::DropNewest));
    let mut send = parked(sender.send(1u64));
    assert_eq!(receiver.try_receive(), Ok(1));
    assert_eq!(send.woken(), Ok(()));
}

#[test]
fn closed_by_senders_drains_then_ends() {
    let (sender, receiver) = bounded(2);
    let other = sender.clone();
    sender.try_send(1).unwrap();
    drop(sender);
    other.try_send(2).unwrap();
    drop(other);
    assert_eq!(receiver.try_receive(), Ok(1));
    assert_eq!(now(receiver.receive()), Ok(2));
    assert_eq!(receiver.try_receive(), Err(TryReceiveError::Closed));
    assert_eq!(now(receiver.receive()), Err(ReceiveError::Closed));
}

#[test]
fn closing_wakes_waiting_receivers() {
    let (sender, receiver) = rendezvous();
    let mut receives: Vec<_> = (0..3).map(|_| parked(receiver.receive())).collect();
    drop(sender);
    for receive in &mut receives {
        assert_eq!(receive.woken(), Err(ReceiveError::Closed));
    }
}

#[test]
fn closed_by_receivers_gives_messages_back() {
    let (sender, receiver) = bounded(1);
    sender.try_send(1).unwrap();
    let mut send = parked(sender.send(2));
    drop(receiver);
    assert_eq!(send.woken(), Err(SendError::Closed(2)));
    assert_eq!(sender.try_send(3), Err(TrySendError::Closed(3)));
    assert_eq!(now(sender.send(4)), Err(SendError::Closed(4)));
    assert_eq!(
        sender.statistics().dropped,
        1,
        "the buffered one is counted"
    );
}

/// futures-rs#909: a send that reports success while the receiver goes away.
#[test]
fn close_against_a_send_in_flight_is_received_or_given_back() {
    let (sender, receiver) = rendezvous();
    let mut receive = parked(receiver.receive());
    assert_eq!(sender.try_send(1), Ok(()));
    drop(sender);
    assert_eq!(
        receive.woken(),
        Ok(1),
        "what was handed over stays received"
    );
    assert_eq!(now(receiver.receive()), Err(ReceiveError::Closed));
}

#[test]
fn poison_discards_and_wakes_both_sides() {
    let (sender, receiver) = bounded(1);
    sender.try_send(1).unwrap();
    let mut send = parked(sender.send(2));
    assert!(receiver.poison(poison("bad weather")));
    assert_eq!(
        send.woken(),
        Err(SendError::Poisoned(2, poison("bad weather")))
    );
    assert_eq!(
        receiver.try_receive(),
        Err(TryReceiveError::Poisoned(poison("bad weather")))
    );
    assert_eq!(
        sender.try_send(3),
        Err(TrySendError::Poisoned(3, poison("bad weather")))
    );
    assert_eq!(sender.statistics().dropped, 1);

    let (sender, receiver) = rendezvous();
    let mut receives = [parked(receiver.receive()), parked(receiver.receive())];
    assert!(sender.poison(Poison::new(PoisonKind::PeerTrapped, "unreachable")));
    for receive in &mut receives {
        let Err(ReceiveError::Poisoned(why)) = receive.woken() else {
            panic!("not poisoned");
        };
        assert_eq!(why.kind, PoisonKind::PeerTrapped);
        assert_eq!(&*why.reason, "unreachable");
    }
}

#[test]
fn poison_waits_behind_what_is_to_be_delivered_first() {
    let (sender, receiver) = channel(Options::bounded(2).deliver_before_poison());
    sender.try_send(1).unwrap();
    sender.try_send(2).unwrap();
    let mut send = parked(sender.send(3));
    assert!(sender.poison(poison("bad weather")));
    assert_eq!(
        send.woken(),
        Err(SendError::Poisoned(3, poison("bad weather")))
    );
    assert_eq!(
        sender.try_send(4),
        Err(TrySendError::Poisoned(4, poison("bad weather")))
    );
    assert!(!receiver.is_ended());
    assert_eq!(now(receiver.receive()), Ok(1));
    // A receive that is given up puts its message back.
    receiver.put_back(1);
    assert_eq!(receiver.try_receive(), Ok(1));
    assert_eq!(receiver.try_receive(), Ok(2));
    assert!(receiver.is_ended());
    assert_eq!(
        receiver.try_receive(),
        Err(TryReceiveError::Poisoned(poison("bad weather")))
    );
    assert_eq!(
        now(receiver.receive()),
        Err(ReceiveError::Poisoned(poison("bad weather")))
    );

    let (sender, receiver) = channel(Options::bounded(1).deliver_before_poison());
    sender.try_send(1).unwrap();
    assert!(receiver.poison(poison("bad weather")));
    drop(receiver);
    assert_eq!(sender.statistics().dropped, 1);
    assert_eq!(sender.statistics().waiting, 0);
}

#[test]
fn poison_is_idempotent() {
    let (sender, receiver) = bounded(1);
    assert_eq!(sender.poisoned(), None);
    assert!(sender.poison(poison("first")));
    assert!(!sender.poison(poison("second")));
    assert!(!receiver.inspect().poison(poison("third")));
    assert_eq!(receiver.poisoned(), Some(poison("first")));
    assert_eq!(
        receiver.try_receive(),
        Err(TryReceiveError::Poisoned(poison("first")))
    );
}

#[test]
fn poison_never_overwrites_a_committed_match() {
    let (sender, receiver) = rendezvous();
    let mut receive = parked(receiver.receive());
    sender.try_send(1).unwrap();
    sender.poison(poison("late"));
    assert_eq!(receive.woken(), Ok(1));

    let (sender, receiver) = rendezvous();
    let mut send = parked(sender.send(2));
    assert_eq!(receiver.try_receive(), Ok(2));
    receiver.poison(poison("late"));
    assert_eq!(send.woken(), Ok(()));
}

#[test]
fn poison_comes_before_closed() {
    let (sender, receiver) = bounded(4);
    sender.try_send(1).unwrap();
    drop(sender);
    receiver.poison(poison("p"));
    assert_eq!(
        receiver.try_receive(),
        Err(TryReceiveError::Poisoned(poison("p")))
    );
}

#[test]
fn deadlines_give_the_message_back() {
    let clock = Clock::manual();
    let (sender, receiver) = rendezvous();
    let mut send = parked(sender.send_by(1, clock.sleep(Duration::from_secs(1))));
    clock.advance(Duration::from_secs(1));
    assert_eq!(send.woken(), Err(SendTimeoutError::TimedOut(1)));
    drop(send);
    let mut receive = parked(receiver.receive_by(clock.sleep(Duration::from_secs(1))));
    clock.advance(Duration::from_secs(1));
    assert_eq!(receive.woken(), Err(ReceiveTimeoutError::TimedOut));
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    assert_eq!(receiver.try_receive(), Err(TryReceiveError::Empty));
}

#[test]
fn a_delivery_beats_a_simultaneous_timeout() {
    let clock = Clock::manual();
    let (sender, receiver) = rendezvous();
    let mut receive = parked(receiver.receive_by(clock.sleep(Duration::from_secs(1))));
    clock.advance(Duration::from_secs(1));
    sender.try_send(1).unwrap();
    assert_eq!(receive.ready(), Ok(1));

    let mut send = parked(sender.send_by(2, clock.sleep(Duration::from_secs(1))));
    assert_eq!(receiver.try_receive(), Ok(2));
    clock.advance(Duration::from_secs(1));
    assert_eq!(send.ready(), Ok(()));
}

#[test]
fn what_is_ready_is_done_past_the_deadline() {
    let clock = Clock::manual();
    clock.advance(Duration::from_secs(9));
    let (sender, receiver) = bounded(1);
    let past = || clock.sleep_until(transputer_core::clock::Time::ZERO);
    assert_eq!(now(sender.send_by(1, past())), Ok(()));
    assert_eq!(
        now(sender.send_by(2, past())),
        Err(SendTimeoutError::TimedOut(2))
    );
    assert_eq!(now(receiver.receive_by(past())), Ok(1));
    assert_eq!(
        now(receiver.receive_by(past())),
        Err(ReceiveTimeoutError::TimedOut)
    );
}

#[test]
fn a_timed_out_receiver_strands_no_message() {
    let clock = Clock::manual();
    let (sender, receiver) = rendezvous();
    let mut timed = parked(receiver.receive_by(clock.sleep(Duration::from_secs(1))));
    let mut patient = parked(receiver.receive());
    clock.advance(Duration::from_secs(1));
    assert_eq!(timed.woken(), Err(ReceiveTimeoutError::TimedOut));
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(patient.woken(), Ok(1));
}

#[test]
fn errors_say_what_happened() {
    let trapped = || Poison::new(PoisonKind::PeerTrapped, "unreachable executed");
    assert_eq!(
        ReceiveError::Poisoned(trapped()).to_string(),
        "a process at this channel trapped: unreachable executed"
    );
    assert_eq!(
        TrySendError::Poisoned(7, trapped()).to_string(),
        "the message was not sent: a process at this channel trapped: unreachable executed"
    );
    let too_large = SendError::TooLarge {
        message: (),
        size: 9,
        limit: 8,
    };
    assert_eq!(
        too_large.to_string(),
        "the message was not sent: it has 9 bytes, but the channel holds 8 at most"
    );
}
