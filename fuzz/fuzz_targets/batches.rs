//! Packed batches that a guest made up, through a real host and back: what is sent of them, what
//! the guest is told, and what another guest receives.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use transputer::{
    CacheFolder, ChannelOptions, Component, Host, HostOptions, Limits, Usage, Verdict,
};
use transputer_tests::{Kit, assert_comes_back, raw_guest};

/// The limit on messages: small, so that the fuzzer finds it.
const LONGEST: usize = 48;

/// What the contract calls `too-large` and `malformed`.
const TOO_LARGE: u8 = 8;
const MALFORMED: u8 = 11;

struct Fixture {
    host: Host,
    batcher: Component,
    unbatcher: Component,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let host = Host::new(
            HostOptions::default()
                .workers(1)
                .max_processes(16)
                .cache(CacheFolder::Off),
        )
        .expect("a host can be set up");
        let guest = |name: &str| {
            host.component_from_bytes(name, &raw_guest(name, Kit::Ordinary))
                .expect("it is a guest")
        };
        Fixture {
            batcher: guest("batcher"),
            unbatcher: guest("unbatcher"),
            host,
        }
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&capacity, batch)) = bytes.split_first() else {
        return;
    };
    let (messages, error) = model(batch);
    let (told, received) = run(usize::from(capacity % 8), batch);
    let count = u32::try_from(messages.len()).expect("a batch is short");
    assert_eq!(told[..4], count.to_le_bytes());
    assert_eq!(told[4] != 0, error.is_some());
    if let Some(error) = error {
        assert_eq!(told[5], error);
    }
    assert_eq!(received, messages);
    assert_comes_back(&fixture().host, Usage::default());
});

/// The messages that come before anything is wrong, and what is wrong.
fn model(mut batch: &[u8]) -> (Vec<&[u8]>, Option<u8>) {
    let mut messages = Vec::new();
    while !batch.is_empty() {
        let Some((&[a, b, c, d], rest)) = batch.split_first_chunk() else {
            return (messages, Some(MALFORMED));
        };
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if length > rest.len() {
            return (messages, Some(MALFORMED));
        }
        if length > LONGEST {
            return (messages, Some(TOO_LARGE));
        }
        let (message, rest) = rest.split_at(length);
        messages.push(message);
        batch = rest;
    }
    (messages, None)
}

/// What the sender was told, and what the receiver received.
fn run(capacity: usize, batch: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let fixture = fixture();
    let mut network = fixture.host.network("batches");
    network
        .process("batcher", &fixture.batcher)
        .limits(Limits::default().message(LONGEST as u64));
    network.process("unbatcher", &fixture.unbatcher);
    network
        .connect(
            "batcher.out",
            "unbatcher.in",
            ChannelOptions::bounded(capacity),
        )
        .expect("the ports fit");
    let room = ChannelOptions::bounded(batch.len() + 1);
    let input = network.input("batcher.packed", room).expect("it is a port");
    let told = network.output("batcher.told", room).expect("it is a port");
    let packed = network
        .output("unbatcher.packed", room)
        .expect("it is a port");
    input.send(batch).expect("there is room");
    drop(input);
    let running = network.start().expect("there is room");
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    let told = told.receive().expect("it tells");
    let mut received = Vec::new();
    while let Ok(batch) = packed.receive() {
        let (messages, error) = model(&batch);
        assert_eq!(error, None, "the host packs well");
        received.extend(messages.into_iter().map(<[u8]>::to_vec));
    }
    (told, received)
}
