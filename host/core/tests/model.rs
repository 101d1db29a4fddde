//! Random histories of several channels, ends and alternations, compared step by step with a
//! sequential oracle: order, losses, doubles, errors, wake-ups, statistics.
#![cfg(not(loom))]

mod channel_support;
mod model_support;

use model_support::{World, step};
use proptest::prelude::*;
use transputer_core::Overflow;

fn overflow() -> impl Strategy<Value = Overflow> {
    prop_oneof![
        4 => Just(Overflow::Block),
        1 => Just(Overflow::DropOldest),
        1 => Just(Overflow::DropNewest),
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
        kinds in prop::collection::vec((0..3usize, overflow()), 1..4),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut world = World::new(&kinds);
        for step in steps {
            world.take(step);
        }
        world.wind_up();
    }
}
