//! Go's select2: an alternation in a loop leaves nothing behind in the channel that always
//! loses. It is alone in its program, because it measures the memory of the whole.

#[path = "conformance/go_originals.rs"]
mod originals;

use serde::Deserialize;
use transputer::{ChannelOptions, Verdict};
use transputer_tests::{guest, host, input, output};

/// What the original does a round.
const SELECTS: u64 = 100_000;

/// A waiter that is left behind takes more than this many bytes.
const WAITER: u64 = 16;

/// What a round has cost, as the guest `select2_receiver` tells.
#[derive(Debug, Deserialize)]
struct Round {
    pages: u64,
    idle_waiting: u32,
    received: u64,
}

/// Bytes of this program that are in memory, where the system tells.
fn resident() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = pages.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[test]
fn select2() {
    let mut network = host().network("select2");
    network
        .process("sender", &guest("select2_sender"))
        .argument("count", 3 * SELECTS);
    network
        .process("receiver", &guest("select2_receiver"))
        .argument("count", SELECTS);
    let options = ChannelOptions::rendezvous();
    network
        .connect("sender.ones", "receiver.ones", options)
        .expect("the ports fit");
    let idle = input(&mut network, "receiver.idle");
    let again = input(&mut network, "receiver.again");
    let rounds = output(&mut network, "receiver.rounds");
    let running = network.start().expect("it starts");

    let mut before: Option<(u64, Option<u64>)> = None;
    for number in 1..=3 {
        again.send_value(&()).expect("it is received");
        let round: Round = rounds.receive_value().expect("a round");
        assert_eq!(round.received, number * SELECTS);
        assert_eq!(round.idle_waiting, 0);
        let now = resident();
        if let Some((pages, bytes)) = before {
            assert_eq!(round.pages, pages, "the guest's memory grew");
            if let (Some(bytes), Some(now)) = (bytes, now) {
                let grown = now.saturating_sub(bytes);
                assert!(grown < SELECTS * WAITER, "{grown} bytes more");
            }
        }
        before = Some((round.pages, now));
    }
    let statistics = idle.statistics();
    assert_eq!((statistics.sent, statistics.received), (0, 0));
    drop((again, idle));
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);

    if let Some(original) = originals::run("chan/select2.go") {
        assert!(
            original.succeeded && original.printed.is_empty(),
            "{original:?}"
        );
    }
}
