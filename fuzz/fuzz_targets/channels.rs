//! Histories of channels, ends and alternations, read from bytes, against the sequential oracle of
//! `host/core/tests/model.rs`.
#![no_main]

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use transputer_core::Overflow;

#[path = "../../host/core/tests/channel_support/mod.rs"]
mod channel_support;
#[path = "../../host/core/tests/model_support/mod.rs"]
mod model_support;

use model_support::{Step, World};

fuzz_target!(|bytes: &[u8]| {
    // Too few bytes for a network is not a failure.
    let _ = run(&mut Unstructured::new(bytes));
});

fn run(bytes: &mut Unstructured<'_>) -> Result<()> {
    let kinds = (0..bytes.int_in_range(1..=3)?)
        .map(|_| Ok((bytes.int_in_range(0..=6)?, overflow(bytes)?)))
        .collect::<Result<Vec<_>>>()?;
    let mut world = World::new(&kinds);
    while !bytes.is_empty() {
        world.take(step(bytes)?);
    }
    world.wind_up();
    Ok(())
}

fn overflow(bytes: &mut Unstructured<'_>) -> Result<Overflow> {
    let kinds = [Overflow::Block, Overflow::DropOldest, Overflow::DropNewest];
    bytes.choose(&kinds).copied()
}

/// Steps of every kind. Those that end a channel are rare, as after them little can happen.
fn step(bytes: &mut Unstructured<'_>) -> Result<Step> {
    let kind = bytes.int_in_range(0..=35u8)?;
    let n = bytes.int_in_range(0..=7usize)?;
    Ok(match kind {
        0..=4 => Step::Send(n),
        5..=9 => Step::Receive(n),
        10..=11 => Step::TrySend(n),
        12..=13 => Step::TryReceive(n),
        14 => Step::PutBack(n),
        15 => Step::Drain(n, bytes.int_in_range(0..=3)?),
        16..=20 => Step::Alternate {
            guards: (0..=n % 4)
                .map(|_| Ok((bytes.int_in_range(0..=7)?, bytes.arbitrary()?)))
                .collect::<Result<_>>()?,
            fair: bytes.arbitrary()?,
            skip: bytes.ratio(1, 5)?,
        },
        21..=25 => Step::Poll(n),
        26..=28 => Step::Cancel(n),
        29 => Step::Poison(n),
        30 => Step::DropSender(n),
        31 => Step::DropReceiver(n),
        32..=33 => Step::SendAll(n, bytes.int_in_range(0..=5)?, bytes.int_in_range(0..=4)?),
        _ => Step::Prefetch(n, bytes.int_in_range(0..=4)?, bytes.int_in_range(1..=4)?),
    })
}
