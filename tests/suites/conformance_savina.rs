//! Savina's actor benchmarks (Imam and Sarkar, 2014), for their results; and the sieve, a process per
//! prime. Sizes that take minutes without optimisation run when `TRANSPUTER_FULL` is set.

use std::time::Instant;

use transputer::{ChannelOptions, Network, Report, Verdict};
use transputer_tests::{guest, host, output};

/// The size of a case: a small one, unless all of it is asked for.
fn size<T>(small: T, full: T) -> T {
    match std::env::var_os("TRANSPUTER_FULL") {
        Some(_) => full,
        None => small,
    }
}

/// The sum of everything that comes out of a port, and how the network ended.
fn sum(mut network: Network, port: &str) -> (u64, Report) {
    let results = output(&mut network, port);
    let began = Instant::now();
    let running = network.start().expect("it starts");
    let sum = results
        .values::<u64>()
        .map(|value| value.expect("a number"))
        .sum();
    let report = running.wait();
    assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    println!("{port}: {sum} in {:.1} s", began.elapsed().as_secs_f64());
    (sum, report)
}

#[test]
fn fibonacci_with_a_process_for_every_call() {
    let (n, number, calls) = size((17, 1_597, 5_167), (25, 75_025, 242_785));
    let fib = guest("fib");
    let mut network = host().network("fib");
    network
        .process("fib", &fib)
        .argument("n", n)
        .argument("together", 5)
        .may_spawn("fib", &fib);
    let (result, report) = sum(network, "fib.result");
    assert_eq!(result, number);
    assert_eq!(report.processes, calls);
}

#[test]
fn philosophers_have_all_their_meals() {
    const SEATS: u64 = 20;
    let meals = size(1_000, 10_000);
    let mut network = host().network("philosophers");
    network
        .process("arbitrator", &guest("arbitrator"))
        .argument("seats", SEATS)
        .argument("meals", meals)
        .may_spawn("philosopher", &guest("philosopher"));
    let (total, report) = sum(network, "arbitrator.total");
    assert_eq!(total, SEATS * meals);
    assert_eq!(report.processes, SEATS + 1);
}

#[test]
fn banking_conserves_the_total() {
    const ACCOUNTS: u64 = 100;
    const BALANCE: u64 = 10_000;
    let mut network = host().network("banking");
    network
        .process("teller", &guest("teller"))
        .argument("accounts", ACCOUNTS)
        .argument("balance", BALANCE)
        .argument("transfers", size(10_000, 50_000))
        .may_spawn("account", &guest("account"));
    let (total, report) = sum(network, "teller.balances");
    assert_eq!(total, ACCOUNTS * BALANCE);
    assert_eq!(report.processes, ACCOUNTS + 1);
}

/// How many primes there are below a limit, by a chain whose links keep `most` primes each.
fn primes_below(limit: u64, most: u64, capacity: usize) -> u64 {
    let link = guest("sieve_link");
    let mut network = host().network("sieve");
    network
        .process("numbers", &guest("numbers"))
        .argument("limit", limit)
        .argument("buffered", capacity > 0);
    network
        .process("link", &link)
        .argument("most", most)
        .argument("capacity", capacity as u64)
        .may_spawn("link", &link);
    let options = ChannelOptions::bounded(capacity);
    network
        .connect("numbers.numbers", "link.numbers", options)
        .expect("the ports fit");
    let (primes, report) = sum(network, "link.counts");
    assert_eq!(report.processes, 1 + primes.div_ceil(most));
    primes
}

#[test]
fn sieve_of_669_processes() {
    for capacity in [0, 128] {
        assert_eq!(primes_below(5_000, 1, capacity), 669);
    }
}

#[test]
fn sieve_of_1229_processes() {
    assert_eq!(primes_below(10_000, 1, 128), 1_229);
}

#[test]
fn sieve_of_2262_processes() {
    assert_eq!(primes_below(20_000, 1, 128), 2_262);
}

#[test]
fn sieve_of_4203_processes() {
    assert_eq!(primes_below(40_000, 1, 128), 4_203);
}

/// Savina's own: a link keeps a thousand primes.
#[test]
fn sieve_below_a_hundred_thousand() {
    assert_eq!(primes_below(100_000, 1_000, 128), 9_592);
}
