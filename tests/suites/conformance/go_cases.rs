//! Go's channel tests as networks: each builds one, runs it, and gives back how it ended.

use std::sync::OnceLock;

use transputer::{
    ChannelOptions, Component, Host, HostOptions, HostReceiver, Network, Report, Running, Verdict,
};
use transputer_tests::{guest_of, input, new_host, output, run};

const RENDEZVOUS: usize = 0;

/// The host of all cases that need few processes.
pub(crate) fn host() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    HOST.get_or_init(|| new_host(HostOptions::default().max_processes(256)))
}

/// A guest program as a component of that host.
pub(crate) fn guest(name: &str) -> Component {
    guest_of(host(), name)
}

/// Connects ports by channels of the same capacity.
#[track_caller]
fn connect(network: &mut Network, capacity: usize, wires: &[(&str, &str)]) {
    for (from, to) in wires {
        network
            .connect(from, to, ChannelOptions::bounded(capacity))
            .expect("the ports fit");
    }
}

/// Starts a network of which one output is read by the test.
fn started(network: Network) -> Running {
    network.start().expect("the network can be started")
}

/// Everything that comes from a process, then how the network ended.
fn collect<T: serde::de::DeserializeOwned>(
    network: Network,
    results: HostReceiver,
) -> (Vec<T>, Report) {
    let running = started(network);
    let values = results
        .values()
        .map(|value| value.expect("a value of the port's type"))
        .collect();
    (values, running.wait())
}

/// One process alone.
fn alone(name: &str) -> Report {
    let mut network = host().network(name);
    network.process(name, &guest(name));
    run(network)
}

/// Numbers that one alternation spreads over four channels come together again, each once.
pub(crate) fn doubleselect() -> Report {
    const NUMBERS: u64 = 100_000;
    let mut network = host().network("doubleselect");
    network
        .process("sender", &guest("doubleselect_sender"))
        .argument("limit", NUMBERS);
    let muxes: Vec<String> = ["a", "b", "c", "d"]
        .map(|name| format!("mux-{name}"))
        .into();
    for (mux, port) in muxes.iter().zip(["a", "b", "c", "d"]) {
        network.process(mux, &guest("mux"));
        let (from, to) = (format!("sender.{port}"), format!("{mux}.input"));
        connect(&mut network, RENDEZVOUS, &[(&from, &to)]);
    }
    network.process("unique", &guest("unique"));
    let outputs: Vec<String> = muxes.iter().map(|mux| format!("{mux}.output")).collect();
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    network
        .connect_many(&outputs, &["unique.numbers"], ChannelOptions::rendezvous())
        .expect("the ports fit");
    let count = output(&mut network, "unique.count");
    let (counts, report) = collect::<u64>(network, count);
    assert_eq!(counts, [NUMBERS]);
    report
}

/// A buffered channel keeps its order; processes that take turns at a rendezvous do.
pub(crate) fn fifo() -> Report {
    const LENGTH: u64 = 10;
    let mut network = host().network("fifo");
    network
        .process("asynch", &guest("fifo_asynch"))
        .argument("length", LENGTH);
    network
        .process("main", &guest("fifo_main"))
        .argument("length", LENGTH);
    let mut previous = "main.first".to_owned();
    let mut readers = Vec::new();
    for turn in 0..LENGTH {
        let name = format!("chain-{turn}");
        network
            .process(&name, &guest("fifo_chain"))
            .argument("expected", turn);
        connect(
            &mut network,
            RENDEZVOUS,
            &[(&previous, &format!("{name}.turn"))],
        );
        previous = format!("{name}.next");
        readers.push(format!("{name}.numbers"));
    }
    connect(&mut network, RENDEZVOUS, &[(&previous, "main.last")]);
    let readers: Vec<&str> = readers.iter().map(String::as_str).collect();
    network
        .connect_many(&["main.numbers"], &readers, ChannelOptions::rendezvous())
        .expect("the ports fit");
    run(network)
}

