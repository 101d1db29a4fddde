//! What alternation promises.
#![cfg(not(loom))]

mod channel_support;

use std::time::Duration;

use channel_support::{Polled, bounded, now, parked, poison, rendezvous};
use transputer_core::clock::Clock;
use transputer_core::{
    Alternation, Chosen, Guard, GuardError, Options, Order, Outcome, Receiver, Sender,
    TryReceiveError, TrySendError, channel,
};

fn priority() -> Alternation {
    Alternation::new(Order::Priority)
}

/// The guard that won, what became of it, and what was not sent.
type Parts = (usize, Outcome<u64>, Vec<(usize, u64)>);

fn parts(chosen: Chosen<u64>) -> Parts {
    (chosen.guard, chosen.outcome, chosen.unsent)
}

fn received(guard: usize, message: u64) -> Parts {
    (guard, Outcome::Received(message), Vec::new())
}

fn sent(guard: usize) -> Parts {
    (guard, Outcome::Sent, Vec::new())
}

#[test]
fn takes_what_is_ready() {
    let (full, full_receiver) = bounded(1);
    full.try_send(1).unwrap();
    let (_idle, idle_receiver) = rendezvous();
    let guards = vec![
        Guard::Receive(&idle_receiver),
        Guard::Receive(&full_receiver),
    ];
    assert_eq!(parts(now(priority().wait(guards))), received(1, 1));
}

#[test]
fn sends_where_there_is_room_or_a_receiver() {
    let (sender, receiver) = bounded(1);
    assert_eq!(
        parts(now(priority().wait(vec![Guard::Send(&sender, 1)]))),
        sent(0)
    );
    assert_eq!(receiver.try_receive(), Ok(1));
    let (sender, receiver) = rendezvous();
    let mut receive = parked(receiver.receive());
    assert_eq!(
        parts(now(priority().wait(vec![Guard::Send(&sender, 2)]))),
        sent(0)
    );
    assert_eq!(receive.woken(), Ok(2));
}

#[test]
fn a_waiting_alternation_is_handed_the_value() {
    let (a, a_receiver) = rendezvous();
    let (b, b_receiver) = rendezvous();
    let mut alternation = priority();
    let guards = vec![Guard::Receive(&a_receiver), Guard::Receive(&b_receiver)];
    let mut wait = parked(alternation.wait(guards));
    assert_eq!(b.try_send(7), Ok(()));
    assert_eq!(a.try_send(8), Err(TrySendError::Full(8)));
    assert_eq!(parts(wait.woken()), received(1, 7));
}

#[test]
fn a_waiting_alternation_sends_when_somebody_receives() {
    let (a, a_receiver) = rendezvous();
    let (b, b_receiver) = rendezvous();
    let mut alternation = priority();
    let mut wait = parked(alternation.wait(vec![Guard::Send(&a, 1), Guard::Send(&b, 2)]));
    assert_eq!(b_receiver.try_receive(), Ok(2));
    assert_eq!(a_receiver.try_receive(), Err(TryReceiveError::Empty));
    let chosen = wait.woken();
    assert_eq!((chosen.guard, chosen.outcome), (1, Outcome::Sent));
    assert_eq!(chosen.unsent, [(0, 1)], "the loser's message comes back");
}

#[test]
fn a_waiting_alternation_sends_into_a_buffer_when_there_is_room() {
    let (sender, receiver) = bounded(1);
    sender.try_send(1).unwrap();
    let mut alternation = priority();
    let mut wait = parked(alternation.wait(vec![Guard::Send(&sender, 2)]));
    assert_eq!(receiver.try_receive(), Ok(1));
    assert_eq!(parts(wait.woken()), sent(0));
    assert_eq!(receiver.try_receive(), Ok(2));
}

