//! Very many messages are dropped in steps.
#![cfg(not(loom))]

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;

use transputer_core::scheduler::{Mode, Scheduler, SchedulerOptions};
use transputer_core::{Holder, Options, Payload, Poison, PoisonKind, Receiver, Sender, channel};

const MANY: u64 = 20_000;

/// Counts those that are left, and those that were told why they are dropped.
#[derive(Default)]
struct Counts {
    left: AtomicU64,
    told: AtomicU64,
}

struct Counted(Arc<Counts>);

impl Payload for Counted {
    type Batch = VecDeque<Self>;

    fn size(&self) -> usize {
        1
    }

    fn undelivered(&mut self, _: &Poison) {
        self.0.told.fetch_add(1, Ordering::AcqRel);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.left.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A channel with many messages.
fn filled(counts: &Arc<Counts>) -> (Sender<Counted>, Receiver<Counted>) {
    let (sender, receiver) = channel(Options::bounded(MANY as usize));
    for _ in 0..MANY {
        counts.left.fetch_add(1, Ordering::AcqRel);
        assert!(sender.try_send(Counted(counts.clone())).is_ok());
    }
    (sender, receiver)
}

/// A task that empties a channel, and one that counts its turns until everything is gone.
fn turns_while(
    empty: impl FnOnce(Receiver<Counted>) + Send + 'static,
    counts: &Arc<Counts>,
) -> u64 {
    let scheduler = Scheduler::new(SchedulerOptions::new(Mode::Seeded { seed: 7 }));
    let scheduler = scheduler.expect("it starts");
    let (sender, receiver) = filled(counts);
    let (done, finished) = mpsc::channel();
    let hold = scheduler.hold_tasks();
    let left = counts.clone();
    scheduler.spawn(async move {
        empty(receiver);
        // At once, whatever is still to be dropped.
        assert_eq!(sender.statistics().dropped, MANY);
        let there = left.left.load(Ordering::Acquire);
        assert!(there > 0 && there < MANY, "{there}");
        // The host is about to close what they hold.
        let look = sender.inspect().snapshot();
        assert!(look.receivers.contains(&Holder::Host));
    });
    let left = counts.clone();
    scheduler.spawn(async move {
        let mut turns = 0;
        poll_fn(|context| {
            if left.left.load(Ordering::Acquire) == 0 {
                return Poll::Ready(());
            }
            turns += 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        let _ = done.send(turns);
    });
    drop(hold);
    finished.recv().expect("everything goes")
}

#[test]
fn others_run_while_the_messages_of_a_poisoned_channel_are_dropped() {
    let counts = Arc::<Counts>::default();
    let poison = |receiver: Receiver<Counted>| {
        receiver.set_holder(Holder::Process(transputer_core::ProcessId(1)));
        receiver.poison(Poison::new(PoisonKind::Poisoned, "enough"));
    };
    assert!(turns_while(poison, &counts) > 5);
    assert_eq!(counts.told.load(Ordering::Acquire), MANY);
}

#[test]
fn others_run_while_the_messages_of_a_closed_channel_are_dropped() {
    let counts = Arc::<Counts>::default();
    assert!(turns_while(drop, &counts) > 5);
    assert_eq!(counts.told.load(Ordering::Acquire), 0);
}

/// Nobody waits for a thread that is not a worker.
#[test]
fn elsewhere_they_are_dropped_at_once() {
    let counts = Arc::<Counts>::default();
    let (sender, receiver) = filled(&counts);
    receiver.poison(Poison::new(PoisonKind::Poisoned, "enough"));
    assert_eq!(counts.left.load(Ordering::Acquire), 0);
    assert_eq!(counts.told.load(Ordering::Acquire), MANY);
    assert!(sender.inspect().snapshot().receivers.len() == 1);
}

/// What a scheduler that ends cannot drop in steps is dropped all the same.
#[test]
fn the_end_of_the_scheduler_drops_the_rest() {
    let counts = Arc::<Counts>::default();
    let scheduler = Scheduler::new(SchedulerOptions::new(Mode::Parallel { workers: 1 }));
    let scheduler = scheduler.expect("it starts");
    let (sender, receiver) = filled(&counts);
    let (done, finished) = mpsc::channel::<()>();
    scheduler.spawn(async move {
        receiver.poison(Poison::new(PoisonKind::Poisoned, "enough"));
        drop(done);
    });
    finished.recv().expect_err("it is done");
    scheduler.shutdown();
    drop(sender);
    assert_eq!(counts.left.load(Ordering::Acquire), 0);
    assert_eq!(counts.told.load(Ordering::Acquire), MANY);
}
