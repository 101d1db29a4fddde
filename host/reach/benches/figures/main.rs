//! What an outlet and an inlet cost beside async-nats alone, which stores and takes the same messages.
//!
//!     cargo bench --locked -p transputer-reach --bench beside_nats
//!
//! Both sides lie in one program, at a server of its own on this machine. Absolute numbers say little: compare the
//! columns of one run.

#[path = "../tests/support/server.rs"]
#[allow(dead_code)]
mod server;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};
use async_nats::jetstream::{self, Context};
use bytes::Bytes;
use futures_util::StreamExt;
use server::Server;
use tokio::sync::watch;
use transputer_reach::carrier::{Carrier, Channel, Pending};
use transputer_reach::nats::{NatsCarrier, NatsOptions};
use transputer_reach::{Inlet, InletEnd, NoGate, NotWanted, Outlet, OutletEnd, Sent, Sink, Source};

const SIZES: [(usize, u64); 4] = [
    (8, 20_000),
    (1 << 10, 10_000),
    (64 << 10, 1_500),
    (1_000_000, 150),
];

/// Messages in the channel at once; 1 is one in flight.
const CAPACITIES: [u64; 2] = [1, 128];

/// Sends so many messages, as fast as they are taken.
struct Many(u64, Bytes);

impl Source for Many {
    fn next(&mut self) -> Pending<'_, Sent> {
        let sent = match self.0 {
            0 => Sent::Closed,
            _ => Sent::Message(self.1.clone()),
        };
        self.0 = self.0.saturating_sub(1);
        Box::pin(std::future::ready(sent))
    }
}

/// Takes each message, finishes it at once, and notes when the last one came.
struct AtOnce {
    finished: watch::Sender<u64>,
    last: Arc<Mutex<Instant>>,
}

impl Sink for AtOnce {
    fn offer(&mut self, _bytes: Bytes) {}

    fn taken(&mut self) -> Pending<'_, Result<(), NotWanted>> {
        self.finished.send_modify(|count| *count += 1);
        *self.last.lock().expect("nobody panics") = Instant::now();
        Box::pin(std::future::ready(Ok(())))
    }

    fn unwanted(&mut self) -> Pending<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn close(&mut self) {}

    fn poison(&mut self, _kind: &str, _reason: &str) {}

    fn finished(&mut self) -> watch::Receiver<u64> {
        self.finished.subscribe()
    }

    fn failure(&mut self) -> Option<(String, String)> {
        None
    }
}

async fn ours(url: &str, name: &str, capacity: u64, count: u64, size: usize) -> Duration {
    let options = NatsOptions::new(vec![url.to_owned()], "bench", "bench");
    let connect = async || {
        let carrier = NatsCarrier::connect(&options).await.expect("a server");
        let carrier: Arc<dyn Carrier> = Arc::new(carrier);
        carrier
    };
    let channel = Channel::new(name, capacity, "a.out", "b.in");
    let outlet = Outlet::take_over(connect().await, &channel, "a.out", 1).await;
    let inlet = Inlet::take_over(connect().await, &channel, "b.in", 1).await;
    let (mut outlet, mut inlet) = (outlet.expect("it sends"), inlet.expect("it receives"));
    let (_keep, stop) = watch::channel(false);
    let (mut one, mut other) = (stop.clone(), stop);
    let began = Instant::now();
    let sending = tokio::spawn(async move {
        let mut source = Many(count, vec![7; size].into());
        outlet.run(&mut source, &mut one).await
    });
    let last = Arc::new(Mutex::new(began));
    let mut sink = AtOnce {
        finished: watch::Sender::new(0),
        last: last.clone(),
    };
    assert_eq!(
        inlet.run(&mut sink, &NoGate, &mut other).await,
        InletEnd::Closed
    );
    assert_eq!(sending.await.expect("it ends"), OutletEnd::Closed);
    let last = *last.lock().expect("nobody panics");
    last - began
}

async fn connect(url: &str) -> Context {
    jetstream::new(async_nats::connect(url).await.expect("a server"))
}

/// The same with the client alone: a full stream refuses, so as many are on their way as it holds.
async fn theirs(url: &str, name: &str, capacity: u64, count: u64, size: usize) -> Duration {
    let (out, into) = (connect(url).await, connect(url).await);
    let stream = out.create_stream(Config {
        name: format!("raw_{name}"),
        subjects: vec![format!("raw.{name}")],
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        max_messages: i64::try_from(capacity).expect("it is small"),
        ..Default::default()
    });
    stream.await.expect("a stream");
    let config = pull::Config {
        durable_name: Some("in".to_owned()),
        ack_policy: AckPolicy::Explicit,
        max_ack_pending: -1,
        ..Default::default()
    };
    let consumer = into
        .create_consumer_on_stream(config, format!("raw_{name}"))
        .await;
    let batch = usize::try_from(capacity.min(64)).expect("it is small");
    let consumer = consumer.expect("a consumer");
    let messages = consumer.stream().max_messages_per_batch(batch).messages();
    let mut messages = messages.await.expect("messages");
    // The receiver gives back credit, as a channel does.
    let (give, mut credit) = tokio::sync::mpsc::unbounded_channel();
    (0..capacity).for_each(|_| give.send(()).expect("it is open"));
    let began = Instant::now();
    let subject = format!("raw.{name}");
    let sending = tokio::spawn(async move {
        let bytes = Bytes::from(vec![7; size]);
        let mut flying = std::collections::VecDeque::new();
        for _ in 0..count {
            credit.recv().await.expect("it is open");
            flying.push_back(
                out.publish(subject.clone(), bytes.clone())
                    .await
                    .expect("it is sent"),
            );
            while flying.len() >= batch {
                let ack = flying.pop_front().expect("there are some");
                // One that is refused, because an answer is still on its way, is sent again.
                if ack.await.is_err() {
                    flying.push_back(
                        out.publish(subject.clone(), bytes.clone())
                            .await
                            .expect("it is sent"),
                    );
                }
            }
        }
        for ack in flying {
            let _ = ack.await;
        }
    });
    let mut taken = 0;
    while taken < count {
        let next = tokio::time::timeout(Duration::from_secs(2), messages.next()).await;
        // Those that were refused at the end do not come.
        let Ok(Some(Ok(message))) = next else { break };
        message.ack().await.expect("it is answered");
        taken += 1;
        let _ = give.send(());
    }
    let took = began.elapsed();
    sending.abort();
    took
}

fn main() {
    let Some(server) = Server::start_with("figures", "max_payload: 8MB") else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("threads").block_on(async {
        println!(
            "{:>9} {:>9} {:>12} {:>14} {:>7}",
            "bytes", "in flight", "ours, 1/s", "async-nats, 1/s", "ratio"
        );
        for (size, count) in SIZES {
            for capacity in CAPACITIES {
                let count = if capacity == 1 { count / 10 } else { count };
                let mut ratios = Vec::new();
                for run in 0..3 {
                    let name = format!("b{size}-{capacity}-{run}");
                    let theirs = theirs(&server.url(), &name, capacity, count, size)
                        .await
                        .as_secs_f64();
                    let ours = ours(&server.url(), &name, capacity, count, size)
                        .await
                        .as_secs_f64();
                    ratios.push((ours / theirs, ours, theirs));
                }
                ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
                let (ratio, ours, theirs) = ratios[1];
                let rate = |seconds: f64| count as f64 / seconds;
                println!(
                    "{size:>9} {capacity:>9} {:>12.0} {:>14.0} {ratio:>7.2}",
                    rate(ours),
                    rate(theirs)
                );
            }
        }
    });
}
