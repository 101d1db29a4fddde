//! Barriers: phases, enrolment and resignation, cancellation, poison, and what a look shows.
#![cfg(not(loom))]

mod channel_support;

use std::time::Duration;

use channel_support::{Polled, now, parked, poison};
use transputer_core::clock::Clock;
use transputer_core::{Barrier, Holder, ProcessId, Side, SyncError, SyncTimeoutError, channel};

fn process(number: u64) -> Holder {
    Holder::Process(ProcessId(number))
}

fn three() -> [Barrier; 3] {
    let first = Barrier::new("three");
    let second = first.enrol_for(process(2));
    let third = first.enrol_for(process(3));
    [first, second, third]
}

#[test]
fn all_go_on_when_the_last_arrives() {
    let [a, b, c] = three();
    for _ in 0..3 {
        let mut first = parked(a.sync());
        let mut second = parked(c.sync());
        assert_eq!(now(b.sync()), Ok(()), "the last does not wait");
        assert_eq!(first.woken(), Ok(()));
        assert_eq!(second.woken(), Ok(()));
    }
}

#[test]
fn a_sole_member_never_waits() {
    let only = Barrier::new("");
    assert_eq!((only.members(), only.label()), (1, None));
    assert_eq!(now(only.sync()), Ok(()));
    assert_eq!(only.sync_blocking(), Ok(()));
}

#[test]
fn a_resigning_last_absentee_completes_the_phase() {
    let [a, b, c] = three();
    let mut first = parked(a.sync());
    let mut second = parked(b.sync());
    drop(c);
    assert_eq!(first.woken(), Ok(()));
    assert_eq!(second.woken(), Ok(()));
    assert_eq!(a.members(), 2);
}

#[test]
fn a_phase_waits_for_who_enrols_meanwhile() {
    let [a, b, c] = three();
    let mut waiting = [parked(a.sync()), parked(b.sync())];
    let late = c.enrol_for(process(4));
    let mut third = parked(c.sync());
    waiting.iter_mut().for_each(Polled::waits);
    assert_eq!(now(late.sync()), Ok(()));
    assert_eq!(third.woken(), Ok(()));
    for mut sync in waiting {
        assert_eq!(sync.woken(), Ok(()));
    }
}

#[test]
fn a_member_that_has_gone_on_is_absent_from_the_next_phase() {
    let [a, b, c] = three();
    let mut slow = parked(a.sync());
    let mut quick = parked(b.sync());
    assert_eq!(now(c.sync()), Ok(()));
    assert_eq!(quick.woken(), Ok(()));
    // The next phase, before the slow one has looked.
    let mut quick = parked(b.sync());
    let mut third = parked(c.sync());
    quick.waits();
    assert_eq!(slow.woken(), Ok(()));
    drop(slow);
    assert_eq!(now(a.sync()), Ok(()));
    assert_eq!(quick.woken(), Ok(()));
    assert_eq!(third.woken(), Ok(()));
}

#[test]
fn a_dropped_sync_takes_its_arrival_back() {
    let [a, b, c] = three();
    let mut first = parked(a.sync());
    drop(parked(b.sync()));
    let mut third = parked(c.sync());
    first.waits();
    assert_eq!(now(b.sync()), Ok(()));
    assert_eq!(first.woken(), Ok(()));
    assert_eq!(third.woken(), Ok(()));
}

#[test]
fn a_sync_dropped_after_all_arrived_undoes_nothing() {
    let first = Barrier::new("pair");
    let second = first.enrol_for(process(2));
    let waiting = parked(first.sync());
    assert_eq!(now(second.sync()), Ok(()));
    assert_eq!(waiting.wakes(), 1);
    drop(waiting);
    // It takes part in the next phase as usual.
    let mut waiting = parked(second.sync());
    assert_eq!(now(first.sync()), Ok(()));
    assert_eq!(waiting.woken(), Ok(()));
}

#[test]
fn one_membership_arrives_once() {
    let [a, _b, _c] = three();
    let mut first = parked(a.sync());
    let refused = Err(SyncError::Overloaded);
    assert_eq!(now(a.sync()), refused);
    first.waits();
    drop(first);
    parked(a.sync());
}

#[test]
fn poison_wakes_all_and_stays() {
    let [a, b, c] = three();
    let mut waiting = [parked(a.sync()), parked(b.sync())];
    assert!(c.poison(poison("first")));
    assert!(!a.poison(poison("second")), "idempotent");
    for sync in &mut waiting {
        assert_eq!(sync.woken(), Err(SyncError::Poisoned(poison("first"))));
    }
    assert_eq!(now(c.sync()), Err(SyncError::Poisoned(poison("first"))));
    assert_eq!(b.poisoned(), Some(poison("first")));
}

