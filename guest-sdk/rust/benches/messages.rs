//! What typed messages cost: CBOR written and read, as the code of a process does it. Native
//! code here, so compare these times with each other only.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use transputer_guest::message::{from_bytes, to_bytes};
use transputer_guest::{Bytes, Message};

/// A record as programs send them.
#[derive(Message)]
struct Visit {
    id: u64,
    page: String,
    took: Option<f64>,
    tags: Vec<String>,
}

fn visit() -> Visit {
    Visit {
        id: 123_456,
        page: "/articles/communicating-sequential-processes".into(),
        took: Some(12.5),
        tags: vec!["csp".into(), "channels".into()],
    }
}

fn messages(criterion: &mut Criterion) {
    both_ways(criterion, "u64", &1_234_567_u64);
    both_ways(criterion, "record", &visit());
    both_ways(criterion, "list of 1,000", &Vec::from_iter(0..1_000_u64));
    both_ways(criterion, "1 KiB", &Bytes(vec![1; 1 << 10]));
}

fn both_ways<T: Message>(criterion: &mut Criterion, name: &str, message: &T) {
    let mut group = criterion.benchmark_group("message");
    let bytes = to_bytes(message).expect("it holds no ends");
    group.bench_function(BenchmarkId::new("write", name), |bencher| {
        bencher.iter(|| to_bytes(black_box(message)));
    });
    group.bench_function(BenchmarkId::new("read", name), |bencher| {
        bencher.iter(|| from_bytes::<T>(black_box(&bytes)));
    });
}

criterion_group!(benches, messages);
criterion_main!(benches);
