//! Counting ends, knowing who holds them, limits, and what reports see.
#![cfg(not(loom))]

mod channel_support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use channel_support::{bounded, now, parked, rendezvous};
use transputer_core::channel::Reason;
use transputer_core::clock::Clock;
use transputer_core::{
    Alternation, Guard, Holder, Options, Order, Overflow, Payload, Poison, ProcessId, ReceiveError,
    Receiver, SendError, Side, TryReceiveError, TrySendError, channel,
};

fn process(number: u64) -> Holder {
    Holder::Process(ProcessId(number))
}

#[test]
fn ends_are_counted_not_named() {
    let (sender, receiver) = bounded(1);
    let other = sender.clone();
    assert!(!sender.is_sole());
    drop(sender);
    assert!(other.is_sole());
    assert_eq!(receiver.try_receive(), Err(TryReceiveError::Empty));
    let second = receiver.clone_for(process(1));
    assert!(second.same_channel(&receiver));
    drop(receiver);
    assert_eq!(other.try_send(1), Ok(()), "one receiver is left");
    drop(second);
    assert_eq!(other.try_send(2), Err(TrySendError::Closed(2)));
}

#[test]
fn what_is_kept_alive_goes_with_the_last_end_whoever_looks() {
    let kept = Arc::new(());
    let (sender, receiver) = channel::<u64>(Options::bounded(1).keep_alive(kept.clone()));
    let look = sender.inspect();
    drop(receiver);
    assert_eq!(Arc::strong_count(&kept), 2, "the channel has an end");
    drop(sender);
    assert_eq!(Arc::strong_count(&kept), 1);
    assert_eq!(look.snapshot().senders, []);
}

#[test]
fn holders_follow_the_ends() {
    let (sender, receiver) = rendezvous();
    assert_eq!(sender.holder(), Holder::Host);
    sender.set_holder(process(1));
    let copy = sender.clone();
    assert_eq!(copy.holder(), process(1));
    receiver.set_holder(Holder::Transit(sender.id()));
    let look = receiver.inspect().snapshot();
    assert_eq!(look.senders, [process(1), process(1)]);
    assert_eq!(look.receivers, [Holder::Transit(sender.id())]);
    drop(sender);
    copy.set_holder(process(2));
    assert_eq!(copy.inspect().snapshot().senders, [process(2)]);
}

#[test]
fn a_look_shows_who_waits() {
    let clock = Clock::manual();
    let (sender, receiver) = channel::<u64>(Options::rendezvous().label("numbers"));
    sender.set_holder(process(1));
    let probe = sender.inspect();
    assert_eq!(probe.id(), receiver.id());
    assert_eq!(probe.label().as_deref(), Some("numbers"));

    let first = parked(sender.send(1));
    let other = sender.clone_for(process(2));
    let timed = parked(other.send_by(2, clock.sleep(Duration::from_secs(1))));
    let waiting = probe.snapshot().waiting;
    assert_eq!(waiting.len(), 2);
    assert_eq!((waiting[0].holder, waiting[0].timed), (process(1), false));
    assert_eq!((waiting[1].holder, waiting[1].timed), (process(2), true));
    assert!(waiting.iter().all(|wait| wait.side == Side::Send));
    assert_eq!(probe.snapshot().waiting, waiting, "the same waits");

    drop(first);
    let again = parked(sender.send(1));
    assert_ne!(probe.snapshot().waiting[1].ticket, waiting[0].ticket);
    drop((again, timed));
    assert_eq!(probe.snapshot().waiting, []);
    let receive = parked(receiver.receive());
    assert_eq!(probe.snapshot().waiting[0].side, Side::Receive);
    drop(receive);
}