#[test]
fn poison_never_undoes_a_phase() {
    let first = Barrier::new("pair");
    let second = first.enrol_for(process(2));
    let mut waiting = parked(first.sync());
    assert_eq!(now(second.sync()), Ok(()));
    assert!(second.poison(poison("late")));
    assert_eq!(waiting.woken(), Ok(()));
    assert_eq!(now(first.sync()), Err(SyncError::Poisoned(poison("late"))));
}

#[test]
fn deadlines_take_the_arrival_back() {
    let clock = Clock::manual();
    let first = Barrier::new("pair");
    let second = first.enrol_for(process(2));
    let mut waiting = parked(first.sync_by(clock.sleep(Duration::from_secs(1))));
    clock.advance(Duration::from_secs(1));
    assert_eq!(waiting.woken(), Err(SyncTimeoutError::TimedOut));
    drop(waiting);
    // It is absent again.
    let mut waiting = parked(second.sync());
    assert_eq!(now(first.sync()), Ok(()));
    assert_eq!(waiting.woken(), Ok(()));
}

#[test]
fn all_arrived_beats_a_simultaneous_timeout() {
    let clock = Clock::manual();
    let first = Barrier::new("pair");
    let second = first.enrol_for(process(2));
    let mut waiting = parked(first.sync_by(clock.sleep(Duration::from_secs(1))));
    clock.advance(Duration::from_secs(1));
    assert_eq!(now(second.sync()), Ok(()));
    assert_eq!(waiting.ready(), Ok(()));
}

#[test]
fn a_look_shows_who_waits_and_who_is_absent() {
    let [a, b, c] = three();
    let probe = a.inspect();
    assert_eq!((probe.id(), probe.label()), (b.id(), a.label()));
    a.set_holder(process(1));
    assert_eq!(a.holder(), process(1));
    let _first = parked(a.sync());
    let clock = Clock::manual();
    let _third = parked(c.sync_by(clock.sleep(Duration::from_secs(1))));
    let look = probe.snapshot();
    assert_eq!(look.absent, [process(2)]);
    let waiting: Vec<_> = look.waiting.iter().map(|w| (w.holder, w.timed)).collect();
    assert_eq!(waiting, [(process(1), false), (process(3), true)]);
    assert!(look.waiting.iter().all(|wait| wait.side == Side::Sync));
    assert_ne!(look.waiting[0].ticket, look.waiting[1].ticket);
}

#[test]
fn what_is_kept_alive_goes_with_the_last_member_whoever_looks() {
    let kept = std::sync::Arc::new(());
    let first = Barrier::keeping("kept", kept.clone());
    let (look, second) = (first.inspect(), first.enrol_for(process(2)));
    drop(first);
    assert_eq!(std::sync::Arc::strong_count(&kept), 2, "it has a member");
    drop(second);
    assert_eq!(std::sync::Arc::strong_count(&kept), 1);
    assert_eq!(look.snapshot().absent, []);
}

#[test]
fn barriers_and_channels_have_different_ids() {
    let (sender, _receiver) = channel::<u64>(transputer_core::Options::rendezvous());
    let barrier = Barrier::new("b");
    assert_ne!(barrier.id(), sender.id());
    assert_ne!(barrier.id(), Barrier::new("b").id());
}

/// No thread may be a phase ahead of another.
#[test]
fn threads_stay_in_step() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    const PHASES: usize = 500;
    const MEMBERS: usize = 4;
    let done = AtomicUsize::new(0);
    let first = Barrier::new("threads");
    let mut members: Vec<_> = (1..MEMBERS)
        .map(|_| first.enrol_for(Holder::Host))
        .collect();
    members.push(first);
    std::thread::scope(|scope| {
        for member in members {
            let done = &done;
            scope.spawn(move || {
                for phase in 0..PHASES {
                    done.fetch_add(1, Ordering::SeqCst);
                    member.sync_blocking().unwrap();
                    let seen = done.load(Ordering::SeqCst);
                    assert!(seen >= (phase + 1) * MEMBERS, "{seen} in phase {phase}");
                    // Nobody begins the next phase's work before all have looked.
                    member.sync_blocking().unwrap();
                }
            });
        }
    });
    assert_eq!(done.into_inner(), PHASES * MEMBERS);
}
