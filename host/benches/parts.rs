//! What the parts cost: calls from a guest to the host, processes and components, CBOR.
//!
//! The guests have to be built; `README.md` says how, and where the other parts are measured:
//! channels and the scheduler without WebAssembly, messages in the guest SDK.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use transputer::signature::PayloadType;
use transputer::value::{encode_text, print};
use transputer::{CacheFolder, ChannelOptions, Component, Host, HostOptions, Network, Verdict};

fn guest_file(name: &str) -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = repository.join("target/guests/wasm32-wasip2/guest/examples");
    let file = built.join(format!("bench_{name}.wasm"));
    assert!(
        file.is_file(),
        "the guests are not built: run `transputer build host/benches/guests`"
    );
    file
}

fn new_host(cache: CacheFolder) -> Host {
    let options = HostOptions::default().cache(cache);
    Host::new(options).expect("a host can be set up")
}

fn component(host: &Host, name: &str) -> Component {
    host.component(guest_file(name))
        .expect("a guest that was built is a component")
}

/// What a call costs the guest that makes it, and its turn in the host.
fn host_calls(criterion: &mut Criterion) {
    let host = new_host(CacheFolder::Default);
    let mut network = host.network("calls");
    network.process("calls", &component(&host, "calls"));
    let rendezvous = ChannelOptions::rendezvous();
    let orders = network.input("calls.orders", rendezvous);
    let orders = orders.expect("the port is free");
    let took = network.output("calls.took", rendezvous);
    let took = took.expect("the port is free");
    let running = network.start().expect("the network is whole");
    let mut group = criterion.benchmark_group("host call");
    for (kind, name, bytes) in [
        ("now", "the time", None),
        ("try_receive", "try_receive, nothing there", None),
        ("number", "send and receive, u64", None),
        ("alternation", "send and choose among two", None),
        ("kibibyte", "send and receive, 1 KiB", Some(1 << 10)),
        ("mebibyte", "send and receive, 1 MiB", Some(1 << 20)),
    ] {
        if let Some(bytes) = bytes {
            group.throughput(Throughput::Bytes(bytes));
        }
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                orders
                    .send_value(&(kind, rounds))
                    .expect("the guest listens to the end");
                Duration::from_nanos(took.receive_value().expect("the guest answers"))
            });
        });
    }
    group.finish();
    drop(orders);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

/// From a component in a file to the end of a process.
fn processes(criterion: &mut Criterion) {
    let host = new_host(CacheFolder::Default);
    let exits = component(&host, "exits");
    let spawns = component(&host, "spawns");
    let mut group = criterion.benchmark_group("process");
    group.bench_function("spawn, run, exit", |bencher| {
        bencher.iter_custom(|count| short_lives(&host, &spawns, &exits, count));
    });
    group.bench_function("a network of one, from start to end", |bencher| {
        bencher.iter_batched(
            || {
                let mut network = host.network("one");
                network.process("exits", &exits);
                network
            },
            |network: Network| {
                let running = network.start().expect("the network is whole");
                assert_eq!(running.wait().verdict(), Verdict::Succeeded);
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();

    let mut group = criterion.benchmark_group("component");
    group.sample_size(10);
    group.bench_function("load, compiled before", |bencher| {
        bencher.iter(|| component(&host, "pinger"));
    });
    let forgetful = new_host(CacheFolder::Off);
    group.bench_function("compile", |bencher| {
        bencher.iter(|| component(&forgetful, "pinger"));
    });
}

/// How long a process takes to spawn so many others, each when the one before has ended.
fn short_lives(host: &Host, spawns: &Component, exits: &Component, count: u64) -> Duration {
    let mut network = host.network("short lives");
    network
        .process("spawns", spawns)
        .argument("count", count)
        .may_spawn("exits", exits);
    let measured = network.output("spawns.measured", ChannelOptions::rendezvous());
    let measured = measured.expect("the port is free");
    let running = network.start().expect("the network is whole");
    let (time, _) = measured
        .receive_value::<(u64, u64)>()
        .expect("the guest measures");
    running.wait();
    Duration::from_nanos(time)
}

/// What the host does to values that users write and read.
fn cbor(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("CBOR");
    let ty = PayloadType::parse("list<u64>").expect("it is a type");
    let text = format!("{:?}", (0..1_000).collect::<Vec<u64>>());
    group.bench_function("from text, list of 1,000", |bencher| {
        bencher.iter(|| encode_text(&ty, black_box(&text)).expect("it fits the type"));
    });
    let bytes = encode_text(&ty, &text).expect("it fits the type");
    group.bench_function("to text, list of 1,000", |bencher| {
        bencher.iter(|| print(&ty, black_box(&bytes)).map(|line| line.len()));
    });
}

criterion_group!(benches, host_calls, processes, cbor);
criterion_main!(benches);
