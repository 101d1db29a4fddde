//! Deadlocks are found, whole and partial; whatever can still go on is not a deadlock.
#![cfg(not(loom))]

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use transputer_core::clock::Clock;
use transputer_core::deadlock::{self, AwaitedEnd, Awaits, Deadlock, WaitsOn};
use transputer_core::scheduler::{Mode, Scheduler, SchedulerOptions};
use transputer_core::{
    Alternation, Barrier, ChannelId, Guard, Holder, Inspect, Options, Order, Poison, ProcessId,
    Receiver, Sender, Side, Snapshot, Statistics, WaitingOperation, channel,
};

const A: ProcessId = ProcessId(1);
const B: ProcessId = ProcessId(2);
const C: ProcessId = ProcessId(3);
const D: ProcessId = ProcessId(4);

/// What is found, without the times, which no test knows; but each wait must have one.
fn find<A: Into<Awaits>>(
    inspected: &[Arc<dyn Inspect>],
    awaits: impl FnMut() -> A,
) -> Vec<Deadlock> {
    let mut deadlocks = deadlock::find(inspected, awaits);
    for stuck in deadlocks
        .iter_mut()
        .flat_map(|deadlock| &mut deadlock.stuck)
    {
        for wait in &mut stuck.waits {
            assert!(wait.since.take().is_some(), "since when is not known");
        }
    }
    deadlocks
}

/// A rendezvous whose ends are held by these.
fn between(from: impl Into<Option<ProcessId>>, to: impl Into<Option<ProcessId>>) -> Channel {
    let (sender, receiver) = channel(Options::rendezvous());
    sender.set_holder(from.into().map_or(Holder::Host, Holder::Process));
    receiver.set_holder(to.into().map_or(Holder::Host, Holder::Process));
    Channel { sender, receiver }
}

struct Channel {
    sender: Sender<u64>,
    receiver: Receiver<u64>,
}

impl Channel {
    fn id(&self) -> ChannelId {
        self.sender.id()
    }

    fn send(&self) -> Parked<'_> {
        parked(async { drop(self.sender.send(0).await) })
    }

    fn receive(&self) -> Parked<'_> {
        parked(async { drop(self.receiver.receive().await) })
    }
}

/// An operation that waits; dropping it withdraws it.
type Parked<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

fn parked<'a>(operation: impl Future<Output = ()> + 'a) -> Parked<'a> {
    let mut operation: Parked<'a> = Box::pin(operation);
    let polled = operation
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Pending);
    operation
}

fn inspected<const N: usize>(channels: [&Channel; N]) -> Vec<Arc<dyn Inspect>> {
    channels.map(|channel| channel.sender.inspect()).to_vec()
}

fn found<const N: usize>(channels: [&Channel; N]) -> Vec<Deadlock> {
    find(&inspected(channels), Vec::new)
}

/// A wait at one channel or barrier, for one process.
fn assert_waits(
    wait: &WaitsOn,
    channel: ChannelId,
    label: Option<&str>,
    side: Side,
    other: ProcessId,
) {
    assert_eq!((wait.channel, wait.label.as_deref()), (channel, label));
    assert_eq!(
        (wait.side, &wait.others[..]),
        (side, &[Holder::Process(other)][..])
    );
}

/// Who is stuck, and the cycle, of each deadlock.
fn outline(deadlocks: &[Deadlock]) -> Vec<(Vec<ProcessId>, Vec<ProcessId>)> {
    let stuck = |deadlock: &Deadlock| deadlock.stuck.iter().map(|stuck| stuck.process).collect();
    deadlocks
        .iter()
        .map(|deadlock| (stuck(deadlock), deadlock.cycle.clone()))
        .collect()
}

#[test]
fn two_that_wait_for_each_other_are_stuck() {
    let (there, back) = (between(A, B), between(B, A));
    let _a = back.receive();
    assert_eq!(found([&there, &back]), [], "the other may still send");
    let _b = there.receive();
    let deadlocks = found([&there, &back]);
    assert_eq!(outline(&deadlocks), [(vec![A, B], vec![A, B])]);
    let [a, b] = &deadlocks[0].stuck[..] else {
        panic!("two are stuck");
    };
    for (stuck, channel, other) in [(a, &back, B), (b, &there, A)] {
        assert_eq!(stuck.awaits, []);
        assert_eq!(stuck.waits.len(), 1);
        assert_waits(&stuck.waits[0], channel.id(), None, Side::Receive, other);
    }
}

