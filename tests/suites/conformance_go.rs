//! Go's `test/chan` and `closedchan.go` as networks of guests. Each must end as the original does,
//! which is run beside it where Go and its tests are installed.

#[path = "conformance/go_cases.rs"]
mod cases;
#[path = "conformance/go_originals.rs"]
mod originals;

use cases::{guest, host};
use originals::Ended;
use transputer::{ChannelOptions, Error, Outcome, Report, Verdict};
use transputer_tests::{input, output, run};

/// Compares how a network has ended with how the original ends.
#[track_caller]
fn compare(report: &Report, original: Option<Ended>) {
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    let expected = Ended {
        succeeded: true,
        printed: String::new(),
    };
    if let Some(original) = original {
        assert_eq!(original, expected, "the original failed");
    }
}

/// A test for each case that is compared with the original of this name.
macro_rules! cases {
    ($($case:ident: $original:literal)*) => {$(
        #[test]
        fn $case() {
            compare(&cases::$case(), originals::run($original));
        }
    )*};
}

cases! {
    doubleselect: "chan/doubleselect.go"
    fifo: "chan/fifo.go"
    goroutines: "chan/goroutines.go"
    nonblock: "chan/nonblock.go"
    select: "chan/select.go"
    select4: "chan/select4.go"
    select6: "chan/select6.go"
    select7: "chan/select7.go"
    select8: "chan/select8.go"
    sendstmt: "chan/sendstmt.go"
    sieve1: "chan/sieve1.go"
    sieve2: "chan/sieve2.go"
    zerosize: "chan/zerosize.go"
    closedchan: "closedchan.go"
}

#[test]
fn select5() {
    compare(&cases::select5(), originals::run_output("chan/select5.go"));
}

/// What an operation of `select3` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    Never,
    ForEver,
    /// Not even asked: an alternation without a guard. In Go it waits for ever.
    Refused,
}

/// Every operation of the original, and its counterparts of what Go has and this has not: a
/// nil channel is a guard that is switched off.
const SELECT3: [(&str, Waits); 19] = [
    ("send to a free buffer", Waits::Never),
    ("send to a full buffer", Waits::ForEver),
    ("send with nobody receiving", Waits::ForEver),
    ("receive with nobody sending", Waits::ForEver),
    ("receive after the close", Waits::Never),
    ("send after the close", Waits::Never),
    ("select without guards", Waits::Refused),
    ("select receive with nobody sending", Waits::ForEver),
    ("select send with nobody receiving", Waits::ForEver),
    ("select on idle channels", Waits::ForEver),
    ("select both ends of one channel", Waits::ForEver),
    ("select skip", Waits::Never),
    ("select skip beside an off receive", Waits::Never),
    ("select skip beside an off send", Waits::Never),
    ("select skip beside idle ends", Waits::Never),
    ("select send to a free buffer", Waits::Never),
    ("select receive from a buffer", Waits::Never),
    ("select receive after the close", Waits::Never),
    ("select send after the close", Waits::Never),
];

#[test]
fn select3() {
    for (case, expected) in SELECT3 {
        let mut network = host().network("select3");
        network
            .process("select3", &guest("select3"))
            .argument("case", case);
        let report = run(network);
        let found = match (report.verdict(), &report.failures[..]) {
            (Verdict::Succeeded, _) => Waits::Never,
            (Verdict::Deadlocked, _) => {
                let stuck = &report.deadlocks[0].stuck;
                assert_eq!(stuck.len(), 1, "{case}: {report:?}");
                assert_eq!(stuck[0].process, "select3", "{case}: {report:?}");
                Waits::ForEver
            }
            (_, [failure]) => {
                let Outcome::Failed(text) = &failure.outcome else {
                    panic!("{case}: {report:?}");
                };
                assert!(text.contains("no guard"), "{case}: {text}");
                Waits::Refused
            }
            _ => panic!("{case}: {report:?}"),
        };
        assert_eq!(found, expected, "{case}");
    }
    if let Some(original) = originals::run("chan/select3.go") {
        assert!(original.succeeded, "{original:?}");
    }
}

/// What Go's compiler refuses about directions is refused here when a network is wired.
#[test]
fn perm() {
    let mut network = host().network("perm");
    network.process("one", &guest("mux"));
    network.process("two", &guest("mux"));
    network.process("text", &guest("whole"));
    let refuses = |result: Result<(), Error>, names: &[&str]| {
        let Err(Error::Wiring { .. }) = &result else {
            panic!("{names:?}: {result:?}");
        };
        let text = result.expect_err("it was one").to_string();
        for name in names {
            assert!(text.contains(name), "{text}");
        }
    };
    let one = ChannelOptions::rendezvous();
    refuses(
        network.connect("one.input", "two.input", one),
        &["one.input"],
    );
    refuses(
        network.connect("one.output", "two.output", one),
        &["two.output"],
    );
    refuses(
        network.connect("one.input", "two.output", one),
        &["one.input"],
    );
    refuses(network.input("one.output", one).map(drop), &["one.output"]);
    refuses(network.output("one.input", one).map(drop), &["one.input"]);
    // No such port: Go's receive from, and send to, what is not a channel.
    refuses(
        network.connect("one.limit", "two.input", one),
        &["`one`", "`limit`"],
    );
    refuses(
        network.connect("one.output", "text.input", one),
        &["one.output", "u64", "text.input", "list<u8>"],
    );
    network
        .connect("one.output", "two.input", one)
        .expect("the right way round");
    refuses(
        network.connect("one.output", "two.input", one),
        &["one.output"],
    );
    if let Some((marked, refused)) = originals::refused_lines("chan/perm.go") {
        assert_eq!(refused, marked);
    }
}

/// The same when a process is spawned.
#[test]
fn perm_of_spawned_processes() {
    let mut network = host().network("perm");
    network
        .process("spawner", &guest("perm_spawner"))
        .may_spawn("mux", &guest("mux"));
    let refusals = output(&mut network, "spawner.refusals");
    let running = network.start().expect("it starts");
    for port in ["output", "input"] {
        let text = refusals.receive_value::<String>().expect("a refusal");
        assert!(text.contains(&format!("`{port}`")), "{text}");
    }
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

/// A select that waits while the host could still send is not in a deadlock, and is seen to wait.
#[test]
fn select_that_waits_for_the_host_is_no_deadlock() {
    let mut network = host().network("waits");
    network.process("select4", &guest("select4"));
    let idle = input(&mut network, "select4.idle");
    let waiting = input(&mut network, "select4.waiting");
    let got = output(&mut network, "select4.got");
    let running = network.start().expect("it starts");
    let waits = || {
        let status = running.status();
        status.iter().any(|process| {
            let doing = process.doing.to_string();
            ["select4.idle", "select4.waiting"]
                .iter()
                .all(|port| doing.contains(port))
        })
    };
    while !waits() {
        std::thread::yield_now();
    }
    waiting.send_value(&42_u64).expect("it is received");
    assert_eq!(got.receive_value::<u64>().expect("a number"), 42);
    let report = running.wait();
    assert!(report.deadlocks.is_empty(), "{report:?}");
    assert_eq!(report.verdict(), Verdict::Succeeded);
    drop(idle);
}