#[test]
fn a_look_leaves_out_alternations_that_are_served() {
    let (sender_a, a) = rendezvous();
    let (_sender_b, b) = rendezvous();
    let mut alternation = Alternation::new(Order::Priority);
    let mut wait = parked(alternation.wait(vec![Guard::Receive(&a), Guard::Receive(&b)]));
    assert_eq!(b.inspect().snapshot().waiting.len(), 1);
    sender_a.try_send(1).unwrap();
    assert_eq!(b.inspect().snapshot().waiting, [], "claimed elsewhere");
    assert_eq!(wait.woken().guard, 0);
}

#[test]
fn waiting_operations_are_limited() {
    let (sender, receiver) = channel::<u64>(Options::rendezvous().max_waiting(2));
    let sends = [parked(sender.send(1)), parked(sender.send(2))];
    assert_eq!(
        now(sender.send(3)),
        Err(SendError::Overloaded {
            message: 3,
            limit: 2
        })
    );
    drop(sends);
    let mut receives = [parked(receiver.receive()), parked(receiver.receive())];
    assert_eq!(
        now(receiver.receive()),
        Err(ReceiveError::Overloaded { limit: 2 })
    );
    sender.try_send(4).unwrap();
    assert_eq!(receives[0].woken(), Ok(4));
    let _waits = parked(receiver.receive());
}

#[test]
fn buffered_bytes_are_limited() {
    for overflow in [Overflow::Block, Overflow::DropOldest, Overflow::DropNewest] {
        let options = Options::bounded(9).max_bytes(10).overflow(overflow);
        let (sender, receiver) = channel(options);
        sender.try_send(vec![0u8; 10]).unwrap();
        let too_large = TrySendError::TooLarge {
            message: vec![0; 11],
            size: 11,
            limit: 10,
        };
        assert_eq!(
            sender.try_send(vec![0; 11]),
            Err(too_large),
            "it never fits"
        );
        if overflow == Overflow::Block {
            let mut send = parked(sender.send(vec![1]));
            assert_eq!(receiver.try_receive(), Ok(vec![0; 10]));
            assert_eq!(send.woken(), Ok(()));
        } else {
            assert_eq!(now(sender.send(vec![1])), Ok(()));
            assert_eq!(receiver.statistics().dropped, 1);
        }
    }
    let (sender, _receiver) = channel(Options::rendezvous().max_bytes(3));
    let too_large = SendError::TooLarge {
        message: "four",
        size: 4,
        limit: 3,
    };
    assert_eq!(now(sender.send("four")), Err(too_large));
}

#[test]
fn small_messages_do_not_pass_a_large_one_that_waits() {
    let (sender, receiver) = channel(Options::bounded(9).max_bytes(10));
    sender.try_send(vec![1u8; 6]).unwrap();
    let mut large = parked(sender.send(vec![2; 8]));
    assert_eq!(
        sender.try_send(vec![3; 1]),
        Err(TrySendError::Full(vec![3; 1]))
    );
    let mut small = parked(sender.send(vec![4; 1]));
    assert_eq!(receiver.try_receive(), Ok(vec![1; 6]));
    assert_eq!(large.woken(), Ok(()));
    assert_eq!(small.woken(), Ok(()));
    assert_eq!(receiver.drain(9, |_| true), [vec![2; 8], vec![4; 1]]);
}

#[test]
fn a_burst_gives_its_memory_back() {
    let (sender, receiver) = bounded(10_000);
    let used = allocation_counter::measure(|| {
        for n in 0..10_000 {
            sender.try_send(n).unwrap();
        }
        for n in 0..10_000 {
            assert_eq!(receiver.try_receive(), Ok(n));
        }
    });
    assert!(used.bytes_max > 0, "{used:?}");
    assert_eq!(used.bytes_current, 0, "{used:?}");
}

#[test]
fn an_alternation_in_a_loop_keeps_no_entries() {
    let (_sender, receiver) = channel::<u64>(Options::rendezvous().max_waiting(1));
    let mut alternation = Alternation::new(Order::Fair);
    for _ in 0..1_000 {
        let wait = parked(alternation.wait(vec![Guard::Receive(&receiver)]));
        assert_eq!(receiver.inspect().snapshot().waiting.len(), 1);
        drop(wait);
    }
    assert_eq!(receiver.inspect().snapshot().waiting, []);
}

