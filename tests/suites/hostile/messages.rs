//! Messages that are not what their port says.

use transputer::{ChannelOptions, Outcome, Verdict};
use transputer_tests::{guest_of, input, output};

use crate::{Attack, hostile, only_failure};

/// Bytes that are not a number, whoever reads them.
fn no_numbers() -> Vec<Vec<u8>> {
    let deep = vec![0x81; 1 << 20];
    let mut deep_map = Vec::new();
    for _ in 0..100_000 {
        deep_map.extend_from_slice(b"\xa1\x61a");
    }
    let tags = vec![0xc1; 1 << 20];
    vec![
        Vec::new(),
        b"\xff".to_vec(),
        b"\x1b\xff\xff".to_vec(),
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        b"\x7f\x7f\x7f".to_vec(),
        b"\x01\x01".to_vec(),
        deep,
        deep_map,
        tags,
    ]
}

/// The process that reads them fails, and says why; the one that sent them goes on until
/// nobody reads.
#[test]
fn a_guest_that_receives_no_number_fails_alone() {
    for bytes in no_numbers() {
        let (attack, (messages, total)) = Attack::start(|host, network| {
            network.process("lies", &hostile(host, "lies"));
            network.process("victim", &guest_of(host, "sum"));
            network
                .connect("lies.numbers", "victim.numbers", ChannelOptions::bounded(1))
                .expect("it says that they fit");
            (input(network, "lies.in"), output(network, "victim.total"))
        });
        messages.send(bytes).expect("it receives");
        drop(messages);
        assert!(total.receive().is_err(), "there is no sum");
        drop(total);
        let report = attack.end();
        match only_failure(&report) {
            Outcome::Failed(text) => assert!(text.contains("expected"), "{text}"),
            other => panic!("expected a failure, found {other:?}"),
        }
        assert_eq!(report.failures[0].name, "victim");
    }
}

/// A host end is told, and goes on.
#[test]
fn a_program_that_receives_no_number_is_told() {
    let (attack, (messages, numbers)) = Attack::start(|host, network| {
        network.process("lies", &hostile(host, "lies"));
        (input(network, "lies.in"), output(network, "lies.numbers"))
    });
    for bytes in no_numbers() {
        messages.send(bytes).expect("it receives");
        assert!(numbers.receive_value::<u64>().is_err());
    }
    messages.send(&b"\x18\x2a"[..]).expect("it receives");
    assert_eq!(numbers.receive_value::<u64>().expect("a number"), 42);
    drop((messages, numbers));
    assert_eq!(attack.end().verdict(), Verdict::Succeeded);
}
