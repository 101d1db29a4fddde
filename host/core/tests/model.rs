//! Random histories of several channels, ends and alternations, compared step by step with a
//! sequential oracle: order, losses, doubles, errors, wake-ups, statistics.
//! `fuzz/` drives the same steps from bytes.
#![cfg(not(loom))]

mod channel_support;
mod model_support;

use model_support::{Step, World};
use proptest::prelude::*;
use transputer_core::Overflow;

fn overflow() -> impl Strategy<Value = Overflow> {
    prop_oneof![
        4 => Just(Overflow::Block),
        1 => Just(Overflow::DropOldest),
        1 => Just(Overflow::DropNewest),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..8usize;
    let guards = prop::collection::vec((0..8usize, any::<bool>()), 1..5);
    prop_oneof![
        8 => n.clone().prop_map(Step::Send),
        8 => n.clone().prop_map(Step::Receive),
        3 => n.clone().prop_map(Step::TrySend),
        3 => n.clone().prop_map(Step::TryReceive),
        2 => n.clone().prop_map(Step::PutBack),
        2 => (n.clone(), 0..4usize).prop_map(|(channel, most)| Step::Drain(channel, most)),
        3 => (n.clone(), 0..6usize, 0..5usize)
            .prop_map(|(channel, messages, batch)| Step::SendAll(channel, messages, batch)),
        3 => (n.clone(), 0..5usize, 1..5usize)
            .prop_map(|(channel, most, batch)| Step::Prefetch(channel, most, batch)),
        10 => (guards, any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(guards, fair, skip)| Step::Alternate { guards, fair, skip }),
        12 => n.clone().prop_map(Step::Poll),
        6 => n.clone().prop_map(Step::Cancel),
        1 => n.clone().prop_map(Step::Poison),
        1 => n.clone().prop_map(Step::DropSender),
        1 => n.prop_map(Step::DropReceiver),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn channels_do_what_the_oracle_says(
        kinds in prop::collection::vec((0..7usize, overflow()), 1..4),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut world = World::new(&kinds);
        for step in steps {
            world.take(step);
        }
        world.wind_up();
    }
}