/// A message that carries an end.
struct Parcel(#[allow(dead_code, reason = "held, not used")] Receiver<Parcel>);

impl Payload for Parcel {
    type Batch = std::collections::VecDeque<Self>;

    fn size(&self) -> usize {
        0
    }
}

#[test]
fn ends_inside_undelivered_messages_are_dropped_with_them() {
    let (carrier, deliveries) = channel(Options::bounded(1));
    let (sender, receiver) = channel(Options::rendezvous());
    carrier.try_send(Parcel(receiver)).unwrap();
    drop(deliveries);
    let (_other, unused) = channel(Options::rendezvous());
    assert!(matches!(
        sender.try_send(Parcel(unused)),
        Err(TrySendError::Closed(_))
    ));
}

#[test]
fn discarding_opens_the_cycle_of_a_channel_that_holds_its_own_end() {
    let (sender, receiver) = channel(Options::bounded(1));
    let probe = sender.inspect();
    assert!(sender.try_send(Parcel(receiver)).is_ok());
    assert_eq!(probe.snapshot().receivers.len(), 1);
    probe.discard();
    assert_eq!(probe.snapshot().receivers, []);
    assert_eq!(probe.statistics().dropped, 1);
    let (_other, unused) = channel(Options::rendezvous());
    assert!(matches!(
        sender.try_send(Parcel(unused)),
        Err(TrySendError::Closed(_))
    ));
}

#[test]
fn poison_may_drop_ends_of_the_same_channel() {
    let (sender, receiver) = channel(Options::bounded(2));
    let copy = receiver.clone();
    assert!(sender.try_send(Parcel(copy)).is_ok());
    assert!(receiver.poison(channel_support::poison("p")));
    assert!(receiver.is_sole());
}

/// A message that writes down why nobody received it.
#[derive(Clone, Debug, Default)]
struct Letter(Arc<Mutex<Vec<Reason>>>);

impl Letter {
    fn told(&self) -> Vec<Reason> {
        self.0.lock().unwrap().clone()
    }
}

impl Payload for Letter {
    type Batch = std::collections::VecDeque<Self>;

    fn size(&self) -> usize {
        0
    }

    fn undelivered(&mut self, poison: &Poison) {
        self.0.lock().unwrap().push(poison.reason.clone());
    }
}

#[test]
fn messages_that_poison_drops_are_told_why() {
    let (sender, receiver) = channel(Options::bounded(2));
    let (first, second, third) = (Letter::default(), Letter::default(), Letter::default());
    sender.try_send(first.clone()).unwrap();
    sender.try_send(second.clone()).unwrap();
    let waiting = parked(sender.send(third.clone()));
    receiver.poison(channel_support::poison("p"));
    assert_eq!(first.told(), ["p".into()]);
    assert_eq!(second.told(), ["p".into()]);
    drop(waiting);
    assert!(third.told().is_empty(), "its sender has it back");

    // It had been handed over when the poison came, and comes back too late.
    let (sender, receiver) = channel(Options::rendezvous());
    let receives = parked(receiver.receive());
    let late = Letter::default();
    sender.try_send(late.clone()).unwrap();
    receiver.poison(channel_support::poison("q"));
    drop(receives);
    assert_eq!(late.told(), ["q".into()]);
}

#[test]
fn messages_that_are_dropped_otherwise_are_told_nothing() {
    let (sender, receiver) = channel(Options::bounded(1).overflow(Overflow::DropOldest));
    let (first, second) = (Letter::default(), Letter::default());
    sender.try_send(first.clone()).unwrap();
    sender.try_send(second.clone()).unwrap();
    drop(receiver);
    assert_eq!(sender.statistics().dropped, 2);
    assert!(first.told().is_empty() && second.told().is_empty());
}
