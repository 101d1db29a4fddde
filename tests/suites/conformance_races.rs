//! The races of PyCSP's documentation: five sources and five sinks at one channel, which is
//! retired from (closed here) or poisoned.

use transputer::{ChannelOptions, HostReceiver, Verdict};
use transputer_tests::{guest, host};

const TIMES: usize = 100;

/// Runs the race once, and counts the lines that the sinks print.
fn race(poisons: bool) -> usize {
    let (source, sink) = (guest("source"), guest("sink"));
    let mut network = host().network("race");
    let names = |kind: &str, port: &str| -> Vec<String> {
        (0..5).map(|n| format!("{kind}-{n}.{port}")).collect()
    };
    for n in 0..5 {
        network
            .process(&format!("source-{n}"), &source)
            .argument("poisons", poisons);
        network.process(&format!("sink-{n}"), &sink);
    }
    let (from, to) = (names("source", "lines"), names("sink", "lines"));
    let from: Vec<&str> = from.iter().map(String::as_str).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    network
        .connect_many(&from, &to, ChannelOptions::rendezvous())
        .expect("the ports fit");
    // Room for every line, so that a sink never waits for this test.
    let printed: Vec<HostReceiver> = names("sink", "printed")
        .iter()
        .map(|port| network.output(port, ChannelOptions::bounded(50)))
        .collect::<Result<_, _>>()
        .expect("the ports are free");
    let running = network.start().expect("it starts");
    let lines = printed
        .iter()
        .flat_map(HostReceiver::iter)
        .inspect(|line| assert!(line.is_ok(), "a sink ended badly: {line:?}"))
        .count();
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    lines
}

#[test]
fn retiring_loses_no_line() {
    for _ in 0..TIMES {
        assert_eq!(race(false), 50);
    }
}

#[test]
fn poisoning_loses_no_line_that_was_taken() {
    for _ in 0..TIMES {
        let lines = race(true);
        assert!((10..=50).contains(&lines), "{lines} lines");
    }
}