/// One number through as long a chain of processes as the original's.
pub(crate) fn goroutines() -> Report {
    const LINKS: u32 = 10_000;
    let host = new_host(HostOptions::default().max_processes(LINKS));
    let relay = guest_of(&host, "relay");
    let mut network = host.network("goroutines");
    for link in 0..LINKS {
        network.process(&format!("relay-{link}"), &relay);
        if link > 0 {
            let to = format!("relay-{}.right", link - 1);
            connect(
                &mut network,
                RENDEZVOUS,
                &[(&format!("relay-{link}.left"), &to)],
            );
        }
    }
    let leftmost = output(&mut network, "relay-0.left");
    let rightmost = input(&mut network, &format!("relay-{}.right", LINKS - 1));
    let running = started(network);
    rightmost.send_value(&1_u64).expect("the chain receives");
    assert_eq!(leftmost.receive_value::<u64>().expect("the chain sends"), 1);
    let report = running.wait();
    assert_eq!(report.processes, u64::from(LINKS));
    report
}

/// Operations that never wait, in a schedule that always gives the peer its turn.
pub(crate) fn nonblock() -> Report {
    let host = new_host(HostOptions::default().seed(1).max_processes(16));
    let mut last = None;
    for buffer in [0, 1] {
        let mut network = host.network("nonblock");
        network
            .process("main", &guest_of(&host, "nonblock_main"))
            .argument("buffered", buffer == 1);
        network.process("peer", &guest_of(&host, "nonblock_peer"));
        for ty in ["i32", "i64", "bool", "text"] {
            let (to, from) = (format!("to_{ty}"), format!("from_{ty}"));
            let wires = [("main", "peer"), ("peer", "main")]
                .map(|(one, other)| (format!("{one}.{to}"), format!("{other}.{from}")));
            for (from, to) in &wires {
                connect(&mut network, buffer, &[(from, to)]);
            }
        }
        connect(&mut network, RENDEZVOUS, &[("peer.strobe", "main.strobe")]);
        let report = run(network);
        assert_eq!(
            report.verdict(),
            Verdict::Succeeded,
            "buffer {buffer}: {report:?}"
        );
        last = Some(report);
    }
    last.expect("two networks ran")
}

/// Guards are switched off one by one; each is evaluated only while it takes part.
pub(crate) fn select() -> Report {
    let mut network = host().network("select");
    network.process("sends", &guest("select_sends"));
    let one = ChannelOptions::bounded(1);
    let a = network.output("sends.a", one).expect("it is free");
    let b = network.output("sends.b", one).expect("it is free");
    let again = input(&mut network, "sends.again");
    let counts = output(&mut network, "sends.counts");
    let running = started(network);
    // The original counts 10 evaluations, for Go evaluates the operands of guards on nil channels too.
    assert_eq!(
        counts.receive_value::<(u64, u64)>().expect("counts"),
        (2, 3)
    );
    let both = [&a, &b].map(|end| end.receive_value::<u64>().expect("a number"));
    assert_eq!(both[0] | both[1], 3, "{both:?}");
    again.send_value(&()).expect("it is received");
    assert_eq!(
        counts.receive_value::<(u64, u64)>().expect("counts"),
        (1, 4)
    );
    running.wait()
}

/// What waits in one channel is taken; the other guard's arm is not entered.
pub(crate) fn select4() -> Report {
    let mut network = host().network("select4");
    network.process("select4", &guest("select4"));
    let one = ChannelOptions::bounded(1);
    let waiting = network.input("select4.waiting", one).expect("it is free");
    let _idle = input(&mut network, "select4.idle");
    let got = output(&mut network, "select4.got");
    waiting.send_value(&42_u64).expect("it has room");
    let (numbers, report) = collect::<u64>(network, got);
    assert_eq!(numbers, [42]);
    report
}

/// Ends and messages are evaluated once each, in the order of the text; then the winner's arm alone.
pub(crate) fn select5() -> Report {
    let mut network = host().network("select5");
    network.process("select5", &guest("select5"));
    let orders = output(&mut network, "select5.orders");
    let running = started(network);
    let evaluated: Vec<Vec<u8>> = orders.iter().map(|order| order.expect("bytes")).collect();
    assert_eq!(
        evaluated,
        [[1, 2, 3, 4, 10], [1, 2, 3, 4, 11], [1, 2, 3, 4, 12]]
    );
    running.wait()
}

/// A loser leaves a queue in which another stands before it.
pub(crate) fn select6() -> Report {
    let mut network = host().network("select6");
    network.process("taker", &guest("take_one"));
    network.process("alternation", &guest("select6_alternation"));
    network.process("giver", &guest("give_one"));
    network.process("main", &guest("select6_main"));
    connect(
        &mut network,
        RENDEZVOUS,
        &[
            ("giver.output", "alternation.second"),
            ("alternation.won", "main.won"),
        ],
    );
    network
        .connect_many(
            &["main.output"],
            &["taker.input", "alternation.first"],
            ChannelOptions::rendezvous(),
        )
        .expect("the ports fit");
    run(network)
}

