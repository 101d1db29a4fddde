//! Every interleaving, up to a number of preemptions, of arriving at a barrier against
//! resigning, cancelling and poison.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p transputer-core --test loom_barrier --release`.
#![cfg(loom)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::thread;
use transputer_core::{Barrier, Holder, Poison, PoisonKind, SyncError};

fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

fn pair() -> (Barrier, Barrier) {
    let first = Barrier::new("loom");
    let second = first.enrol_for(Holder::Host);
    (first, second)
}

#[test]
fn two_members_meet_twice() {
    explore(|| {
        let (first, second) = pair();
        let other = thread::spawn(move || {
            assert_eq!(block_on(second.sync()), Ok(()));
            assert_eq!(block_on(second.sync()), Ok(()));
        });
        assert_eq!(block_on(first.sync()), Ok(()));
        assert_eq!(block_on(first.sync()), Ok(()));
        other.join().unwrap();
    });
}

#[test]
fn three_members_meet() {
    explore(|| {
        let (first, second) = pair();
        let third = first.enrol_for(Holder::Host);
        let others = [second, third]
            .map(|member| thread::spawn(move || assert_eq!(block_on(member.sync()), Ok(()))));
        assert_eq!(block_on(first.sync()), Ok(()));
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn resigning_races_with_arriving() {
    explore(|| {
        let (first, second) = pair();
        let resigning = thread::spawn(move || drop(second));
        assert_eq!(block_on(first.sync()), Ok(()));
        resigning.join().unwrap();
    });
}

#[test]
fn cancelling_races_with_the_last_arrival() {
    explore(|| {
        let (first, second) = pair();
        let cancelling = thread::spawn(move || {
            let mut sync = pin!(second.sync());
            sync.as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_ready()
            // Its arrival is taken back, if nobody came; then the member resigns.
        });
        assert_eq!(block_on(first.sync()), Ok(()));
        let _met = cancelling.join().unwrap();
        assert_eq!(first.members(), 1);
    });
}

#[test]
fn poison_races_with_the_last_arrival() {
    explore(|| {
        let (first, second) = pair();
        let poisoner = first.enrol_for(Holder::Host);
        let poisoning = thread::spawn(move || {
            poisoner.poison(Poison::new(PoisonKind::Poisoned, "race"));
            // Resigns, so that the others can meet if they have not been told yet.
        });
        let other = thread::spawn(move || block_on(second.sync()));
        let outcome = block_on(first.sync());
        assert!(matches!(outcome, Err(SyncError::Poisoned(_))));
        assert_eq!(other.join().unwrap(), outcome);
        poisoning.join().unwrap();
    });
}

/// Polled by one task, then by another: the second is woken.
#[test]
fn a_waker_that_changes_races_with_the_last_arrival() {
    explore(|| {
        let (first, second) = pair();
        let arriving = thread::spawn(move || block_on(second.sync()));
        let mut sync = pin!(first.sync());
        let polled = sync.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let outcome = match polled {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => block_on(sync),
        };
        assert_eq!(outcome, Ok(()));
        assert_eq!(arriving.join().unwrap(), Ok(()));
    });
}
