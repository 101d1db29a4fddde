//! What a remote channel costs: messages a second and the time that each is on its way, beside the client of NATS alone,
//! which stores and takes the same messages at the same server, a stream of Redis, and the distribution of Erlang.
//!
//!     cargo bench --locked -p transputer-reach --bench figures
//!
//! All over the loopback, sender and receiver in one program, except Erlang's. Programs that are not installed leave their
//! columns empty. Absolute numbers say little: compare the columns of one run, in which all take turns.

#[path = "../../tests/support/server.rs"]
#[allow(dead_code)]
mod server;

mod client;
mod erlang;
mod measure;
mod ours;
mod redis;

use measure::{Case, Figures, median};
use redis::Redis;
use server::Server;

/// Bytes, and how many messages are sent where many are on their way.
const SIZES: [(usize, u64); 4] = [
    (8, 20_000),
    (1 << 10, 10_000),
    (64 << 10, 1_500),
    (1 << 20, 150),
];

/// Messages in the channel at once; 1 is one in flight.
const CAPACITIES: [u64; 2] = [1, 128];

/// How often each is measured.
const TIMES: usize = 3;

/// The others, each in a column.
const PEERS: [&str; 3] = ["async-nats alone", "Redis streams", "Erlang distribution"];

fn main() {
    let Some(server) = Server::start_with("figures", "max_payload: 8MB") else {
        return;
    };
    let redis = Redis::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.expect("threads");
    println!(
        "Messages a second; microseconds from sending to receiving, median / 99th percentile."
    );
    println!("Ratios are our time for a message over theirs.\n");
    println!("| Bytes | In flight | Transputer | {} |", PEERS.join(" | "));
    println!("|---:|---:|---:|---:|---:|---:|");
    for (size, count) in SIZES {
        for capacity in CAPACITIES {
            let count = if capacity == 1 { count / 10 } else { count };
            let case = Case {
                size,
                count,
                capacity,
            };
            let mut all: [Vec<Figures>; 4] = Default::default();
            for run in 0..TIMES {
                let name = format!("b{size}-{capacity}-{run}");
                let url = server.url();
                all[0].push(runtime.block_on(ours::run(&url, &name, case)).figures());
                all[1].push(runtime.block_on(client::run(&url, &name, case)).figures());
                if let Some(redis) = &redis {
                    all[2].push(redis.run(&name, case).figures());
                }
                all[3].extend(erlang::run(case));
            }
            let [ours, peers @ ..] = all.map(median);
            let ours = ours.expect("it was measured");
            let peers = peers.map(|peer| match peer {
                None => "–".to_owned(),
                Some(peer) => format!("{}; ratio {:.2}", shown(peer), peer.rate / ours.rate),
            });
            println!(
                "| {size} | {capacity} | {} | {} |",
                shown(ours),
                peers.join(" | ")
            );
        }
    }
}

fn shown(figures: Figures) -> String {
    let Figures { rate, p50, p99 } = figures;
    format!("{rate:.0}/s; {p50:.0} / {p99:.0} µs")
}