#[test]
fn one_that_holds_the_other_end_itself_is_stuck() {
    let own = between(A, A);
    let _a = own.send();
    assert_eq!(outline(&found([&own])), [(vec![A], vec![A])]);
}

/// Each has one fork and asks for the other's.
#[test]
fn two_philosophers_are_stuck_with_a_fork_each() {
    let fork = |name: &str| {
        let label = Some(Arc::from(name));
        let mut options = Options::bounded(1);
        options.label = label;
        let (sender, receiver) = channel(options);
        Channel { sender, receiver }
    };
    let (left, right) = (fork("left"), fork("right"));
    for fork in [&left, &right] {
        fork.sender.set_holder(Holder::Process(A));
        fork.receiver.set_holder(Holder::Process(A));
    }
    let bs: Vec<_> = [&left, &right]
        .map(|fork| Channel {
            sender: fork.sender.clone_for(Holder::Process(B)),
            receiver: fork.receiver.clone_for(Holder::Process(B)),
        })
        .into();
    // Both forks have been taken out of their channels.
    let _a = right.receive();
    let _b = bs[0].receive();
    let deadlocks = found([&left, &right]);
    assert_eq!(outline(&deadlocks), [(vec![A, B], vec![A, B])]);
    let labels: Vec<_> = deadlocks[0]
        .stuck
        .iter()
        .map(|stuck| stuck.waits[0].label.as_deref())
        .collect();
    assert_eq!(labels, [Some("right"), Some("left")]);
    left.sender.try_send(0).unwrap();
    assert_eq!(found([&left, &right]), [], "a fork was put back");
}

#[test]
fn who_waits_at_a_barrier_for_the_stuck_is_stuck() {
    let barrier = Barrier::new("phase");
    barrier.set_holder(Holder::Process(A));
    let other = barrier.enrol_for(Holder::Process(B));
    let channel = between(A, B);
    let inspected = [barrier.inspect(), channel.sender.inspect()];
    let _a = parked(async { drop(barrier.sync().await) });
    assert_eq!(find(&inspected, Vec::new), [], "the other may still arrive");
    let b = channel.receive();
    let deadlocks = find(&inspected, Vec::new);
    assert_eq!(outline(&deadlocks), [(vec![A, B], vec![A, B])]);
    let waits = &deadlocks[0].stuck[0].waits;
    assert_eq!(waits.len(), 1);
    assert_waits(&waits[0], barrier.id(), Some("phase"), Side::Sync, B);
    drop(b);
    assert_eq!(find(&inspected, Vec::new), []);
    other.set_holder(Holder::Host);
    let _b = channel.receive();
    assert_eq!(find(&inspected, Vec::new), [], "the host may still arrive");
}

#[test]
fn a_member_that_arrived_with_a_deadline_is_live() {
    let clock = Clock::manual();
    let barrier = Barrier::new("phase");
    let members = [A, B, C].map(|process| barrier.enrol_for(Holder::Process(process)));
    barrier.set_holder(Holder::Process(C));
    let _a = parked(async { drop(members[0].sync().await) });
    let timed = parked(async {
        drop(
            members[1]
                .sync_by(clock.sleep(Duration::from_secs(1)))
                .await,
        )
    });
    let own = between(C, C);
    let _c = own.receive();
    let inspected = [barrier.inspect(), own.sender.inspect()];
    assert_eq!(outline(&find(&inspected, Vec::new)), [(vec![C], vec![C])]);
    drop(timed);
    let _b = parked(async { drop(members[1].sync().await) });
    // Both wait for C, which has two memberships.
    assert_eq!(
        outline(&find(&inspected, Vec::new)),
        [(vec![A, B, C], vec![C])]
    );
}

#[test]
fn a_membership_in_a_message_that_can_be_received_is_live() {
    let barrier = Barrier::new("phase");
    barrier.set_holder(Holder::Process(A));
    let moving = barrier.enrol_for(Holder::Process(B));
    let carrier = between(B, C);
    moving.set_holder(Holder::Transit(carrier.id()));
    let _a = parked(async { drop(barrier.sync().await) });
    let inspected = [barrier.inspect(), carrier.sender.inspect()];
    assert_eq!(
        find(&inspected, Vec::new),
        [],
        "C may receive the membership"
    );
}

#[test]
fn a_stuck_part_of_a_live_network_is_found() {
    let (there, back) = (between(A, B), between(B, A));
    let (input, output) = (between(None, C), between(C, None));
    let (_a, _b) = (there.send(), back.send());
    let _c = input.receive();
    let all = [&there, &back, &input, &output];
    assert_eq!(outline(&found(all)), [(vec![A, B], vec![A, B])]);
}

