//! Random histories of a barrier, compared step by step with a sequential model of it.
#![cfg(not(loom))]

mod channel_support;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use channel_support::{Polled, poison};
use proptest::prelude::*;
use transputer_core::{Barrier, Holder, ProcessId, SyncError};

/// One step. Numbers are taken modulo the number of members.
#[derive(Clone, Debug)]
enum Step {
    Enrol(usize),
    Resign(usize),
    Arrive(usize),
    Poll(usize),
    Cancel(usize),
    Poison(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..8usize;
    prop_oneof![
        3 => n.clone().prop_map(Step::Enrol),
        2 => n.clone().prop_map(Step::Resign),
        12 => n.clone().prop_map(Step::Arrive),
        8 => n.clone().prop_map(Step::Poll),
        3 => n.clone().prop_map(Step::Cancel),
        1 => n.prop_map(Step::Poison),
    ]
}

type Outcome = Result<(), SyncError>;
type Syncing = Polled<Pin<Box<dyn Future<Output = Outcome>>>>;

fn sync(member: &Arc<Barrier>) -> Syncing {
    let member = Arc::clone(member);
    Polled::new(Box::pin(async move { member.sync().await }))
}

/// What the model knows of a member: nothing while it is absent, and the outcome, once there
/// is one, while it waits.
struct Member {
    real: Arc<Barrier>,
    waits: Option<(Syncing, Option<Outcome>)>,
}

struct World {
    members: BTreeMap<u64, Member>,
    next: u64,
    poisoned: bool,
}

impl World {
    fn new() -> Self {
        let mut world = World {
            members: BTreeMap::new(),
            next: 0,
            poisoned: false,
        };
        let first = Barrier::new("model");
        first.set_holder(Holder::Process(ProcessId(0)));
        world.add(first);
        world
    }

    fn add(&mut self, real: Barrier) {
        let real = Arc::new(real);
        self.members.insert(self.next, Member { real, waits: None });
        self.next += 1;
    }

    fn member(&self, n: usize) -> u64 {
        let keys: Vec<_> = self.members.keys().copied().collect();
        keys[n % keys.len()]
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Enrol(n) => {
                let holder = Holder::Process(ProcessId(self.next));
                self.add(self.members[&self.member(n)].real.enrol_for(holder));
            }
            Step::Resign(n) if self.members.len() > 1 => {
                let key = self.member(n);
                self.members.remove(&key);
            }
            Step::Resign(_) => {}
            Step::Arrive(n) => self.arrive(self.member(n)),
            Step::Poll(n) => self.poll(self.member(n)),
            Step::Cancel(n) => {
                let key = self.member(n);
                self.members.get_mut(&key).unwrap().waits = None;
            }
            Step::Poison(n) => self.poison(self.member(n)),
        }
        self.settle();
        self.compare();
    }

    fn arrive(&mut self, key: u64) {
        let alone = self
            .members
            .iter()
            .all(|(other, member)| *other == key || matches!(member.waits, Some((_, None))));
        let member = self.members.get_mut(&key).unwrap();
        let mut real = sync(&member.real);
        let polled = real.poll();
        if self.poisoned {
            assert_eq!(
                polled,
                Poll::Ready(Err(SyncError::Poisoned(poison("model"))))
            );
        } else if member.waits.is_some() {
            let refused = Err(SyncError::Overloaded);
            assert_eq!(polled, Poll::Ready(refused));
        } else if alone {
            assert_eq!(polled, Poll::Ready(Ok(())), "all have arrived");
            for (other, member) in &mut self.members {
                if *other != key {
                    member.waits.as_mut().unwrap().1 = Some(Ok(()));
                }
            }
        } else {
            assert_eq!(polled, Poll::Pending);
            member.waits = Some((real, None));
        }
    }

    fn poll(&mut self, key: u64) {
        let waits = &mut self.members.get_mut(&key).unwrap().waits;
        let Some((real, outcome)) = waits else {
            return;
        };
        match outcome.take() {
            Some(outcome) => {
                assert_eq!(real.poll(), Poll::Ready(outcome));
                *waits = None;
            }
            None => assert_eq!(real.poll(), Poll::Pending),
        }
    }

    fn poison(&mut self, key: u64) {
        let first = self.members[&key].real.poison(poison("model"));
        assert_eq!(first, !std::mem::replace(&mut self.poisoned, true));
        for member in self.members.values_mut() {
            if let Some((_, outcome @ None)) = &mut member.waits {
                *outcome = Some(Err(SyncError::Poisoned(poison("model"))));
            }
        }
    }

    /// All that are left have arrived.
    fn settle(&mut self) {
        let waits = |member: &Member| matches!(member.waits, Some((_, None)));
        if self.members.values().all(waits) {
            for member in self.members.values_mut() {
                member.waits.as_mut().unwrap().1 = Some(Ok(()));
            }
        }
    }

    fn compare(&self) {
        let holder = |key: &u64| Holder::Process(ProcessId(*key));
        let waits = |member: &Member| matches!(member.waits, Some((_, None)));
        let (_, some) = self.members.first_key_value().unwrap();
        assert_eq!(some.real.members(), self.members.len());
        let look = some.real.inspect().snapshot();
        let mut waiting: Vec<_> = look.waiting.iter().map(|wait| wait.holder).collect();
        let mut absent = look.absent;
        waiting.sort();
        absent.sort();
        let side = |waiting| {
            let members = self.members.iter();
            let members = members.filter(move |(_, member)| waits(member) == waiting);
            members.map(|(key, _)| holder(key)).collect::<Vec<_>>()
        };
        assert_eq!((waiting, absent), (side(true), side(false)));
        for member in self.members.values() {
            if let Some((real, outcome)) = &member.waits {
                assert_eq!(real.wakes(), usize::from(outcome.is_some()), "wake-ups");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_barrier_does_what_the_model_says(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
    }
}