/// Every way to send meets every way to receive.
pub(crate) fn select7() -> Report {
    let mut network = host().network("select7");
    for (send, receive) in (1..=3).flat_map(|send| (1..=3).map(move |receive| (send, receive))) {
        let (sender, receiver) = (
            format!("sender-{send}-{receive}"),
            format!("receiver-{send}-{receive}"),
        );
        network
            .process(&sender, &guest("select7_sender"))
            .argument("way", send);
        network
            .process(&receiver, &guest("select7_receiver"))
            .argument("way", receive);
        let (from, to) = (format!("{sender}.output"), format!("{receiver}.input"));
        connect(&mut network, RENDEZVOUS, &[(&from, &to)]);
    }
    run(network)
}

/// `break` leaves an alternation and the loop around it.
pub(crate) fn select8() -> Report {
    let mut network = host().network("select8");
    network.process("fives", &guest("fives"));
    network.process("select8", &guest("select8"));
    connect(
        &mut network,
        RENDEZVOUS,
        &[("fives.fives", "select8.fives")],
    );
    run(network)
}

/// A channel goes through a channel, and is used on arrival.
pub(crate) fn sendstmt() -> Report {
    let mut network = host().network("sendstmt");
    network.process("giver", &guest("sendstmt_giver"));
    network.process("taker", &guest("sendstmt_taker"));
    connect(&mut network, 1, &[("giver.channels", "taker.channels")]);
    run(network)
}

/// The primes below 100, which both sieves must begin with.
const PRIMES: [u64; 25] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
];

/// Takes primes from a sieve that has no end, then lets it go.
fn first_primes(mut network: Network, port: &str) -> Report {
    let primes = output(&mut network, port);
    let running = started(network);
    for expected in PRIMES {
        assert_eq!(primes.receive_value::<u64>().expect("a prime"), expected);
    }
    drop(primes);
    running.wait()
}

/// A chain with a process for each prime.
pub(crate) fn sieve1() -> Report {
    let mut network = host().network("sieve1");
    network.process("generate", &guest("sieve1_generate"));
    network
        .process("sieve", &guest("sieve1"))
        .may_spawn("filter", &guest("sieve1_filter"));
    connect(
        &mut network,
        RENDEZVOUS,
        &[("generate.numbers", "sieve.numbers")],
    );
    first_primes(network, "sieve.primes")
}

/// A heap of processes, each with the multiples of a prime.
pub(crate) fn sieve2() -> Report {
    let mut network = host().network("sieve2");
    network.process("sieve", &guest("sieve2"));
    network.process("proxy", &guest("sieve2_proxy"));
    network
        .process("merge", &guest("sieve2_merge"))
        .may_spawn("multiples", &guest("sieve2_multiples"));
    connect(&mut network, 10, &[("sieve.found", "proxy.input")]);
    connect(
        &mut network,
        RENDEZVOUS,
        &[
            ("proxy.output", "merge.primes"),
            ("merge.composites", "sieve.composites"),
        ],
    );
    first_primes(network, "sieve.primes")
}

/// Messages of no bytes, at a rendezvous and in a buffer.
pub(crate) fn zerosize() -> Report {
    let mut last = None;
    for capacity in [0, 1] {
        let options = ChannelOptions::bounded(capacity);
        let mut network = host().network("zerosize");
        network.process("zero", &guest("zerosize"));
        let units = network.input("zero.units", options).expect("it is free");
        let empties = network.input("zero.empties", options).expect("it is free");
        let units_out = network
            .output("zero.units_out", options)
            .expect("it is free");
        let empties_out = network
            .output("zero.empties_out", options)
            .expect("it is free");
        let running = started(network);
        units.send_value(&()).expect("it is received");
        units_out.receive_value::<()>().expect("it is sent");
        empties.send(Vec::new()).expect("it is received");
        assert!(empties_out.receive().expect("it is sent").is_empty());
        drop((units, empties));
        last = Some(running.wait());
    }
    last.expect("two networks ran")
}

/// Every operation on a closed channel, in every form.
pub(crate) fn closedchan() -> Report {
    alone("closedchan")
}