/// BurntSushi/chan#20: both counterparts of one alternation believe that they have won.
#[test]
fn never_two_winners() {
    let (a, a_receiver) = rendezvous();
    let (b, b_receiver) = rendezvous();
    let mut first = priority();
    let mut second = priority();
    let mut one = parked(first.wait(vec![
        Guard::Receive(&a_receiver),
        Guard::Receive(&b_receiver),
    ]));
    // An alternation is the counterpart of an alternation, at both channels.
    let chosen = now(second.wait(vec![Guard::Send(&a, 1), Guard::Send(&b, 2)]));
    assert_eq!((chosen.guard, chosen.outcome), (0, Outcome::Sent));
    assert_eq!(chosen.unsent, [(1, 2)]);
    assert_eq!(b.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(parts(one.woken()), received(0, 1));
    assert_eq!(a.statistics().sent + b.statistics().sent, 1);
}

/// Two alternations that name the same channels in opposite orders, on two threads.
#[test]
fn locks_by_channel_not_by_guard() {
    let (a, a_receiver) = rendezvous();
    let (b, b_receiver) = rendezvous();
    const ROUNDS: u64 = 2_000;
    let there = std::thread::spawn(move || {
        let mut alternation = Alternation::seeded(Order::Fair, 1);
        for n in 0..ROUNDS {
            alternation.wait_blocking(vec![Guard::Send(&a, n), Guard::Send(&b, n)]);
        }
    });
    let mut alternation = Alternation::seeded(Order::Fair, 2);
    for n in 0..ROUNDS {
        let guards = vec![Guard::Receive(&b_receiver), Guard::Receive(&a_receiver)];
        let chosen = alternation.wait_blocking(guards);
        assert_eq!(chosen.outcome, Outcome::Received(n));
    }
    there.join().unwrap();
}

#[test]
fn never_meets_itself() {
    let (sender, receiver) = rendezvous();
    let mut alternation = priority();
    let both = |sender, receiver| {
        vec![
            Guard::Send(sender, 1u64),
            Guard::Receive(receiver),
            Guard::Receive(receiver),
            Guard::Send(sender, 2),
        ]
    };
    let mut wait = parked(alternation.wait(both(&sender, &receiver)));
    assert_eq!(sender.try_send(9), Ok(()), "somebody else may");
    let chosen = wait.woken();
    assert_eq!((chosen.guard, chosen.outcome), (1, Outcome::Received(9)));
    assert_eq!(chosen.unsent, [(0, 1), (3, 2)]);
    drop(wait);

    let mut wait = parked(alternation.wait(both(&sender, &receiver)));
    assert_eq!(receiver.try_receive(), Ok(1));
    assert_eq!(wait.woken().guard, 0);
    assert_eq!(receiver.inspect().snapshot().waiting, []);
}

#[test]
fn one_that_serves_both_its_ends_meets_another() {
    let (sender, receiver) = rendezvous();
    let (mut first, mut second) = (priority(), priority());
    let guards = || vec![Guard::Send(&sender, 1), Guard::Receive(&receiver)];
    let mut one = parked(first.wait(guards()));
    let two = now(second.wait(guards()));
    assert_eq!((two.guard, two.outcome), (0, Outcome::Sent));
    let one = one.woken();
    assert_eq!((one.guard, one.outcome), (1, Outcome::Received(1)));
}

/// Go issue 2075: the loser that stood last in a queue was left there.
#[test]
fn losers_leave_every_queue_the_last_included() {
    let (a, a_receiver) = rendezvous();
    let (b, b_receiver) = rendezvous();
    for place in 0..3 {
        let mut alternation = priority();
        let mut before: Vec<_> = (0..place).map(|_| parked(b_receiver.receive())).collect();
        let guards = vec![Guard::Receive(&a_receiver), Guard::Receive(&b_receiver)];
        let mut wait = parked(alternation.wait(guards));
        let mut after: Vec<_> = (place..2).map(|_| parked(b_receiver.receive())).collect();
        a.try_send(1).unwrap();
        assert_eq!(parts(wait.woken()), received(0, 1));
        let mut last = parked(b_receiver.receive());
        for receive in before.iter_mut().chain(&mut after) {
            b.try_send(2).unwrap();
            assert_eq!(receive.woken(), Ok(2));
        }
        b.try_send(3).unwrap();
        assert_eq!(last.woken(), Ok(3), "place {place}");
        assert_eq!(b.inspect().snapshot().waiting, []);
    }
}

/// One that is woken by B must not take A: B's counterpart would wait for ever.
#[test]
fn no_stolen_wake_ups() {
    let (a, a_receiver) = bounded(1);
    let (b, b_receiver) = rendezvous();
    let mut alternation = priority();
    let guards = vec![Guard::Receive(&a_receiver), Guard::Receive(&b_receiver)];
    let mut wait = parked(alternation.wait(guards));
    b.try_send(2).unwrap();
    a.try_send(1).unwrap();
    assert_eq!(parts(wait.woken()), received(1, 2), "B was handed over");
    assert_eq!(a_receiver.try_receive(), Ok(1), "A is untouched");
}

#[test]
fn closing_wakes_a_waiting_alternation() {
    let (a, a_receiver) = rendezvous();
    let (b, b_receiver) = rendezvous();
    let mut alternation = priority();
    let guards = vec![Guard::Receive(&a_receiver), Guard::Send(&b, 5)];
    let mut wait = parked(alternation.wait(guards));
    drop(b_receiver);
    let chosen = wait.woken();
    assert_eq!(chosen.guard, 1);
    assert_eq!(chosen.outcome, Outcome::Failed(GuardError::Closed));
    assert_eq!(chosen.unsent, [(1, 5)]);
    drop((a, wait));
    let chosen = now(alternation.wait(vec![Guard::Receive(&a_receiver)]));
    assert_eq!(chosen.outcome, Outcome::Failed(GuardError::Closed));
}

#[test]
fn poison_wakes_a_waiting_alternation() {
    let (a, a_receiver) = rendezvous();
    let mut alternation = priority();
    let mut wait = parked(alternation.wait(vec![Guard::Receive(&a_receiver)]));
    a.poison(poison("p"));
    assert_eq!(
        wait.woken().outcome,
        Outcome::Failed(GuardError::Poisoned(poison("p")))
    );
}

#[test]
fn an_end_of_a_channel_never_replaces_a_delivery() {
    let (a, a_receiver) = rendezvous();
    let (b, b_receiver) = rendezvous();
    let mut alternation = priority();
    let guards = vec![Guard::Receive(&a_receiver), Guard::Receive(&b_receiver)];
    let mut wait = parked(alternation.wait(guards));
    b.try_send(1).unwrap();
    a.poison(poison("late"));
    b.poison(poison("later"));
    assert_eq!(parts(wait.woken()), received(1, 1));
}

#[test]
fn skip_only_when_nothing_is_ready() {
    let (sender, receiver) = bounded(1);
    for order in [Order::Fair, Order::Priority] {
        let mut alternation = Alternation::seeded(order, 1);
        let guards = || vec![Guard::Skip, Guard::Receive(&receiver)];
        let chosen = now(alternation.wait(guards()));
        assert_eq!((chosen.guard, chosen.outcome), (0, Outcome::Skipped));
        for _ in 0..20 {
            sender.try_send(1).unwrap();
            assert_eq!(parts(now(alternation.wait(guards()))), received(1, 1));
        }
    }
}

#[test]
fn elapses_when_nothing_came() {
    let clock = Clock::manual();
    let (sender, receiver) = rendezvous();
    let mut alternation = priority();
    let mut wait = parked(alternation.wait(vec![
        Guard::After(clock.sleep(Duration::from_secs(2))),
        Guard::Receive(&receiver),
        Guard::After(clock.sleep(Duration::from_secs(1))),
        Guard::Send(&sender, 3),
    ]));
    assert!(
        receiver
            .inspect()
            .snapshot()
            .waiting
            .iter()
            .all(|wait| wait.timed)
    );
    clock.advance(Duration::from_secs(1));
    let chosen = wait.woken();
    assert_eq!((chosen.guard, chosen.outcome), (2, Outcome::Elapsed));
    assert_eq!(chosen.unsent, [(3, 3)]);
    drop(wait);
    assert_eq!(receiver.inspect().snapshot().waiting, []);
    assert_eq!(clock.timers_pending(), 0);
}

#[test]
fn a_delivery_beats_a_simultaneous_timeout() {
    let clock = Clock::manual();
    let (sender, receiver) = rendezvous();
    let mut alternation = priority();
    let second = || Guard::After(clock.sleep(Duration::from_secs(1)));
    let mut wait = parked(alternation.wait(vec![second(), Guard::Receive(&receiver)]));
    clock.advance(Duration::from_secs(1));
    sender.try_send(1).unwrap();
    assert_eq!(parts(wait.ready()), received(1, 1));
    drop(wait);
    let mut wait = parked(alternation.wait(vec![second(), Guard::Send(&sender, 2)]));
    assert_eq!(receiver.try_receive(), Ok(2));
    clock.advance(Duration::from_secs(1));
    assert_eq!(parts(wait.ready()), sent(1));
}

#[test]
fn a_communication_comes_before_an_elapsed_time() {
    let clock = Clock::manual();
    let (sender, receiver) = bounded(1);
    sender.try_send(1).unwrap();
    let guards = || {
        vec![
            Guard::After(clock.sleep(Duration::ZERO)),
            Guard::Receive(&receiver),
        ]
    };
    assert_eq!(parts(now(priority().wait(guards()))), received(1, 1));
    assert_eq!(now(priority().wait(guards())).outcome, Outcome::Elapsed);
}

/// eio#356, trio#1411: a choice made of cancelled receives loses messages.
#[test]
fn cancelling_loses_nothing() {
    let (a, a_receiver) = rendezvous();
    let (b, b_receiver) = rendezvous();
    let mut alternation = priority();
    let guards = || vec![Guard::Receive(&a_receiver), Guard::Receive(&b_receiver)];
    let wait = parked(alternation.wait(guards()));
    b.try_send(1).unwrap();
    drop(wait);
    assert_eq!(b_receiver.try_receive(), Ok(1), "back in its channel");

    let wait = parked(alternation.wait(guards()));
    let mut next = parked(b_receiver.receive());
    b.try_send(2).unwrap();
    drop(wait);
    assert_eq!(next.woken(), Ok(2), "or with the next receiver");

    let wait = parked(alternation.wait(vec![Guard::Send(&a, 3), Guard::Send(&b, 4)]));
    drop(wait);
    assert_eq!(a_receiver.try_receive(), Err(TryReceiveError::Empty));
    assert_eq!(b_receiver.try_receive(), Err(TryReceiveError::Empty));
}

#[test]
fn a_claimed_alternation_blocks_nobody_behind_it() {
    let (a, a_receiver) = rendezvous();
    let (sender, receiver) = channel(Options::bounded(4).max_bytes(10));
    let mut alternation = Alternation::new(Order::Priority);
    let (bytes, bytes_receiver) = channel::<Vec<u8>>(Options::rendezvous());
    sender.try_send(vec![0; 6]).unwrap();
    // A large message waits in an alternation, which then communicates elsewhere.
    let guards = vec![
        Guard::Send(&sender, vec![1; 8]),
        Guard::Receive(&bytes_receiver),
    ];
    let mut wait = parked(alternation.wait(guards));
    let mut small = parked(sender.send(vec![2; 2]));
    bytes.try_send(vec![3]).unwrap();
    // It has not left yet, but it is dead: looking past it must not strand the small one.
    let mut other = priority();
    let guards = vec![Guard::Send(&sender, vec![4; 9]), Guard::Skip];
    assert_eq!(now(other.wait(guards)).outcome, Outcome::Skipped);
    assert_eq!(wait.woken().guard, 1);
    assert_eq!(small.woken(), Ok(()));
    assert_eq!(receiver.drain(9, |_| true), [vec![0; 6], vec![2; 2]]);
    drop((a, a_receiver));
}

#[test]
fn over_the_limit_is_an_error_that_leaves_no_trace() {
    let (_a, a_receiver) = rendezvous();
    let (b, b_receiver) = channel::<u64>(Options::rendezvous().max_waiting(1));
    let occupied = parked(b.send(1));
    let mut alternation = priority();
    let guards = vec![Guard::Receive(&a_receiver), Guard::Send(&b, 2)];
    // B's receiver would be ready, so only the sender's side is named.
    let chosen = now(alternation.wait(guards));
    assert_eq!(chosen.guard, 1);
    let overloaded = GuardError::Overloaded { limit: 1 };
    assert_eq!(chosen.outcome, Outcome::Failed(overloaded));
    assert_eq!(chosen.unsent, [(1, 2)]);
    assert_eq!(a_receiver.inspect().snapshot().waiting, []);
    drop(occupied);
    assert_eq!(b_receiver.inspect().snapshot().waiting, []);
}

#[test]
fn a_message_that_never_fits_fails_its_guard() {
    let (sender, _receiver) = channel(Options::bounded(1).max_bytes(1));
    let chosen = now(priority().wait(vec![Guard::Send(&sender, vec![0u8; 2])]));
    let too_large = GuardError::TooLarge { size: 2, limit: 1 };
    assert_eq!(chosen.outcome, Outcome::Failed(too_large));
}

#[test]
fn without_guards_it_waits_for_ever() {
    let mut alternation = priority();
    let mut wait: Polled<_> = parked(alternation.wait(Vec::<Guard<'_, u64>>::new()));
    wait.waits();
}

#[test]
fn priority_takes_the_first_that_is_ready() {
    let ends: Vec<_> = (0..4).map(|_| bounded(1)).collect();
    for ready in 1u32..16 {
        for (n, (sender, _)) in ends.iter().enumerate() {
            if ready & 1 << n != 0 {
                sender.try_send(n as u64).unwrap();
            }
        }
        let guards = ends.iter().map(|(_, r)| Guard::Receive(r)).collect();
        let first = ready.trailing_zeros() as usize;
        assert_eq!(
            parts(now(priority().wait(guards))),
            received(first, first as u64)
        );
        for (_, receiver) in &ends {
            receiver.drain(9, |_| true);
        }
    }
}

fn shares(order: Order, ends: &[(Sender<u64>, Receiver<u64>)], trials: usize) -> Vec<f64> {
    let mut alternation = Alternation::seeded(order, 20);
    let mut wins = vec![0usize; ends.len()];
    for _ in 0..trials {
        for (sender, _) in ends {
            let _full = sender.try_send(0);
        }
        let guards = ends.iter().map(|(_, r)| Guard::Receive(r)).collect();
        wins[now(alternation.wait(guards)).guard] += 1;
    }
    wins.iter().map(|&n| n as f64 / trials as f64).collect()
}

/// The bound of Go's `TestSelectFairness`: 10,000 trials, five standard deviations.
#[test]
fn fair_is_uniform() {
    let two: Vec<_> = (0..2).map(|_| bounded(1)).collect();
    for share in shares(Order::Fair, &two, 10_000) {
        assert!((share - 0.5).abs() < 0.02446, "{share}");
    }
    let five: Vec<_> = (0..5).map(|_| bounded(1)).collect();
    for share in shares(Order::Fair, &five, 10_000) {
        // Five standard deviations of a share of one fifth.
        assert!((share - 0.2).abs() < 0.02, "{share}");
    }
    assert_eq!(shares(Order::Priority, &two, 100), [1.0, 0.0]);
}

/// Where several guards name one channel, a counterpart meets the first that entered its queue.
#[test]
fn fair_is_uniform_among_waiting_guards_of_one_channel() {
    const TRIALS: usize = 10_000;
    let (sender, receiver) = rendezvous();
    let (_idle, never) = rendezvous();
    for (order, expected) in [(Order::Fair, 0.5), (Order::Priority, 1.0)] {
        let mut alternation = Alternation::seeded(order, 1);
        let mut first = 0;
        for _ in 0..TRIALS {
            let mut waiting = parked(alternation.wait(vec![
                Guard::Send(&sender, 1),
                Guard::Receive(&never),
                Guard::Send(&sender, 2),
            ]));
            first += usize::from(receiver.try_receive() == Ok(1));
            assert_eq!(waiting.woken().outcome, Outcome::Sent);
        }
        let share = first as f64 / TRIALS as f64;
        assert!((share - expected).abs() < 0.02446, "{order:?}: {share}");
    }
}

#[test]
fn one_seed_is_one_sequence_of_choices() {
    let ends: Vec<_> = (0..3).map(|_| bounded(1)).collect();
    let run = |seed| {
        let mut alternation = Alternation::seeded(Order::Fair, seed);
        (0..50)
            .map(|_| {
                for (sender, _) in &ends {
                    let _full = sender.try_send(0);
                }
                let guards = ends.iter().map(|(_, r)| Guard::Receive(r)).collect();
                now(alternation.wait(guards)).guard
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