#[test]
fn who_waits_for_the_stuck_is_stuck_too() {
    let (there, back, result) = (between(A, B), between(B, A), between(B, C));
    let (_a, _b, _c) = (there.send(), back.send(), result.receive());
    let deadlocks = found([&there, &back, &result]);
    assert_eq!(outline(&deadlocks), [(vec![A, B, C], vec![A, B])]);
}

#[test]
fn separate_cycles_are_separate_deadlocks() {
    let (ab, ba) = (between(A, B), between(B, A));
    let (cd, dc) = (between(C, D), between(D, C));
    let _all = [ab.send(), ba.send(), cd.send(), dc.send()];
    let mut outlines = outline(&found([&ab, &ba, &cd, &dc]));
    outlines.sort();
    assert_eq!(
        outlines,
        [(vec![A, B], vec![A, B]), (vec![C, D], vec![C, D])]
    );
}

#[test]
fn a_ring_is_a_cycle_in_the_order_of_the_waits() {
    let ring = [between(A, C), between(C, B), between(B, D), between(D, A)];
    let _all: Vec<_> = ring.iter().map(Channel::send).collect();
    let deadlocks = found([&ring[0], &ring[1], &ring[2], &ring[3]]);
    assert_eq!(outline(&deadlocks), [(vec![A, B, C, D], vec![A, C, B, D])]);
}

#[test]
fn an_end_of_the_embedding_program_keeps_all_live() {
    let (there, back) = (between(A, B), between(B, A));
    let (_a, _b) = (there.send(), back.send());
    let end = there.receiver.clone_for(Holder::Host);
    assert_eq!(found([&there, &back]), []);
    drop(end);
    assert_eq!(found([&there, &back]).len(), 1);
    // Even one on their own side: it could poison the channel.
    let _end = there.sender.clone_for(Holder::Host);
    assert_eq!(found([&there, &back]), []);
}

#[test]
fn a_process_that_runs_keeps_those_live_whose_ends_it_holds() {
    let (there, back) = (between(A, B), between(B, A));
    let (_a, _b) = (there.send(), back.send());
    // C waits nowhere: it runs, or sleeps, or does I/O.
    let _end = back.receiver.clone_for(Holder::Process(C));
    assert_eq!(found([&there, &back]), []);
}

#[test]
fn a_wait_with_a_deadline_is_live() {
    let clock = Clock::manual();
    let (there, back) = (between(A, B), between(B, A));
    let _a = there.send();
    let deadline = clock.sleep(Duration::from_secs(1));
    let timed = parked(async { drop(back.sender.send_by(0, deadline).await) });
    assert_eq!(found([&there, &back]), []);
    drop(timed);
    let _b = back.send();
    assert_eq!(found([&there, &back]).len(), 1);
}

#[test]
fn an_alternation_waits_at_all_its_channels() {
    let (there, back, input) = (between(A, B), between(B, A), between(C, A));
    let _b = there.receive();
    let mut choice = Alternation::new(Order::Priority);
    let guards = vec![
        Guard::Receive(&back.receiver),
        Guard::Receive(&input.receiver),
    ];
    let _a = parked(async { drop(choice.wait(guards).await) });
    let all = [&there, &back, &input];
    assert_eq!(found(all), [], "C may still send to A");
    let unrelated = between(A, C);
    let _c = unrelated.receive();
    let deadlocks = found([&there, &back, &input, &unrelated]);
    assert_eq!(outline(&deadlocks), [(vec![A, B, C], vec![A, B])]);
    assert_eq!(deadlocks[0].stuck[0].waits.len(), 2);
}

#[test]
fn an_alternation_with_a_timeout_is_live() {
    let clock = Clock::manual();
    let (there, back) = (between(A, B), between(B, A));
    let _b = there.receive();
    let mut choice = Alternation::new(Order::Fair);
    let guards = vec![
        Guard::Receive(&back.receiver),
        Guard::After(clock.sleep(Duration::from_secs(1))),
    ];
    let _a = parked(async { drop(choice.wait(guards).await) });
    assert_eq!(found([&there, &back]), []);
}

