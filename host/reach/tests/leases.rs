//! Leases on every carrier: the server in memory, and NATS.

mod support;

use std::time::Duration;

use support::world::{LEASE, World, on_every_carrier, soon};
use tokio::time::{Instant, timeout};
use transputer_reach::{Lease, facts};

on_every_carrier! {
    a_lease_is_held_by_one,
    a_lease_passes_to_another_when_its_holder_is_gone,
    a_lease_that_is_given_up_passes_at_once,
    what_a_later_epoch_has_said_stays,
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

async fn what_a_later_epoch_has_said_stays(world: World) {
    let (one, two) = (world.host().await, world.host().await);
    let said = |host| async move { facts::said(host, "tries").await.unwrap() };
    assert_eq!(said(&*one).await, None);
    facts::say(&*one, "tries", 7, "one").await.unwrap();
    facts::say(&*one, "tries", 7, "one try more").await.unwrap();
    assert_eq!(said(&*two).await.as_deref(), Some("one try more"));
    facts::say(&*two, "tries", 8, "").await.unwrap();
    facts::say(&*one, "tries", 7, "too late").await.unwrap();
    assert_eq!(said(&*one).await.as_deref(), Some(""));
    // Others can write, too.
    facts::agree(&*one, "junk", "nonsense").await.unwrap();
    assert_eq!(facts::said(&*one, "junk").await.unwrap(), None);
}
