//! Leases on every carrier: the server in memory, and NATS.

mod support;

use std::time::Duration;

use support::world::{LEASE, World, on_every_carrier, soon};
use tokio::time::{Instant, timeout};
use transputer_reach::Lease;

on_every_carrier! {
    a_lease_is_held_by_one,
    a_lease_passes_to_another_when_its_holder_is_gone,
    a_lease_that_is_given_up_passes_at_once,
}

async fn a_lease_is_held_by_one(world: World) {
    let one = Lease::take(world.host().await, "parser", "one")
        .await
        .unwrap();
    let (two, mut one) = (world.host().await, one);
    let keeping = tokio::spawn(async move { one.keep().await });
    let other = timeout(3 * LEASE, Lease::take(two, "parser", "two")).await;
    assert!(other.is_err(), "two hosts have it");
    assert!(!keeping.is_finished(), "it was kept");
}

async fn a_lease_passes_to_another_when_its_holder_is_gone(world: World) {
    let one = Lease::take(world.host().await, "parser", "one")
        .await
        .unwrap();
    let epoch = one.epoch;
    drop(one);
    let began = Instant::now();
    let two = soon(Lease::take(world.host().await, "parser", "two"))
        .await
        .unwrap();
    assert!(two.epoch > epoch);
    assert!(
        began.elapsed() < LEASE + Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
}

async fn a_lease_that_is_given_up_passes_at_once(world: World) {
    let mut one = Lease::take(world.host().await, "parser", "one")
        .await
        .unwrap();
    let _ = timeout(LEASE / 4, one.keep()).await;
    one.give_up().await;
    let began = Instant::now();
    let two = soon(Lease::take(world.host().await, "parser", "two"))
        .await
        .unwrap();
    assert!(began.elapsed() < LEASE / 2, "{:?}", began.elapsed());
    let holders = transputer_reach::lease::holders(&*world.host().await)
        .await
        .unwrap();
    assert_eq!(holders.len(), 1);
    assert_eq!((&*holders[0].name, &*holders[0].host), ("parser", "two"));
    assert_eq!(holders[0].epoch, two.epoch);
}