#[test]
fn an_end_in_transit_is_as_live_as_who_can_get_at_it() {
    // The only sender to A lies in a message of `carrier`.
    let (to_a, carrier) = (between(A, A), between(None, None));
    to_a.sender.set_holder(Holder::Transit(carrier.id()));
    let _a = to_a.receive();
    let all = [&to_a, &carrier];
    assert_eq!(found(all), [], "the program may receive it");
    carrier.sender.set_holder(Holder::Process(B));
    carrier.receiver.set_holder(Holder::Process(B));
    assert_eq!(found(all), [], "B may");
    assert_eq!(found([&to_a]), [], "nobody knows who may");
    let _b = to_a.receiver.clone_for(Holder::Process(B));
    let _b = parked(async { drop(_b.receive().await) });
    // In whichever order the channels are given.
    assert_eq!(outline(&found([&to_a, &carrier])), [(vec![A, B], vec![B])]);
    assert_eq!(outline(&found([&carrier, &to_a])), [(vec![A, B], vec![B])]);
}

#[test]
fn an_end_in_a_message_of_its_own_channel_is_out_of_reach() {
    let own = between(A, A);
    own.sender.set_holder(Holder::Transit(own.id()));
    let _a = own.receive();
    let deadlocks = found([&own]);
    assert_eq!(outline(&deadlocks), [(vec![A], vec![A])]);
}

#[test]
fn waiting_for_the_end_of_a_process_counts() {
    let back = between(B, A);
    let _a = back.receive();
    let awaits = |awaited| move || vec![AwaitedEnd::new(B, awaited, 7)];
    assert_eq!(find(&inspected([&back]), awaits(C)), [], "C may end");
    let deadlocks = find(&inspected([&back]), awaits(A));
    assert_eq!(outline(&deadlocks), [(vec![A, B], vec![A, B])]);
    assert_eq!(deadlocks[0].stuck[1].awaits, [A]);
}

#[test]
fn an_await_that_begins_anew_between_the_looks_is_live() {
    let back = between(B, A);
    let _a = back.receive();
    let mut ticket = 0;
    let awaits = || {
        ticket += 1;
        vec![AwaitedEnd::new(B, A, ticket)]
    };
    assert_eq!(find(&inspected([&back]), awaits), []);
    assert_eq!(ticket, 2);
}

/// A channel that shows each look in turn.
struct Scripted {
    id: ChannelId,
    looks: Vec<Snapshot>,
    turn: AtomicUsize,
}

impl Inspect for Scripted {
    fn id(&self) -> ChannelId {
        self.id
    }

    fn label(&self) -> Option<Arc<str>> {
        None
    }

    fn snapshot(&self) -> Snapshot {
        self.looks[self.turn.fetch_add(1, Ordering::SeqCst)].clone()
    }

    fn statistics(&self) -> Statistics {
        Statistics::default()
    }

    fn poison(&self, _: Poison) -> bool {
        false
    }

    fn poisoned(&self) -> Option<Poison> {
        None
    }

    fn discard(&self) {}
}

/// A waits to receive from a sender with this holder.
fn receives(sender: Holder, ticket: u64) -> Snapshot {
    let (a, now) = (Holder::Process(A), std::time::Instant::now());
    let mut look = Snapshot::default();
    look.senders = vec![sender];
    look.receivers = vec![a];
    look.waiting = vec![WaitingOperation::new(a, Side::Receive, ticket, now)];
    look
}

/// A waits to receive from itself, as two looks saw it.
fn scripted(looks: [(u64, Holder); 2]) -> Vec<Deadlock> {
    let look = |(ticket, sender)| receives(sender, ticket);
    let probe: Arc<dyn Inspect> = Arc::new(Scripted {
        id: ChannelId(u64::MAX),
        looks: looks.map(look).to_vec(),
        turn: AtomicUsize::new(0),
    });
    find(&[probe], Vec::new)
}

#[test]
fn what_changes_between_the_two_looks_is_live() {
    let own = Holder::Process(A);
    assert_eq!(scripted([(1, own), (1, own)]).len(), 1);
    assert_eq!(scripted([(1, own), (2, own)]), [], "another wait");
    assert_eq!(scripted([(1, own), (1, Holder::Host)]), [], "a new holder");
    let other = Holder::Process(B);
    assert_eq!(scripted([(1, own), (1, other)]), [], "B runs");
}

#[test]
fn channels_that_carry_each_others_ends_are_out_of_reach_together() {
    let (one, two) = (between(A, A), between(A, A));
    one.sender.set_holder(Holder::Transit(two.id()));
    two.sender.set_holder(Holder::Transit(one.id()));
    let _a = one.receive();
    for all in [[&one, &two], [&two, &one]] {
        assert_eq!(outline(&found(all)), [(vec![A], vec![A])]);
    }
    let _b = two.receiver.clone_for(Holder::Process(B));
    assert_eq!(found([&one, &two]), [], "B may receive what sends to A");
}

