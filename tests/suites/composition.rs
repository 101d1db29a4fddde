//! What processes are composed of and with: patience, children, helpers made of channels.

use transputer::{ChannelOptions, Verdict};
use transputer_tests::{guest, host};

#[test]
fn every_operation_can_run_out_of_patience_and_loses_nothing() {
    let mut network = host().network("impatient");
    network
        .process("patience", &guest("patience"))
        .argument("component", "waits")
        .may_spawn("waits", &guest("parks"));
    let numbers = network
        .output("patience.numbers", ChannelOptions::bounded(2))
        .expect("it is free");
    let checks = network
        .output("patience.checks", ChannelOptions::bounded(1))
        .expect("it is free");
    let running = network.start().expect("it starts");
    let sent: Vec<u64> = numbers
        .values()
        .take(5)
        .map(|number| number.expect("a number"))
        .collect();
    assert_eq!(sent, [0, 1, 2, 3, 4]);
    assert_eq!(checks.receive_value::<u64>().ok(), Some(27));
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
}
