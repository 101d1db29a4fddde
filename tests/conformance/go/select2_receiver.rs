//! select2: an alternation whose second guard always loses.

use transputer_guest::{Error, Message, Receiver, Sender, select};

/// What a round has cost.
#[derive(Message)]
struct Round {
    pages: u64,
    idle_waiting: u32,
    received: u64,
}

/// Pages of this process's linear memory.
fn pages() -> u64 {
    #[cfg(target_arch = "wasm32")]
    return core::arch::wasm32::memory_size::<0>() as u64;
    #[cfg(not(target_arch = "wasm32"))]
    0
}

/// At every `again`, receives `count` messages beside a channel on which none ever comes, and
/// sends what it cost.
#[transputer_guest::process]
fn select2_receiver(
    count: u64,
    again: Receiver<()>,
    ones: Receiver<u64>,
    idle: Receiver<u64>,
    rounds: Sender<Round>,
) -> Result<(), Error> {
    while again.receive().is_ok() {
        for _ in 0..count {
            select! {
                one = receive(ones) => one?,
                _ = receive(idle) => return Err("the idle channel won".into()),
            }?;
        }
        rounds.send(&Round {
            pages: pages(),
            idle_waiting: idle.statistics().waiting,
            received: ones.statistics().received,
        })?;
    }
    Ok(())
}