/// Two such channels have no order in which they could be looked at: what was received from one
/// between the looks may be an end of the other.
#[test]
fn an_end_that_was_taken_out_between_the_looks_is_not_missed() {
    let (waited, carrier) = (ChannelId(u64::MAX), ChannelId(u64::MAX - 1));
    let inspected = |received: [u64; 2]| -> [Arc<dyn Inspect>; 2] {
        let waits = receives(Holder::Transit(carrier), 1);
        let carries = |received| {
            let mut look = Snapshot::default();
            look.senders = vec![Holder::Transit(waited)];
            look.received = received;
            look
        };
        let scripted = |id, looks| -> Arc<dyn Inspect> {
            Arc::new(Scripted {
                id,
                looks,
                turn: AtomicUsize::new(0),
            })
        };
        [
            scripted(waited, vec![waits.clone(), waits]),
            scripted(carrier, received.map(carries).to_vec()),
        ]
    };
    assert_eq!(find(&inspected([3, 3]), Vec::new).len(), 1);
    assert_eq!(find(&inspected([3, 4]), Vec::new), []);
}

/// A long chain of waits is walked without recursion.
#[test]
fn a_ring_of_fifty_thousand_is_found() {
    let count = 50_000;
    let ring: Vec<_> = (0..count)
        .map(|at| between(ProcessId(at), ProcessId((at + 1) % count)))
        .collect();
    let _all: Vec<_> = ring.iter().map(Channel::send).collect();
    let inspected: Vec<_> = ring
        .iter()
        .map(|channel| channel.sender.inspect())
        .collect();
    let deadlocks = find(&inspected, Vec::new);
    assert_eq!(deadlocks.len(), 1);
    assert_eq!(deadlocks[0].cycle.len() as u64, count);
}

/// Looks all the time at a ring of processes that is never stuck.
#[test]
fn a_ring_that_runs_is_never_reported() {
    let scheduler = Scheduler::new(SchedulerOptions::new(Mode::Parallel { workers: 2 })).unwrap();
    let ends: Vec<_> = (0..4)
        .map(|_| channel::<u64>(Options::rendezvous()))
        .collect();
    let (inspected, receivers): (Vec<_>, Vec<_>) = ends
        .iter()
        .map(|(sender, receiver)| (sender.inspect(), receiver.clone()))
        .unzip();
    let (done, finished) = mpsc::channel::<()>();
    let hold = Arc::new(AtomicUsize::new(0));
    for (at, receiver) in receivers.into_iter().enumerate() {
        let process = Holder::Process(ProcessId(at as u64));
        let sender = ends[(at + 1) % 4].0.clone_for(process);
        receiver.set_holder(process);
        let (done, looks) = (done.clone(), hold.clone());
        scheduler.spawn(async move {
            // Process 0 sends first and ends the ring; the others pass on until it is closed.
            if at == 0 && sender.send(0).await.is_err() {
                return;
            }
            while let Ok(number) = receiver.receive().await {
                let ends = at == 0 && looks.load(Ordering::SeqCst) >= 2_000;
                if ends || sender.send(number + 1).await.is_err() {
                    break;
                }
            }
            drop(done);
        });
    }
    drop((ends, done));
    for _ in 0..2_000 {
        assert_eq!(find(&inspected, Vec::new), []);
        hold.fetch_add(1, Ordering::SeqCst);
    }
    let _ = finished.recv_timeout(Duration::from_secs(60));
    scheduler.shutdown();
}

/// The same two, of which one goes on while its operation waits.
#[test]
fn one_that_goes_on_while_it_waits_is_stuck_only_in_one_park() {
    let (there, back) = (between(A, B), between(B, A));
    let (_a, _b) = (back.receive(), there.receive());
    let look = |parks: [Option<u64>; 2]| {
        let mut parks = parks.into_iter();
        let found = find(&inspected([&there, &back]), || {
            Awaits::new(Vec::new(), vec![(A, parks.next().flatten())])
        });
        outline(&found)
    };
    let both = vec![(vec![A, B], vec![A, B])];
    assert_eq!(look([Some(1), Some(1)]), both);
    assert_eq!(look([None, None]), [], "it runs");
    assert_eq!(look([Some(1), None]), [], "it runs now");
    assert_eq!(look([Some(1), Some(3)]), [], "it has run in between");
}
